/** What is sent: rows are Prometheus series, each with its labels encoded once; sources are OTLP series that feed them. */
import type { DeltaOwner, DeltaStream } from '../../../kit/prometheus/delta-streams.ts'
import type { metricTypes, PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import type { MetricSource } from '../../../kit/prometheus/metric-source.ts'
import type { SeriesOwner } from '../../../kit/prometheus/series-ownership.ts'
import type { HistogramRows } from './histogram-rows.ts'
import {
  attributesHashAt,
  batchAt,
  committedAt,
  leftState,
  newestAt,
  receivedAt,
  shardAt,
  slotLength,
  type StateSlots,
  timeHighAt,
  timeLowAt,
} from './state-slots.ts'

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
export interface Row {
  readonly owner: RowOwner
  readonly family: Family
  /** Its labels: a set of the pool. */
  readonly labels: number
}

export interface SourceIdentity {
  readonly attributesHash: number
  readonly shard: number
}

/** In place of labels. */
export const noLabels = -1
const [goneFlag, collisionFlag, rejectionFlag] = [1, 2, 4]

/**
 * One OTLP series: the rows it feeds and how far it is. Of a number it is the row itself, and what changes with every
 * point lies in a slot of flat memory: there may be a million of these, and the collector visits each object.
 */
export class Source implements RowOwner, DeltaOwner, SeriesOwner, Row {
  readonly metric: Metric
  #state: Float64Array
  #at: number
  #flags = 0
  /** Of the series of its own name; noLabels where it has none. */
  labels = noLabels
  histogram: HistogramRows | undefined = undefined
  /** Rows of a summary's quantiles by their text. */
  quantiles: ReadonlyMap<string, Row> | undefined = undefined
  delta: DeltaStream | undefined = undefined

  constructor(metric: Metric, identity: SourceIdentity, slots: StateSlots) {
    this.metric = metric
    const { state, at } = slots.take()
    this.#state = state
    this.#at = at
    state.fill(0, at, at + slotLength)
    state[at + attributesHashAt] = identity.attributesHash
    state[at + shardAt] = identity.shard
    this.receivedMs = this.newestMs = this.committedMs = -1
  }

  /** To be called once, when it is gone: samples of it may still be on their way. */
  leaveSlot(slots: StateSlots): void {
    slots.give({ state: this.#state, at: this.#at })
    this.#state = leftState
    this.#at = 0
  }

  markCollided(): void {
    this.hasLoggedCollision = true
  }

  get owner(): this {
    return this
  }

  get family(): Family {
    return this.metric.family!.family!
  }

  /** The series of its own name, if it has one. */
  get number(): Row | undefined {
    return this.labels === noLabels ? undefined : this
  }

  /** Every row that it feeds now. */
  *rows(): Iterable<Row> {
    if (this.number !== undefined) yield this.number
    if (this.histogram !== undefined) yield* this.histogram.all()
    if (this.quantiles !== undefined) yield* this.quantiles.values()
  }

  /** How many these are. */
  get rowCount(): number {
    const { histogram, quantiles } = this
    const own = this.labels === noLabels ? 0 : 1
    return own + (histogram?.rowCount ?? 0) + (quantiles?.size ?? 0)
  }

  /** Tells attribute sets apart that became the same labels. */
  get attributesHash(): number {
    return this.#state[this.#at + attributesHashAt]
  }

  /** All of its samples go through this one, in order. */
  get shard(): number {
    return this.#state[this.#at + shardAt]
  }

  /** Monotonic time of receipt; -1 before the first point that was taken. */
  get receivedMs(): number {
    return this.#state[this.#at + receivedAt]
  }

  set receivedMs(value: number) {
    this.#state[this.#at + receivedAt] = value
  }

  get newestMs(): number {
    return this.#state[this.#at + newestAt]
  }

  set newestMs(value: number) {
    this.#state[this.#at + newestAt] = value
  }

  get committedMs(): number {
    return this.#state[this.#at + committedAt]
  }

  set committedMs(value: number) {
    this.#state[this.#at + committedAt] = value
  }

  /** The batch that committedMs is from before of. */
  get batchSerial(): number {
    return this.#state[this.#at + batchAt]
  }

  set batchSerial(value: number) {
    this.#state[this.#at + batchAt] = value
  }

  /** Time of the newest point, in full. */
  get timeLow(): number {
    return this.#state[this.#at + timeLowAt]
  }

  set timeLow(value: number) {
    this.#state[this.#at + timeLowAt] = value
  }

  get timeHigh(): number {
    return this.#state[this.#at + timeHighAt]
  }

  set timeHigh(value: number) {
    this.#state[this.#at + timeHighAt] = value
  }

  get isGone(): boolean {
    return (this.#flags & goneFlag) !== 0
  }

  set isGone(value: boolean) {
    this.#flags = value ? this.#flags | goneFlag : this.#flags & ~goneFlag
  }

  get hasLoggedCollision(): boolean {
    return (this.#flags & collisionFlag) !== 0
  }

  set hasLoggedCollision(value: boolean) {
    this.#flags = value ? this.#flags | collisionFlag : this.#flags & ~collisionFlag
  }

  get hasLoggedRejection(): boolean {
    return (this.#flags & rejectionFlag) !== 0
  }

  set hasLoggedRejection(value: boolean) {
    this.#flags = value ? this.#flags | rejectionFlag : this.#flags & ~rejectionFlag
  }
}
