import { Batch } from '../../../otlp/batch.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { mergeBatches } from '../../../otlp/merge.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { takeItems } from '../../../otlp/split.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import type { BatchInstruments } from './batch-metrics.ts'
import type { Sender } from './sender.ts'
import type { Ticket } from './ticket.ts'

export interface ShardSettings {
  readonly timeout: number
  readonly send_batch_size: number
  readonly send_batch_max_size: number
}

interface ShardParts {
  readonly host: ProcessorHost
  /** What outgoing batches say of their client. */
  readonly client: ClientInfo | undefined
  readonly sender: Sender
  readonly instruments: BatchInstruments
}

interface Entry {
  readonly batch: Batch
  readonly ticket: Ticket | undefined
}

/** Batches cut at this count when every one goes at once but the next component does not take them. */
const blockedItemCount = 8192

/** The items of one combination of metadata, until there are enough of them or their time has passed. */
export class Shard {
  readonly #settings: ShardSettings
  readonly #parts: ShardParts
  readonly #sendsAtOnce: boolean
  #pending: Entry[] = []
  #itemCount = 0
  #timer: Timer | undefined
  #isDue = false

  constructor(settings: ShardSettings, parts: ShardParts) {
    this.#settings = settings
    this.#parts = parts
    this.#sendsAtOnce = settings.timeout === 0 || settings.send_batch_size === 0
    parts.sender.onFree = () => {
      if (this.#isDue) this.#sendAll()
    }
  }

  add(batch: Batch, ticket?: Ticket): void {
    const { sender, host } = this.#parts
    if (sender.isFull) {
      throw new Refusal('unavailable', 'too many batches wait for the next component')
    }
    if (sender.holdsBytes) host.memory.hold(batch.byteLength)
    this.#pending.push({ batch, ticket })
    this.#itemCount += batch.itemCount
    if (this.#sendsAtOnce) this.#isDue = true
    if (this.#isDue && !sender.isBlocked) this.#sendAll()
    else this.#sendFull()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#sendAll()
    await this.#parts.sender.drain(deadline)
  }

  /** Cuts as many batches as there are items for; the time of the rest counts from now. */
  #sendFull(): void {
    const enough = this.#sendsAtOnce ? blockedItemCount : this.#settings.send_batch_size
    let hasSent = false
    while (this.#itemCount >= enough) {
      this.#cut('bySize')
      hasSent = true
    }
    if (hasSent) this.#disarm()
    this.#arm()
  }

  #sendAll(): void {
    this.#disarm()
    while (this.#pending.length > 0) this.#cut(this.#sendsAtOnce ? 'bySize' : 'byTimeout')
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#isDue || this.#pending.length === 0) return
    this.#timer = this.#parts.host.clock.after(this.#settings.timeout, () => {
      this.#timer = undefined
      // Cut only when it can go: meanwhile more items may join.
      if (this.#parts.sender.isBlocked) this.#isDue = true
      else this.#sendAll()
    })
  }

  #disarm(): void {
    this.#isDue = false
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #cut(trigger: 'bySize' | 'byTimeout'): void {
    const { host, client, sender, instruments } = this.#parts
    const entries = this.#take(this.#settings.send_batch_max_size || Infinity)
    const merged = mergeBatches(entries.map((entry) => entry.batch))
    // Items of many clients: only what they have in common is still true.
    const batch = new Batch(host.signal, merged.groups, { unknown: merged.unknown, client })
    instruments[trigger].add(1)
    instruments.itemCount.record(batch.itemCount)
    instruments.byteLength.record(batch.byteLength)
    const tickets = entries.map((entry) => entry.ticket).filter((ticket) => ticket !== undefined)
    const heldBytes = entries.reduce((sum, entry) => sum + entry.batch.byteLength, 0)
    sender.send({ batch, heldBytes, tickets })
  }

  /** Removes entries from the front with exactly `itemCount` items, cutting the last of them in two if need be. */
  #take(itemCount: number): Entry[] {
    if (this.#itemCount <= itemCount) {
      const all = this.#pending
      this.#pending = []
      this.#itemCount = 0
      return all
    }
    const taken: Entry[] = []
    let missing = itemCount
    while (missing > 0) {
      const { batch, ticket } = this.#pending[0]
      if (batch.itemCount <= missing) {
        taken.push(this.#pending.shift()!)
        missing -= batch.itemCount
      } else {
        taken.push({ batch: this.#split(missing), ticket })
        missing = 0
      }
    }
    this.#itemCount -= itemCount
    return taken
  }

  /** Cuts the first `itemCount` items off the first entry. */
  #split(itemCount: number): Batch {
    const { sender, host } = this.#parts
    const { batch, ticket } = this.#pending[0]
    const [head, rest] = takeItems(batch, itemCount)
    if (rest === undefined) throw new RangeError('nothing was left of a batch with more items')
    this.#pending[0] = { batch: rest, ticket }
    ticket?.split()
    if (sender.holdsBytes) {
      // Both halves repeat the headers.
      host.memory.release(batch.byteLength)
      host.memory.hold(head.byteLength + rest.byteLength)
    }
    return head
  }
}
