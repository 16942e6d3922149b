import { canonicalText, shortText } from '../../../kit/prometheus/number-text.ts'
import type { FixedList } from '../../../kit/prometheus/histogram-reader.ts'

/** Bounds of a classic histogram, shared by all series that have the same. */
export interface BucketLayout {
  /** The bounds as they came, to know them again by. */
  readonly bytes: Uint8Array
  /** Without +Inf, which every histogram has. */
  readonly bounds: Float64Array
  /** `le="0.005"` of every bound in text 0.0.4, and in OpenMetrics. */
  readonly shortTexts: readonly string[]
  readonly canonicalTexts: readonly string[]
}

/** Layouts by their bytes. Bounded: what is evicted is only made again. */
export class BucketLayouts {
  readonly #layouts = new Map<string, BucketLayout>()
  readonly #countMax: number

  constructor(countMax = 1000) {
    this.#countMax = countMax
  }

  /** Undefined when the bounds do not rise strictly: such a point is no histogram. */
  get(list: FixedList): BucketLayout | undefined {
    const bytes = list.copy()
    const key = Buffer.from(bytes).toString('latin1')
    const known = this.#layouts.get(key)
    if (known !== undefined) return known
    const layout = makeLayout(bytes)
    if (layout === undefined) return undefined
    if (this.#layouts.size >= this.#countMax) {
      this.#layouts.delete(this.#layouts.keys().next().value!)
    }
    this.#layouts.set(key, layout)
    return layout
  }
}

function makeLayout(bytes: Uint8Array<ArrayBuffer>): BucketLayout | undefined {
  const view = new DataView(bytes.buffer)
  let bounds = new Float64Array(bytes.length / 8)
  for (let index = 0; index < bounds.length; index++) {
    bounds[index] = view.getFloat64(index * 8, true)
    const isRising = index === 0 || bounds[index] > bounds[index - 1]
    if (Number.isNaN(bounds[index]) || !isRising) return undefined
  }
  if (bounds.at(-1) === Infinity) bounds = bounds.subarray(0, -1)
  const texts = (text: (value: number) => string) =>
    Array.from(bounds, (bound) => `le="${text(bound)}"`)
  return {
    bytes,
    bounds,
    shortTexts: texts(shortText),
    canonicalTexts: texts(canonicalText),
  }
}
