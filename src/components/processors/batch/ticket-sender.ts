import { Refusal } from '../../../otlp/refusal.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Outgoing, Sender } from './sender.ts'

/** Hands batches on at once and passes the answer back to the senders of their items, whose duty they still are. */
export class TicketSender implements Sender {
  readonly isBlocked = false
  readonly isFull = false
  // Receivers hold a request's bytes until its consume has settled, which is until then.
  readonly holdsBytes = false
  readonly #host: ProcessorHost
  readonly #inFlight = new Set<Promise<void>>()
  onFree = (): void => {}

  constructor(host: ProcessorHost) {
    this.#host = host
  }

  send({ batch, tickets }: Outgoing): void {
    const settle = (refusal?: Refusal) => {
      for (const ticket of tickets) ticket.settle(refusal)
    }
    let result: void | Promise<void>
    try {
      result = this.#host.next.consume(batch)
    } catch (error) {
      settle(Refusal.from(error))
      return
    }
    if (result === undefined) {
      settle()
      return
    }
    const settled = result
      .then(
        () => settle(),
        (error: unknown) => settle(Refusal.from(error)),
      )
      .finally(() => this.#inFlight.delete(settled))
    this.#inFlight.add(settled)
  }

  async drain(deadline: AbortSignal): Promise<void> {
    if (deadline.aborted) return
    const overdue = new Promise((done) => deadline.addEventListener('abort', done, { once: true }))
    await Promise.race([Promise.all(this.#inFlight), overdue])
  }
}
