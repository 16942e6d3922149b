/** What is sent: rows are Prometheus series, each with its labels encoded once; sources are OTLP series that feed them. */
import type { DeltaOwner, DeltaStream } from '../../../kit/prometheus/delta-streams.ts'
import type { metricTypes, PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import type { MetricSource } from '../../../kit/prometheus/metric-source.ts'
import type { SeriesOwner } from '../../../kit/prometheus/series-ownership.ts'
import type { HistogramRows } from './histogram-rows.ts'

/** A number of remote write's MetricType. */
export type MetricType = (typeof metricTypes)[PrometheusType]

const noBytes = new Uint8Array(0)

/** What metadata says of all series of one name. */
export class Family {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  /** In Prometheus' words. */
  readonly unit: string
  /** When a metric of it last came, on the monotonic clock. */
  usedMs = 0
  /** When its metadata was last delivered in 1.0, on the monotonic clock; -Infinity before the first time. */
  metadataMs = -Infinity
  /** The 2.0 request that it was part of last, and its metadata field in there. */
  requestSerial = 0
  metadata: Uint8Array = noBytes

  constructor(named: Pick<Family, 'name' | 'type' | 'help' | 'unit'>) {
    this.name = named.name
    this.type = named.type
    this.help = named.help
    this.unit = named.unit
  }
}

/** What rows belong together: they go through one shard, in order. */
export interface RowOwner {
  readonly shard: number
  /** Set once it is forgotten. */
  isGone: boolean
  hasLoggedRejection: boolean
  /** Time of the newest sample, and that as it was before the batch under way. -1 before the first. */
  newestMs: number
  committedMs: number
}

/** Whether points of a metric are wanted: the family they belong to, or the cause in the drop ledger. */
export interface Verdict {
  readonly family: Family | undefined
  readonly cause: string
}

export type Metric = MetricSource<Verdict>

/** One Prometheus series. */
export class Row {
  readonly owner: RowOwner
  readonly family: Family
  /** Its labels: a set of the pool. */
  readonly labels: number

  constructor(owner: RowOwner, family: Family, labels: number) {
    this.owner = owner
    this.family = family
    this.labels = labels
  }
}

/** One OTLP series: the rows it feeds and how far it is. */
export class Source implements RowOwner, DeltaOwner, SeriesOwner {
  readonly family: Family
  readonly metric: Metric
  /** Tells attribute sets apart that became the same labels. */
  readonly attributesHash: number
  /** All of its samples go through this one, in order. */
  readonly shard: number
  isGone = false
  hasLoggedCollision = false
  hasLoggedRejection = false
  /** Monotonic time of receipt; -1 before the first point that was taken. */
  receivedMs = -1
  newestMs = -1
  committedMs = -1
  /** The batch that committedMs is from before of. */
  batchSerial = 0
  /** Time of the newest point, in full. */
  timeLow = 0
  timeHigh = 0
  number: Row | undefined = undefined
  histogram: HistogramRows | undefined = undefined
  /** Rows of a summary's quantiles by their text. */
  quantiles: Map<string, Row> | undefined = undefined
  delta: DeltaStream | undefined = undefined

  constructor(metric: Metric, attributesHash: number, shard: number) {
    this.family = metric.family!.family!
    this.metric = metric
    this.attributesHash = attributesHash
    this.shard = shard
  }

  markCollided(): void {
    this.hasLoggedCollision = true
  }

  /** Every row that it feeds now. */
  *rows(): Iterable<Row> {
    if (this.number !== undefined) yield this.number
    if (this.histogram !== undefined) yield* this.histogram.all()
    if (this.quantiles !== undefined) yield* this.quantiles.values()
  }
}
