import type { Batch } from '../../../otlp/batch.ts'
import type { Ticket } from './ticket.ts'

/** A batch on its way out, with what must be settled when it is gone. */
export interface Outgoing {
  readonly batch: Batch
  /** Bytes of the ledger that are given back once it is handed over or lost. */
  readonly heldBytes: number
  /** One for each sender's part that someone waits for. */
  readonly tickets: readonly Ticket[]
}

/** How a shard hands batches on, and what it does about a refusal. */
export interface Sender {
  /** Whether a batch given now would have to wait. */
  readonly isBlocked: boolean
  /** Whether no further one is welcome. */
  readonly isFull: boolean
  /** Whether the ledger is told of items while they wait here; if not, their senders hold them. */
  readonly holdsBytes: boolean
  /** Called each time it is blocked no longer. */
  onFree: () => void
  send(outgoing: Outgoing): void
  /** Settles when nothing is left, at the latest when the deadline aborts. */
  drain(deadline: AbortSignal): Promise<void>
}
