import { metricDataFields } from '../../otlp/fields.ts'
import { type BucketBounds, BucketBoundsCache, noBounds } from './bucket-bounds.ts'
import {
  type Exponential,
  isPlausible,
  nativeScaleMin,
  readExponential,
} from './exponential-reader.ts'
import { HistogramReader, SummaryReader } from './histogram-reader.ts'
import type { PointReader } from './point-reader.ts'

/** Reads what a point says by its type, and whether Prometheus can hold it. The next point overwrites all of it. */
export class PointValue {
  readonly histogram = new HistogramReader()
  readonly summary = new SummaryReader()
  /** Of the histogram. */
  bounds: BucketBounds = noBounds
  exponential: Exponential | undefined
  readonly #cache = new BucketBoundsCache()

  /**
   * Numbers lie in the point already. Undefined, or the cause for which the point has to be dropped. `known` are bounds
   * that the histogram probably has, those of its series: they are compared where others are looked up.
   */
  read(point: PointReader, dataField: number, known?: BucketBounds): string | undefined {
    const { bytes, start, end } = point
    switch (dataField) {
      case metricDataFields.gauge:
      case metricDataFields.sum:
        return point.hasValue ? undefined : 'no_value'
      case metricDataFields.histogram:
        this.histogram.read(bytes, start, end)
        if (!this.histogram.hasPlausibleCounts) return 'invalid_histogram'
        return this.#findBounds(known) ? undefined : 'invalid_histogram'
      case metricDataFields.exponentialHistogram:
        this.exponential = readExponential(bytes, start, end)
        if (!isPlausible(this.exponential)) return 'invalid_histogram'
        return this.exponential.scale < nativeScaleMin ? 'scale' : undefined
      default:
        this.summary.read(bytes, start, end)
        return undefined
    }
  }

  #findBounds(known: BucketBounds | undefined): boolean {
    const list = this.histogram.bounds
    const bounds = known !== undefined && list.equals(known.bytes) ? known : this.#cache.get(list)
    if (bounds === undefined) return false
    this.bounds = bounds
    return true
  }
}
