/** What the page shows: families of series, each with its last value. */
import type { BucketBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import type { DeltaOwner, DeltaStream } from '../../../kit/prometheus/delta-streams.ts'
import type { Exponential } from '../../../kit/prometheus/exponential-reader.ts'
import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import type { MetricSource } from '../../../kit/prometheus/metric-source.ts'

export interface Family {
  /** As stored: the strategy's name, with `_total` for counters that have it. */
  readonly name: string
  readonly type: PrometheusType
  readonly help: string
  /** Unit in Prometheus' words; empty when there is none. */
  readonly unit: string
  /** By label text. */
  readonly series: Map<string, Series>
  /** Set once it was forgotten, so that its names are free again. */
  isGone: boolean
  /** Of conflicts on its names, the first is logged. */
  hasLoggedConflict: boolean
  hasLoggedHelp: boolean
}

/** Whether points of a metric are wanted: the family they belong to, or why not. */
export interface Verdict {
  readonly family: Family | undefined
  /** The cause in the drop ledger; empty with a family. */
  readonly cause: string
  /** The family in the way: once it is gone the verdict no longer holds. */
  readonly blocker?: Family
}

export type Metric = MetricSource<Verdict>

export interface Exemplar {
  /** Without braces. */
  readonly labels: string
  readonly value: number
  readonly timeLow: number
  readonly timeHigh: number
}

/** Fields are set for every type at once, so that all series have one shape and stay cheap to read. */
export class Series implements DeltaOwner {
  readonly family: Family
  readonly metric: Metric
  /** Text of the labels without braces, as the text formats write it in UTF-8. */
  readonly labels: string
  /** Tells attribute sets apart that became the same labels. */
  readonly attributesHash: number
  /** Whether a label name needs quotes. */
  readonly hasQuotedLabels: boolean
  isGone = false
  hasLoggedCollision = false
  /** Monotonic time of receipt. */
  receivedMs = 0
  timeLow = 0
  timeHigh = 0
  startLow = 0
  startHigh = 0
  // Not 0: a first value without a fraction would have the field change its representation later.
  value = NaN
  /** Digits of an integer that a double cannot hold. */
  digits: string | undefined = undefined
  exemplar: Exemplar | undefined = undefined
  detail: HistogramValue | SummaryValue | Exponential | undefined = undefined
  delta: DeltaStream | undefined = undefined

  constructor(
    family: Family,
    metric: Metric,
    labels: { text: string; hasQuoted: boolean; attributesHash: number },
  ) {
    this.family = family
    this.metric = metric
    this.labels = labels.text
    this.attributesHash = labels.attributesHash
    this.hasQuotedLabels = labels.hasQuoted
  }
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

export class SummaryValue {
  countLow = 0
  countHigh = 0
  sum = NaN
  /** Quantile, value, quantile, value ... */
  quantiles: readonly number[] = []
}
