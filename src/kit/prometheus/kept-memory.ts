import type { Host } from '../../pipeline/host.ts'
import type { ByteIndex } from './byte-index.ts'

/** Of a series beside its key and its labels: values, columns, what leads to it. */
const seriesBytes = 256
/** Of a resource, a scope or a metric beside its key and what is made of that: objects, tables of what is below it. */
const sourceBytes = 384

type Index = Pick<ByteIndex<unknown>, 'keptBytes' | 'count'>

/**
 * What is remembered of series, on the process's account: it stays when the batches it came with are long gone. Where
 * there is no more room, known series go on and new ones are left out until others have expired.
 */
export class KeptMemory {
  readonly #host: Pick<Host, 'memory' | 'log'>
  #byteLength = 0
  #isFull = false

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

  /**
   * What these indexes lead to now, with what is said to come on top of it. Labels and sources made of keys take about
   * as much as those.
   */
  set(series: Index, sources: readonly Index[], moreBytes: number): void {
    let indexBytes = series.keptBytes
    let objectBytes = series.count * seriesBytes
    for (const { keptBytes, count } of sources) {
      indexBytes += keptBytes
      objectBytes += count * sourceBytes
    }
    this.#set(indexBytes * 2 + objectBytes + moreBytes)
  }

  release(): void {
    this.#set(0)
  }

  #set(byteLength: number): void {
    this.#host.memory.keep(byteLength - this.#byteLength)
    this.#byteLength = byteLength
  }
}
