/** What a 1.0 request is written with: as it is, or compressed while it is written. */
import type { LabelPool } from './label-pool.ts'
import { RequestBuffer, sampleLength } from './request-buffer.ts'
import type { SampleList } from './sample-list.ts'

export interface SeriesWriter {
  /** Whether finish() gives a snappy block. */
  readonly isCompressed: boolean
  begin(): void
  /** Tag and length of a TimeSeries, and its labels; `restLength` bytes of other fields follow by the next two. */
  openSeries(set: number, restLength: number): void
  sample(list: SampleList, index: number): void
  /** Whole fields. */
  bytes(encoded: Uint8Array): void
  /** Holds until the next begin(). */
  finish(): Uint8Array
}

/** Tag and length of a sample that is this long, and the sample. */
export const sampleHeaderBytes = 2

export class PlainWriter implements SeriesWriter {
  readonly isCompressed = false
  readonly #pool: LabelPool
  readonly #buffer = new RequestBuffer()

  constructor(pool: LabelPool) {
    this.#pool = pool
  }

  begin(): void {
    this.#buffer.clear()
  }

  openSeries(set: number, restLength: number): void {
    this.#buffer.header(0x0a, this.#pool.encodedLength(set) + restLength)
    const { labels } = this.#pool
    const { sets } = this.#pool
    const ids = sets.keyMemory(set)
    const first = sets.keyStart(set)
    for (let at = first; at < first + sets.keyLength(set); at += 4) {
      const id = ids.getInt32(at, true)
      const start = labels.keyStart(id)
      const bytes = new Uint8Array(labels.keyMemory(id).buffer)
      this.#buffer.copy(bytes, start, start + labels.keyLength(id))
    }
  }

  sample(list: SampleList, index: number): void {
    this.#buffer.header(0x12, sampleLength(list.timesMs[index], 0))
    this.#buffer.sample(list, index, 0)
  }

  bytes(encoded: Uint8Array): void {
    this.#buffer.copy(encoded, 0, encoded.length)
  }

  finish(): Uint8Array {
    return this.#buffer.bytes
  }
}
