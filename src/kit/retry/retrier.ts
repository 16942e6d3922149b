import { Refusal } from '../../otlp/refusal.ts'
import type { Host } from '../../pipeline/host.ts'
import { Backoff } from './backoff.ts'
import { RetryLines } from './retry-lines.ts'
import type { RetrySettings } from './retry-settings.ts'

/** Why sending ended without success; also the cause in the drop ledger. */
export type GiveUpCause = 'permanent_error' | 'retries_exhausted' | 'shutdown'

export type Attempted<Outcome> =
  | { readonly delivered: true; readonly outcome: Outcome }
  | { readonly delivered: false; readonly refusal: Refusal; readonly cause: GiveUpCause }

/** What a peer asks for beyond an hour, or beyond a longer max_interval, is not believed: a mistake of its clock, or worse. */
const retryAfterMsMax = 3_600_000

/** Repeats attempts that were refused for now until they succeed, the time is spent, or the exporter stops. */
export class Retrier {
  readonly #settings: RetrySettings
  readonly #host: Pick<Host, 'clock' | 'random' | 'log'>
  readonly #lines: RetryLines
  readonly #waiting = new Set<() => void>()
  #isStopping = false

  constructor(settings: RetrySettings, host: Pick<Host, 'clock' | 'random' | 'log'>) {
    this.#settings = settings
    this.#host = host
    this.#lines = new RetryLines(host)
  }

  async run<Outcome>(attempt: () => Promise<Outcome>): Promise<Attempted<Outcome>> {
    const request = {}
    const attempted = await this.#repeat(attempt, request)
    this.#lines.ended(request, attempted.delivered)
    return attempted
  }

  /** Ends every wait now: what waits is tried one last time, and nothing waits any more. */
  stop(): void {
    this.#isStopping = true
    this.#lines.close()
    for (const wake of this.#waiting) wake()
  }

  async #repeat<Outcome>(
    attempt: () => Promise<Outcome>,
    request: object,
  ): Promise<Attempted<Outcome>> {
    const { clock } = this.#host
    const startMs = clock.monotonicMs()
    let backoff: Backoff | undefined
    for (;;) {
      // Asked before the attempt: one that began before the stop has still its last chance after it.
      const isLast = this.#isStopping
      let refusal: Refusal
      try {
        return { delivered: true, outcome: await attempt() }
      } catch (error) {
        refusal = Refusal.from(error)
      }
      if (!refusal.retryable) return { delivered: false, refusal, cause: 'permanent_error' }
      const mayRetry = this.#settings.enabled
      if (isLast || (this.#isStopping && !mayRetry)) return interrupted(refusal)
      if (!mayRetry) return { delivered: false, refusal, cause: 'retries_exhausted' }
      if (this.#isStopping) continue
      backoff ??= new Backoff(this.#settings, this.#host.random)
      const delayMs = Math.max(backoff.nextDelayMs(), this.#wishOf(refusal))
      const elapsedMsMax = this.#settings.max_elapsed_time
      if (elapsedMsMax > 0 && clock.monotonicMs() - startMs + delayMs > elapsedMsMax) {
        const last = because('no more retries left', refusal)
        return { delivered: false, refusal: last, cause: 'retries_exhausted' }
      }
      this.#lines.retry(request, { error: refusal.message, delayMs })
      await this.#wait(delayMs)
    }
  }

  /** How long the peer wants to be left alone, within reason. */
  #wishOf({ retryAfterMs = 0 }: Refusal): number {
    return Math.min(retryAfterMs, Math.max(this.#settings.max_interval, retryAfterMsMax))
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#host.clock.after(delayMs, wake)
      this.#waiting.add(wake)
    })
  }
}

function interrupted(refusal: Refusal): Attempted<never> {
  const last = because('interrupted due to shutdown', refusal)
  return { delivered: false, refusal: last, cause: 'shutdown' }
}

/** The reasons are in the Collector's words. */
function because(reason: string, refusal: Refusal): Refusal {
  const detail = { retryAfterMs: refusal.retryAfterMs, cause: refusal }
  return new Refusal(refusal.code, `${reason}: ${refusal.message}`, detail)
}
