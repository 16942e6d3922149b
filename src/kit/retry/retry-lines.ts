import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'
import { LineLimit } from '../logging/line-limit.ts'

interface Retry {
  readonly error: string
  readonly delayMs: number
}

/** Without a new failure for this long, what was delivered is taken for the end of the trouble. */
const steadyMs = 1000

/** Logs what an exporter's requests wait for, one line a second at most, and once that they no longer do. */
export class RetryLines {
  readonly #host: Pick<Host, 'clock' | 'log'>
  readonly #retries: LineLimit<Retry>
  /** Of the first failure since delivery worked. */
  #awaySinceMs: number | undefined
  #backAtMs = 0
  #steady: Timer | undefined
  /** What has failed and is neither delivered nor given up. */
  readonly #failing = new Set<object>()
  #isClosed = false

  constructor(host: Pick<Host, 'clock' | 'log'>) {
    this.#host = host
    this.#retries = new LineLimit(host.clock, (retryCount, { error, delayMs }) =>
      host.log.info(
        { error, interval: seconds(delayMs), ...(retryCount > 1 && { retries: retryCount }) },
        'Exporting failed. Will retry the request after interval.',
      ),
    )
  }

  retry(request: object, retry: Retry): void {
    this.#awaySinceMs ??= this.#host.clock.monotonicMs()
    this.#steady?.cancel()
    this.#steady = undefined
    this.#failing.add(request)
    this.#retries.add(1, retry)
  }

  /** A request has come to its end, after retries or without any. */
  ended(request: object, isDelivered: boolean): void {
    if (this.#awaySinceMs === undefined) return
    this.#failing.delete(request)
    // One that got through while others fail says little: they may be refused for what they are.
    if (!isDelivered || this.#failing.size > 0 || this.#steady !== undefined) return
    this.#backAtMs = this.#host.clock.monotonicMs()
    if (this.#isClosed) this.#sayBack()
    else this.#steady = this.#host.clock.after(steadyMs, () => this.#sayBack())
  }

  /** Writes what is held back; from now on nothing is, for no timer may be left behind. */
  close(): void {
    this.#isClosed = true
    this.#retries.close()
    if (this.#steady === undefined) return
    this.#steady.cancel()
    this.#sayBack()
  }

  #sayBack(): void {
    const away = seconds(this.#backAtMs - this.#awaySinceMs!)
    this.#steady = this.#awaySinceMs = undefined
    this.#host.log.info({ away }, 'Exporting works again.')
  }
}

function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(3))}s`
}
