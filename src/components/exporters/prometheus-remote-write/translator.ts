/** From batches to samples of Prometheus series: which series a point belongs to, who owns it, and when it is over. */
import { attributesHash, type TextAttribute } from '../../../kit/prometheus/attribute-text.ts'
import { type DeltaLimits, DeltaStreams } from '../../../kit/prometheus/delta-streams.ts'
import { DropTally } from '../../../kit/prometheus/drop-tally.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import { familyIdentity, metricTypes } from '../../../kit/prometheus/family-identity.ts'
import type { MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { SeriesBudget } from '../../../kit/prometheus/series-budget.ts'
import { SeriesIndex } from '../../../kit/prometheus/series-index.ts'
import { SeriesLabels } from '../../../kit/prometheus/series-labels.ts'
import { SeriesOwnership } from '../../../kit/prometheus/series-ownership.ts'
import { sweepEntryCount } from '../../../kit/prometheus/sweep-pace.ts'
import { randomKey } from '../../../kit/prometheus/byte-hash.ts'
import type { Batch } from '../../../otlp/batch.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { LabelPool } from './label-pool.ts'
import { type Newcomer, PointTaker } from './point-taker.ts'
import { Family, type Metric, Source, type Verdict } from './row.ts'
import type { Repeats } from './repeats.ts'
import type { RetiredLabels } from './retired-labels.ts'
import { RowMaker } from './row-maker.ts'
import { RowOwners } from './row-owners.ts'
import { SampleList } from './sample-list.ts'
import { sortSamples } from './sort-samples.ts'
import { Takeovers } from './takeovers.ts'
import { TargetInfoRows } from './target-info-rows.ts'
import { StateSlots } from './state-slots.ts'
import type { WriteMetrics } from './write-metrics.ts'

export interface TranslatorOptions {
  readonly naming: MetricNaming
  readonly rules: LabelRules
  readonly expirationMs: number
  readonly seriesMax: number
  readonly deltas: DeltaLimits
  readonly hasTargetInfo: boolean
  readonly shardCount: number
  readonly pool: LabelPool
  /** Whether histograms may be sent with custom buckets, and whether the server takes them now. */
  readonly convertsHistograms: boolean
  readonly takesCustomBuckets: () => boolean
  readonly retired: RetiredLabels
  readonly repeats: Repeats
}

export class Translator {
  readonly #options: TranslatorOptions
  readonly #host: ExporterHost
  readonly #metrics: WriteMetrics
  readonly #index: SeriesIndex<Verdict, Source>
  readonly #labels: SeriesLabels
  readonly rows: RowMaker
  readonly #taker: PointTaker
  readonly #deltas: DeltaStreams
  readonly #targets: TargetInfoRows
  readonly #families = new Map<string, Family>()
  readonly #owners: RowOwners
  readonly #drops: DropTally
  readonly #ownership: SeriesOwnership
  readonly #takeovers: Takeovers
  readonly #budget: SeriesBudget
  #stage = new SampleList()
  #spare = new SampleList()
  readonly #slots = new StateSlots()
  #takenCount = 0
  #nowMs = 0

  constructor(options: TranslatorOptions, host: ExporterHost, metrics: WriteMetrics) {
    this.#options = options
    this.#host = host
    this.#metrics = metrics
    this.#budget = new SeriesBudget(options.seriesMax)
    this.#labels = new SeriesLabels(options.rules)
    const owners = new RowOwners(options.pool, options.retired)
    this.#owners = owners
    this.rows = new RowMaker({ ...options, owners }, this.#budget)
    this.#drops = new DropTally(host)
    const uses = { drops: this.#drops, collisions: metrics.collisions, budget: this.#budget }
    this.#ownership = new SeriesOwnership(options, host, uses)
    this.#deltas = new DeltaStreams(options.deltas, metrics.deltas, host.log, (moreBytes) =>
      this.#index.hasRoomFor(moreBytes),
    )
    const taker = {
      naming: options.rules.naming,
      rows: this.rows,
      owners,
      keeps: (owner: Source, newcomer: Newcomer) => this.#keeps(owner, newcomer),
      deltas: this.#deltas,
      undated: metrics.undated,
      takesCustomBuckets: options.takesCustomBuckets,
      repeats: options.repeats,
    }
    this.#taker = new PointTaker(taker, this.#stage)
    const { takesCustomBuckets } = options
    const [slots, stage] = [this.#slots, this.#stage]
    this.#takeovers = new Takeovers({ owners, slots, stage, takesCustomBuckets })
    this.#targets = new TargetInfoRows({ ...options, owners })
    const seed = randomKey(host.random)
    // Twice, since a series has a key more for each order its attributes come in.
    const limits = { rules: options.rules, seed, entriesMax: options.seriesMax * 2, host }
    this.#index = new SeriesIndex(limits, {
      openMetric: (metric) => this.#judge(metric).family !== undefined,
      openSeries: (metric, attributes, point) => {
        const source = this.#open(metric, attributes, point)
        if (source === undefined) this.#takeovers.clear()
        return source
      },
      isGone: (source) => source.isGone,
      isNew: (source) => source.receivedMs < 0,
      take: (source, point, metric) => this.#take(source, point, metric),
      drop: (metric, pointCount, cause) =>
        this.#drops.add(cause ?? metric!.family!.cause, pointCount, metric),
      partBytes: () => this.rows.partBytes + this.#deltas.keptBytes,
      closeResource: (resource) => {
        if (options.hasTargetInfo) {
          this.#targets.see(resource, this.#nowMs, this.#taker.newestMs, this.#stage)
        }
        this.#taker.forgetNewest()
      },
    })
  }

  /** Prometheus series: each bucket and each quantile is one. */
  get seriesCount(): number {
    return this.#budget.count
  }

  /** Nothing is to be translated from now on. */
  close(): void {
    this.#ownership.close()
    this.#index.close()
  }

  get sourceCount(): number {
    return this.#index.sourceCount
  }

  get deltaStreamCount(): number {
    return this.#deltas.count
  }

  /** To be used up before the next batch. Throws a Refusal 'invalid' when all points are malformed. */
  translate(batch: Batch): SampleList {
    this.#nowMs = this.#host.clock.monotonicMs()
    this.#takenCount = 0
    this.#stage.clear()
    this.#taker.beginBatch(this.#host.clock.nowMs(), this.#nowMs)
    try {
      this.#index.read(batch, this.#nowMs)
    } catch (error) {
      this.#drops.discard()
      throw error
    } finally {
      const dropCount = this.#drops.report()
      this.#metrics.failedTranslations.add(dropCount)
      this.#metrics.failed.add(dropCount)
    }
    const samples = this.#taker.needsSort ? this.#sorted() : this.#stage
    this.#metrics.translated.add(samples.length)
    // A delta point that only adds to the next one's sum has nothing to send, and nothing to lose either.
    let endCount = 0
    for (let index = 0; index < samples.length; index++) endCount += samples.ends[index]
    const { lostBeforeCount } = this.#taker
    this.#metrics.sent.add(this.#takenCount - endCount - lostBeforeCount)
    this.#metrics.failed.add(lostBeforeCount)
    return samples
  }

  /** Forgets some of what has expired; called often, each time for a bounded while. */
  sweep(): void {
    const nowMs = this.#host.clock.monotonicMs()
    const beforeMs = nowMs - this.#options.expirationMs
    const entryCount = sweepEntryCount(this.#index.keyCount)
    // The sources of what is added up are kept for as long.
    const staleMs = this.#deltas.count > 0 ? nowMs - this.#options.deltas.max_stale : nowMs
    const isDone = this.#index.sweep(entryCount, Math.min(beforeMs, staleMs), (source) => {
      this.#deltas.expire(source, nowMs)
      // What a delta stream has added up is kept for max_stale.
      if (!source.isGone && source.receivedMs < beforeMs && source.delta === undefined) {
        this.#metrics.expired.add(source.rowCount)
        this.#remove(source)
      }
      return source.isGone
    })
    this.#options.retired.release()
    this.#options.pool.tidy(entryCount)
    if (!isDone) return
    this.#targets.sweep(beforeMs)
    for (const [key, family] of this.#families) {
      if (family.usedMs < beforeMs) this.#families.delete(key)
    }
    this.#ownership.noteRoom()
  }

  #sorted(): SampleList {
    const duplicates = sortSamples(this.#stage, this.#spare)
    if (duplicates > 0) {
      this.#takenCount -= duplicates
      this.#host.dropped('metrics', duplicates, 'duplicate_timestamp')
      this.#metrics.failed.add(duplicates)
    }
    return this.#spare
  }

  #judge(metric: Metric): Verdict {
    metric.family ??= this.#verdict(metric)
    if (metric.family.family !== undefined) metric.family.family.usedMs = this.#nowMs
    return metric.family
  }

  #verdict(metric: Metric): Verdict {
    const identity = familyIdentity(this.#options.naming, metric)
    if (typeof identity === 'string') return { family: undefined, cause: identity }
    if (this.#options.hasTargetInfo && identity.name === this.#targets.name) {
      return { family: undefined, cause: 'reserved_name' }
    }
    const type = metricTypes[identity.type]
    const key = `${type}${identity.name}`
    let family = this.#families.get(key)
    if (family === undefined) {
      family = new Family({ ...identity, type, help: metric.help })
      this.#families.set(key, family)
    }
    return { family, cause: '' }
  }

  #take(source: Source, point: PointReader, metric: Metric): void {
    try {
      const cause = this.#taker.take(source, point, metric)
      if (cause === undefined) {
        source.receivedMs = this.#nowMs
        this.#takenCount++
        this.#takeovers.complete(source)
      } else if (cause === 'series_limit') {
        this.#ownership.overflow(metric.family!.family!.name)
      } else if (cause !== 'series_collision') this.#drops.add(cause, 1, metric)
    } finally {
      // Nothing is kept for a series whose very first point was unusable.
      if (source.receivedMs < 0) this.#remove(source)
      this.#takeovers.clear()
    }
  }

  #open(
    metric: Metric,
    attributes: readonly TextAttribute[],
    point: PointReader,
  ): Source | undefined {
    const { pool, shardCount } = this.#options
    const labels = this.#labels.make(metric, attributes)
    const identity = attributesHash(attributes)
    const claims = this.rows.claim(metric, labels)
    const isSame = (one: Source) => one.metric === metric && one.attributesHash === identity
    for (const claim of claims) {
      const owner = this.#owners.of(claim)
      if (owner === undefined) continue
      const same = isSame(owner)
      if (!same && !this.#keeps(owner, { metric, point, labels: claim })) continue
      for (const one of claims) pool.release(one)
      return same ? owner : undefined
    }
    if (!this.rows.hasRoomToBegin(claims)) {
      this.#ownership.overflow(metric.family!.family!.name)
      for (const claim of claims) pool.release(claim)
      return undefined
    }
    const shard = pool.shard(claims, shardCount)
    const source = new Source(metric, { attributesHash: identity, shard }, this.#slots)
    this.rows.begin(source, claims)
    return source
  }

  #keeps(owner: Source, { metric, point, labels }: Newcomer): boolean {
    if (this.#ownership.isOver(owner, point, this.#nowMs)) {
      // What has expired another gateway may go on with.
      if (owner.receivedMs < this.#nowMs - this.#options.expirationMs) this.#remove(owner)
      else {
        this.#takeDown(owner)
        this.#takeovers.add(owner)
      }
      return false
    }
    this.#ownership.collide(owner, metric, () => this.#options.pool.describe(labels))
    return true
  }

  #remove(source: Source): void {
    if (source.isGone) return
    this.#takeDown(source)
    source.leaveSlot(this.#slots)
  }

  #takeDown(source: Source): void {
    this.rows.takeDown(source)
    this.#deltas.forget(source)
  }
}
