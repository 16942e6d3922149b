/** Bounds of explicit-bounds histograms, shared by all series that have the same. */
import type { FixedList } from './histogram-reader.ts'
import { canonicalText, plainText, shortText } from './number-text.ts'

export class BucketBounds {
  /** The bounds as they came, to know them again by. */
  readonly bytes: Uint8Array
  /** Rising strictly; without +Inf, which every histogram has. */
  readonly values: Float64Array
  #shortLabels: readonly string[] | undefined
  #canonicalLabels: readonly string[] | undefined
  #plainTexts: readonly string[] | undefined

  constructor(bytes: Uint8Array, values: Float64Array) {
    this.bytes = bytes
    this.values = values
  }

  /** `le="0.005"` of every bound, as text 0.0.4 writes it. */
  get shortLabels(): readonly string[] {
    this.#shortLabels ??= leLabels(this.values, shortText)
    return this.#shortLabels
  }

  /** The same for OpenMetrics. */
  get canonicalLabels(): readonly string[] {
    this.#canonicalLabels ??= leLabels(this.values, canonicalText)
    return this.#canonicalLabels
  }

  /** What `le` is in remote write. */
  get plainTexts(): readonly string[] {
    this.#plainTexts ??= Array.from(this.values, plainText)
    return this.#plainTexts
  }
}

/**
 * Bounds by their bytes. Limited: what is evicted is only made again. `bytesMax` is for these bytes; with its texts a
 * bound may take twenty times its eight.
 */
export class BucketBoundsCache {
  readonly #known = new Map<string, BucketBounds>()
  readonly #countMax: number
  readonly #bytesMax: number
  #byteLength = 0

  constructor({ countMax = 1000, bytesMax = 1024 * 1024 } = {}) {
    this.#countMax = countMax
    this.#bytesMax = bytesMax
  }

  /** Undefined when the bounds do not rise strictly: such a point is no histogram. */
  get(list: FixedList): BucketBounds | undefined {
    const bytes = list.copy()
    const key = Buffer.from(bytes).toString('latin1')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const bounds = readBounds(bytes)
    if (bounds === undefined) return undefined
    if (bytes.length <= this.#bytesMax) this.#keep(key, bounds)
    return bounds
  }

  #keep(key: string, bounds: BucketBounds): void {
    const { length } = bounds.bytes
    for (const [oldest, { bytes }] of this.#known) {
      const hasRoom = this.#byteLength + length <= this.#bytesMax
      if (hasRoom && this.#known.size < this.#countMax) break
      this.#known.delete(oldest)
      this.#byteLength -= bytes.length
    }
    this.#known.set(key, bounds)
    this.#byteLength += length
  }
}

export const noBounds = new BucketBounds(new Uint8Array(0), new Float64Array(0))

function readBounds(bytes: Uint8Array<ArrayBuffer>): BucketBounds | undefined {
  const view = new DataView(bytes.buffer)
  let values = new Float64Array(bytes.length / 8)
  for (let index = 0; index < values.length; index++) {
    values[index] = view.getFloat64(index * 8, true)
    const isRising = index === 0 || values[index] > values[index - 1]
    if (Number.isNaN(values[index]) || !isRising) return undefined
  }
  if (values.at(-1) === Infinity) values = values.subarray(0, -1)
  return new BucketBounds(bytes, values)
}

function leLabels(values: Float64Array, text: (value: number) => string): string[] {
  return Array.from(values, (bound) => `le="${text(bound)}"`)
}
