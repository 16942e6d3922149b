/** Values that are more than a number. */
import type { BucketBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import { type Exponential, exponentialBytes } from '../../../kit/prometheus/exponential-reader.ts'

export type SeriesDetail = HistogramValue | SummaryValue | ExponentialValue

export interface Exemplar {
  /** Without braces. */
  readonly labels: string
  readonly value: number
  readonly timeLow: number
  readonly timeHigh: number
}

export class HistogramValue {
  layout: BucketBounds
  /** Bucket counts, each two 32-bit halves, low first. */
  counts: Uint32Array
  countLow = 0
  countHigh = 0
  sum = NaN
  hasSum = false
  /** Newest by bucket. */
  exemplars: (Exemplar | undefined)[] | undefined = undefined

  constructor(layout: BucketBounds, counts: Uint32Array) {
    this.layout = layout
    this.counts = counts
  }
}

export class ExponentialValue {
  readonly histogram: Exponential
  /** Oldest first. */
  readonly exemplars: readonly Exemplar[]

  constructor(histogram: Exponential, exemplars: readonly Exemplar[]) {
    this.histogram = histogram
    this.exemplars = exemplars
  }
}

export class SummaryValue {
  countLow = 0
  countHigh = 0
  sum = NaN
  /** Quantile, value, quantile, value ... */
  quantiles: readonly number[] = []
}

/** How many Prometheus series they are. Exponential buckets are within one, and so is a plain number. */
export function seriesCountOf(detail: SeriesDetail | undefined): number {
  if (detail instanceof HistogramValue) return histogramSeriesCount(detail.layout)
  return detail instanceof SummaryValue ? summarySeriesCount(detail.quantiles) : 1
}

/** What its buckets or quantiles take in memory, roughly. */
export function partBytes(detail: SeriesDetail | undefined): number {
  if (detail === undefined) return 0
  if (detail instanceof ExponentialValue) return exponentialBytes(detail.histogram)
  return detail instanceof SummaryValue ? quantileBytes(detail.quantiles) : detail.counts.byteLength
}

/** Of pairs of quantile and value. */
export function quantileBytes(quantiles: readonly number[]): number {
  return quantiles.length * 12
}

/** What it takes in memory, roughly. */
export function detailBytes(detail: SeriesDetail | undefined): number {
  if (detail === undefined) return 0
  if (detail instanceof ExponentialValue) {
    return partBytes(detail) + detail.exemplars.length * exemplarBytes
  }
  if (detail instanceof SummaryValue) return objectBytes + partBytes(detail)
  // Buckets that had an exemplar once mostly have one.
  return objectBytes + partBytes(detail) + (detail.exemplars?.length ?? 0) * exemplarBytes
}

const objectBytes = 300
const exemplarBytes = 250

/** With sum, count and the bucket of all. */
export function histogramSeriesCount({ values }: BucketBounds): number {
  return values.length + 3
}

/** Of pairs of quantile and value; with sum and count. */
export function summarySeriesCount(quantiles: readonly number[]): number {
  return quantiles.length / 2 + 2
}
