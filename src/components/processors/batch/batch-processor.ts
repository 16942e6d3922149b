import type { Batch } from '../../../otlp/batch.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Processor } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import { batchInstruments, type BatchInstruments } from './batch-metrics.ts'
import { HoldingSender } from './holding-sender.ts'
import { Shard, type ShardSettings } from './shard.ts'
import { Ticket } from './ticket.ts'
import { TicketSender } from './ticket-sender.ts'

interface BatchSettings extends ShardSettings {
  readonly metadata_keys: readonly string[]
  readonly metadata_cardinality_limit: number
  readonly wait_for_export: boolean
}

/** Gathers items into larger batches, apart for each combination of the metadata it is told to keep. */
export class BatchProcessor implements Processor {
  readonly #settings: BatchSettings
  readonly #host: ProcessorHost
  readonly #instruments: BatchInstruments
  readonly #keys: readonly string[]
  readonly #shards = new Map<string, Shard>()
  #isStopped = false

  constructor(settings: BatchSettings, host: ProcessorHost) {
    this.#settings = settings
    this.#host = host
    this.#keys = settings.metadata_keys.map((key) => key.toLowerCase())
    this.#instruments = batchInstruments(host, () => this.#shards.size)
    if (this.#keys.length === 0) this.#shards.set('', this.#openShard(undefined))
  }

  consume(batch: Batch): void | Promise<void> {
    if (this.#isStopped) throw new Refusal('unavailable', 'the batch processor is stopping')
    const shard = this.#shardFor(batch.client)
    if (batch.itemCount === 0) return
    if (!this.#settings.wait_for_export) return shard.add(batch)
    const ticket = new Ticket()
    shard.add(batch, ticket)
    return ticket.outcome()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopped = true
    await Promise.all(Array.from(this.#shards.values(), (shard) => shard.stop(deadline)))
  }

  #shardFor(client: ClientInfo | undefined): Shard {
    const key = this.#keys.length === 0 ? '' : this.#combination(client)
    const known = this.#shards.get(key)
    if (known !== undefined) return known
    const countMax = this.#settings.metadata_cardinality_limit
    if (countMax > 0 && this.#shards.size >= countMax) {
      // Permanent, as the Collector has it: asking again would find the same combinations in the way.
      throw new Refusal('internal', 'too many batcher metadata-value combinations')
    }
    const shard = this.#openShard(this.#keptClient(client))
    this.#shards.set(key, shard)
    return shard
  }

  #combination(client: ClientInfo | undefined): string {
    return JSON.stringify(this.#keys.map((key) => client?.metadata.get(key) ?? null))
  }

  /** What of the client a batch of many clients can still say: the metadata they have in common. */
  #keptClient(client: ClientInfo | undefined): ClientInfo {
    const metadata = new Map<string, readonly string[]>()
    for (const key of this.#keys) {
      const values = client?.metadata.get(key)
      if (values !== undefined) metadata.set(key, values)
    }
    return { address: '', metadata, auth: new Map() }
  }

  #openShard(client: ClientInfo | undefined): Shard {
    const host = this.#host
    const sender = this.#settings.wait_for_export ? new TicketSender(host) : new HoldingSender(host)
    return new Shard(this.#settings, { host, client, sender, instruments: this.#instruments })
  }
}
