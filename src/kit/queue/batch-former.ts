import { Batch } from '../../otlp/batch.ts'
import { mergeBatches } from '../../otlp/merge.ts'
import { splitByBytes, splitByItems } from '../../otlp/split.ts'
import type { Clock, Timer } from '../../platform/platform.ts'
import { batchSize } from './batch-size.ts'
import { type Parcel, type Share, type Shipment, shipPieces } from './parcel.ts'
import type { QueueBatchSettings } from './queue-settings.ts'

/** What has come together for one request so far. */
interface Forming {
  batches: Batch[]
  shares: Share[]
  /** In the unit of the batch's sizer. */
  size: number
  timer: Timer | undefined
}

/** Brings queued batches together into requests of the wanted size, apart by client metadata where told to. */
export class BatchFormer {
  readonly #settings: QueueBatchSettings
  readonly #keys: readonly string[]
  readonly #clock: Clock
  readonly #emit: (shipment: Shipment) => void
  // Holds only what is forming now: as many entries as there are queued batches at most.
  readonly #forming = new Map<string, Forming>()

  constructor(settings: QueueBatchSettings, clock: Clock, emit: (shipment: Shipment) => void) {
    this.#settings = settings
    this.#keys = settings.partition.metadata_keys.map((key) => key.toLowerCase())
    this.#clock = clock
    this.#emit = emit
  }

  add(parcel: Parcel): void {
    const { batch } = parcel
    const key = this.#partition(batch)
    const forming = this.#forming.get(key) ?? this.#begin(key)
    forming.batches.push(batch)
    forming.shares.push({ parcel, itemCount: batch.itemCount })
    forming.size += batchSize(batch, this.#settings.sizer)
    if (forming.size >= this.#settings.min_size) this.#cut(key, forming, { isFlush: false })
  }

  /** Emits all there is. */
  flush(): void {
    for (const [key, forming] of this.#forming) this.#cut(key, forming, { isFlush: true })
  }

  #begin(key: string): Forming {
    const forming: Forming = { batches: [], shares: [], size: 0, timer: undefined }
    this.#forming.set(key, forming)
    this.#startTimer(key, forming)
    return forming
  }

  #startTimer(key: string, forming: Forming): void {
    forming.timer = this.#clock.after(this.#settings.flush_timeout, () =>
      this.#cut(key, forming, { isFlush: true }),
    )
  }

  #cut(key: string, forming: Forming, { isFlush }: { isFlush: boolean }): void {
    forming.timer?.cancel()
    const shipments = shipPieces(this.#pieces(forming), forming.shares)
    const last = shipments.at(-1)
    const isShort =
      last !== undefined && batchSize(last.batch, this.#settings.sizer) < this.#settings.min_size
    if (isShort && !isFlush && shipments.length > 1) {
      shipments.pop()
      forming.batches = [last.batch]
      forming.shares = [...last.shares]
      forming.size = batchSize(last.batch, this.#settings.sizer)
      this.#startTimer(key, forming)
    } else {
      this.#forming.delete(key)
    }
    for (const shipment of shipments) this.#emit(shipment)
  }

  #pieces(forming: Forming): Batch[] {
    const { max_size, sizer } = this.#settings
    const merged = this.#merge(forming.batches)
    if (max_size === 0 || forming.size <= max_size) return [merged]
    return sizer === 'items' ? splitByItems(merged, max_size) : splitByBytes(merged, max_size)
  }

  #merge(batches: readonly Batch[]): Batch {
    if (batches.length === 1) return batches[0]
    const { signal, groups, unknown, client } = mergeBatches(batches)
    if (client === undefined) return new Batch(signal, groups, { unknown })
    // Of several clients only what they agree on: the address or token of one must not stand for the others.
    const metadata = new Map(
      this.#keys.flatMap((key) => {
        const values = client.metadata.get(key)
        return values === undefined ? [] : [[key, values] as const]
      }),
    )
    const shared = metadata.size === 0 ? undefined : { address: '', metadata, auth: noAuth }
    return new Batch(signal, groups, { unknown, ...(shared && { client: shared }) })
  }

  #partition(batch: Batch): string {
    if (this.#keys.length === 0) return ''
    return JSON.stringify(this.#keys.map((key) => batch.client?.metadata.get(key) ?? []))
  }
}

const noAuth: ReadonlyMap<string, string> = new Map()
