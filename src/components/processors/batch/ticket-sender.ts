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
    const settle = (failure?: unknown) => {
      for (const ticket of tickets) ticket.settle(failure)
    }
    let result: void | Promise<void>
    try {
      result = this.#host.next.consume(batch)
    } catch (error) {
      settle(error)
      return
    }
    if (result === undefined) {
      settle()
      return
    }
    const settled = result
      .then(
        () => settle(),
        (error: unknown) => settle(error),
      )
      .finally(() => this.#inFlight.delete(settled))
    this.#inFlight.add(settled)
  }

  async drain(deadline: AbortSignal): Promise<void> {
    if (deadline.aborted) return
    const overdue = Promise.withResolvers<void>()
    const giveUp = () => overdue.resolve()
    deadline.addEventListener('abort', giveUp, { once: true })
    await Promise.race([Promise.all(this.#inFlight), overdue.promise])
    deadline.removeEventListener('abort', giveUp)
  }
}
