import type { FixedList } from '../../../kit/prometheus/histogram-reader.ts'
import { plainText } from '../../../kit/prometheus/number-text.ts'
import type { Row } from './row.ts'

/** The rows of a classic histogram, for the bounds it has. */
export class HistogramRows {
  readonly sum: Row
  readonly count: Row
  /** The same as `count` where there are no buckets, as in summaries. */
  readonly infinity: Row
  /** By bound, ascending, without +Inf. */
  readonly buckets: readonly Row[]
  readonly bounds: Float64Array
  /** The bounds as they came, to know them again by. */
  readonly boundBytes: Uint8Array

  constructor(rows: {
    sum: Row
    count: Row
    infinity: Row
    buckets: readonly Row[]
    bounds: Bounds
  }) {
    this.sum = rows.sum
    this.count = rows.count
    this.infinity = rows.infinity
    this.buckets = rows.buckets
    this.bounds = rows.bounds.values
    this.boundBytes = rows.bounds.bytes
  }

  *all(): Iterable<Row> {
    yield this.sum
    yield this.count
    yield* this.buckets
    if (this.infinity !== this.count) yield this.infinity
  }
}

export interface Bounds {
  readonly bytes: Uint8Array
  /** Without +Inf, which every histogram has. */
  readonly values: Float64Array
  /** As `le` has them. */
  readonly texts: readonly string[]
}

/** Bounds by their bytes, shared by all histograms that have the same. Bounded: what is evicted is only made again. */
export class BoundsCache {
  readonly #known = new Map<string, Bounds>()
  readonly #countMax: number

  constructor(countMax = 1000) {
    this.#countMax = countMax
  }

  /** Undefined when the bounds do not rise strictly: such a point is no histogram. */
  get(list: FixedList): Bounds | undefined {
    const bytes = list.copy()
    const key = Buffer.from(bytes).toString('latin1')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const bounds = readBounds(bytes)
    if (bounds === undefined) return undefined
    if (this.#known.size >= this.#countMax) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(key, bounds)
    return bounds
  }
}

function readBounds(bytes: Uint8Array<ArrayBuffer>): Bounds | undefined {
  const view = new DataView(bytes.buffer)
  let values = new Float64Array(bytes.length / 8)
  for (let index = 0; index < values.length; index++) {
    values[index] = view.getFloat64(index * 8, true)
    const isRising = index === 0 || values[index] > values[index - 1]
    if (Number.isNaN(values[index]) || !isRising) return undefined
  }
  if (values.at(-1) === Infinity) values = values.subarray(0, -1)
  return { bytes, values, texts: Array.from(values, plainText) }
}
