import type { Host } from '../../pipeline/host.ts'
import type { ByteIndex } from './byte-index.ts'

/** Of a series beside its key and its labels: values, columns, what leads to it. */
const seriesBytes = 256
/** Of a resource, a scope or a metric beside its key and what is made of that: objects, tables of what is below it. */
const sourceBytes = 384

type Index = Pick<ByteIndex<unknown>, 'keptBytes' | 'count'>

/**
 * What is remembered of series, on the process's account: it stays when the batches it came with are long gone. Where
 * there is no more room, known series go on as large as they are and new ones are left out until others have expired.
 */
export class KeptMemory {
  readonly #host: Pick<Host, 'memory' | 'log'>
  #byteLength = 0
  #partBytes = 0
  #isFull = false
  #hasLoggedGrowth = false

  constructor(host: Pick<Host, 'memory' | 'log'>) {
    this.#host = host
  }

  hasRoom(): boolean {
    const { keptBytes, keptBytesMax } = this.#host.memory
    const isFull = keptBytes >= keptBytesMax
    if (isFull && !this.#isFull) {
      this.#host.log.warn(
        { kept_bytes: keptBytes, limit_bytes: keptBytesMax },
        'Memory for known series is used up. Points of new series are dropped until others expire.',
      )
    }
    this.#isFull = isFull
    return !isFull
  }

  /** Whether what series take beyond one number each may grow to `partBytes`, also within a batch. */
  hasRoomFor(partBytes: number): boolean {
    const { keptBytes, keptBytesMax } = this.#host.memory
    if (keptBytes + partBytes - this.#partBytes <= keptBytesMax) return true
    if (!this.#hasLoggedGrowth) {
      this.#hasLoggedGrowth = true
      this.#host.log.warn(
        { kept_bytes: keptBytes, limit_bytes: keptBytesMax },
        'Memory for known series is used up. Points with more buckets or quantiles than their series had are dropped.',
      )
    }
    return false
  }

  /**
   * What these indexes lead to now, with what is said to come on top of it. Labels and sources made of keys take about
   * as much as those.
   */
  set(series: Index, sources: readonly Index[], partBytes: number): void {
    let indexBytes = series.keptBytes
    let objectBytes = series.count * seriesBytes
    for (const { keptBytes, count } of sources) {
      indexBytes += keptBytes
      objectBytes += count * sourceBytes
    }
    this.#partBytes = partBytes
    this.#set(indexBytes * 2 + objectBytes + partBytes)
    const { keptBytes, keptBytesMax } = this.#host.memory
    this.#hasLoggedGrowth &&= keptBytes >= keptBytesMax / 2
  }

  release(): void {
    this.#set(0)
  }

  #set(byteLength: number): void {
    this.#host.memory.keep(byteLength - this.#byteLength)
    this.#byteLength = byteLength
  }
}
