import type { Batch } from '../../otlp/batch.ts'

// What is older than this many bytes counts for less and less.
const memoryBytes = 64 * 1024 * 1024

/**
 * How many items a request has that was refused unread, going by those that were read: the counters that alerts watch
 * must move when all refusing is done at the door.
 */
export class ItemEstimate {
  #itemCount = 0
  #byteLength = 0

  learn(batch: Batch): void {
    this.#itemCount += batch.itemCount
    this.#byteLength += batch.byteLength
    if (this.#byteLength > memoryBytes) {
      this.#itemCount /= 2
      this.#byteLength /= 2
    }
  }

  /** At least 1, which is also the answer before anything was read. */
  of(byteLength: number): number {
    if (this.#byteLength === 0) return 1
    return Math.max(1, Math.round((byteLength * this.#itemCount) / this.#byteLength))
  }
}
