import { Refusal } from '../../../otlp/refusal.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import type { Outgoing, Sender } from './sender.ts'

/** With an exporter that sends before it answers, so many requests are under way at a time. */
const inFlightCountMax = 8
/** Batches held before senders are refused. */
const heldCountMax = 16
const firstDelayMs = 100
const delayMsMax = 5000
/** However long a peer far behind asks to be left alone: everything else waits behind the batch it refused. */
const retryAfterMsMax = 60_000

/**
 * Hands on batches whose senders were answered long ago. So a refusal that may pass is waited out with the batch held,
 * while memory_limiter counts its bytes and senders are refused once too many wait; only a refusal for good, or the
 * end of the shutdown, loses items, and those are counted.
 */
export class HoldingSender implements Sender {
  readonly holdsBytes = true
  readonly #host: ProcessorHost
  readonly #waiting: Outgoing[] = []
  #inFlightCount = 0
  #refusalCount = 0
  #retry: Timer | undefined
  #isOverdue = false
  #drained: PromiseWithResolvers<void> | undefined
  onFree = (): void => {}

  constructor(host: ProcessorHost) {
    this.#host = host
  }

  get isBlocked(): boolean {
    return (
      this.#waiting.length > 0 ||
      this.#retry !== undefined ||
      this.#inFlightCount >= inFlightCountMax
    )
  }

  get isFull(): boolean {
    return this.#waiting.length + this.#inFlightCount >= heldCountMax
  }

  send(outgoing: Outgoing): void {
    this.#waiting.push(outgoing)
    this.#pump()
  }

  async drain(deadline: AbortSignal): Promise<void> {
    // No use in waiting out a pause that was meant for a process that lives on.
    this.#endPause()
    this.#pump()
    if (this.#isIdle) return
    this.#drained = Promise.withResolvers()
    const giveUp = () => this.#giveUp()
    if (deadline.aborted) giveUp()
    else deadline.addEventListener('abort', giveUp, { once: true })
    await this.#drained.promise
    deadline.removeEventListener('abort', giveUp)
  }

  get #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#inFlightCount === 0
  }

  #pump(): void {
    while (this.#retry === undefined && this.#inFlightCount < inFlightCountMax) {
      const outgoing = this.#waiting.shift()
      if (outgoing === undefined) break
      this.#offer(outgoing)
    }
    if (!this.isBlocked) this.onFree()
    if (this.#isIdle) this.#drained?.resolve()
  }

  #offer(outgoing: Outgoing): void {
    let result: void | Promise<void>
    try {
      result = this.#host.next.consume(outgoing.batch)
    } catch (error) {
      this.#refused(outgoing, Refusal.from(error))
      return
    }
    if (result === undefined) {
      this.#taken(outgoing)
      return
    }
    this.#inFlightCount++
    void result
      .then(
        () => this.#taken(outgoing),
        (error: unknown) => this.#refused(outgoing, Refusal.from(error)),
      )
      .finally(() => {
        this.#inFlightCount--
        this.#pump()
      })
  }

  #taken(outgoing: Outgoing): void {
    this.#host.memory.release(outgoing.heldBytes)
    if (this.#refusalCount === 0) return
    this.#refusalCount = 0
    this.#host.log.info({}, 'The next component takes batches again.')
  }

  #refused(outgoing: Outgoing, refusal: Refusal): void {
    if (!refusal.retryable || this.#isOverdue) {
      this.#host.log.error(
        { err: refusal, dropped_items: outgoing.batch.itemCount },
        'Sender failed',
      )
      this.#drop(outgoing, refusal.retryable ? 'shutdown' : 'batch_send_failed')
      return
    }
    this.#waiting.unshift(outgoing)
    if (this.#retry !== undefined) return
    const delayMs = this.#nextDelayMs(refusal)
    if (this.#refusalCount++ === 0) {
      this.#host.log.warn(
        { err: refusal, delay_ms: delayMs },
        'The next component refuses batches for now. Holding them and trying again.',
      )
    }
    this.#retry = this.#host.clock.after(delayMs, () => {
      this.#endPause()
      this.#pump()
    })
  }

  #nextDelayMs(refusal: Refusal): number {
    const backoffMs = Math.min(firstDelayMs * 2 ** this.#refusalCount, delayMsMax)
    const askedMs = Math.min(refusal.retryAfterMs ?? 0, retryAfterMsMax)
    return Math.max(backoffMs * (0.5 + this.#host.random.next()), askedMs)
  }

  #endPause(): void {
    this.#retry?.cancel()
    this.#retry = undefined
  }

  /** The deadline has come: what is still held is lost. What is under way may yet arrive. */
  #giveUp(): void {
    this.#isOverdue = true
    this.#endPause()
    const lost = this.#waiting.splice(0)
    if (lost.length > 0) {
      const items = lost.reduce((sum, { batch }) => sum + batch.itemCount, 0)
      this.#host.log.error(
        { dropped_items: items },
        'The shutdown ended before the next component took what was held. Dropping data.',
      )
    }
    for (const outgoing of lost) this.#drop(outgoing, 'shutdown')
    this.#drained?.resolve()
  }

  #drop(outgoing: Outgoing, cause: string): void {
    const { signal, itemCount } = outgoing.batch
    this.#host.dropped(signal, itemCount, cause)
    this.#host.memory.release(outgoing.heldBytes)
  }
}
