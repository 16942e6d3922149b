/** The last value of every series: what arrives changes it, scrapes read it, silence ends it. */
import type { Batch } from '../../../otlp/batch.ts'
import { attributesHash, type TextAttribute } from '../../../kit/prometheus/attribute-text.ts'
import { hashBytes, randomKey } from '../../../kit/prometheus/byte-hash.ts'
import { type DeltaLimits, DeltaStreams } from '../../../kit/prometheus/delta-streams.ts'
import { DropTally } from '../../../kit/prometheus/drop-tally.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import type { MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { SeriesBudget } from '../../../kit/prometheus/series-budget.ts'
import { SeriesIndex } from '../../../kit/prometheus/series-index.ts'
import { SeriesLabels } from '../../../kit/prometheus/series-labels.ts'
import { SeriesOwnership } from '../../../kit/prometheus/series-ownership.ts'
import { sweepEntryCount } from '../../../kit/prometheus/sweep-pace.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import { FamilyRegistry } from './family-registry.ts'
import { BlockList } from './block-list.ts'
import { labelText } from './label-text.ts'
import { PageLosses } from './page-losses.ts'
import { rowsMax } from './series-block.ts'
import { SeriesCursor } from './series-cursor.ts'
import type { Metric, Verdict } from './series.ts'
import { seriesCountOf } from './series-value.ts'
import { storeMetrics, type StoreMetrics } from './store-metrics.ts'
import { TargetInfos } from './target-infos.ts'
import { isOutOfOrder, ValueTaker } from './value-taker.ts'

export interface StoreOptions {
  readonly naming: MetricNaming
  readonly rules: LabelRules
  readonly expirationMs: number
  readonly seriesMax: number
  readonly deltas: DeltaLimits
  readonly keepsExemplars: boolean
}

export class SeriesStore {
  readonly families: FamilyRegistry
  readonly targets: TargetInfos
  readonly #options: StoreOptions
  readonly #host: ExporterHost
  readonly #metrics: StoreMetrics
  readonly blocks = new BlockList()
  /** Values are handles of the block list. */
  readonly #index: SeriesIndex<Verdict, number>
  readonly #series = new SeriesCursor()
  /** Key of the hashes of labels. */
  readonly seed: number
  readonly losses: PageLosses
  readonly #taker: ValueTaker
  readonly #labels: SeriesLabels
  readonly #deltas: DeltaStreams
  readonly #drops: DropTally
  readonly #ownership: SeriesOwnership
  readonly #budget: SeriesBudget
  #takenCount = 0
  #nowMs = 0

  constructor(options: StoreOptions, host: ExporterHost) {
    this.#options = options
    this.#host = host
    this.#budget = new SeriesBudget(options.seriesMax)
    this.#metrics = storeMetrics(host, {
      series: () => this.seriesCount,
      families: () => this.families.count,
      sources: () => this.#index.sourceCount,
      deltaStreams: () => this.#deltas.count,
    })
    this.#drops = new DropTally(host)
    this.#ownership = new SeriesOwnership(options, host, {
      drops: this.#drops,
      collisions: this.#metrics.collisions,
      budget: this.#budget,
    })
    this.losses = new PageLosses({
      blocks: this.blocks,
      log: host.log,
      leftOut: { name: this.#metrics.leftOutName, labels: this.#metrics.leftOutLabels },
    })
    this.targets = new TargetInfos(options.naming)
    this.families = new FamilyRegistry({
      naming: options.naming,
      reserved: new Set([this.targets.name]),
      log: host.log,
      blocks: this.blocks,
      conflicts: this.#metrics,
      oddTotals: this.#metrics.oddTotals,
    })
    this.#labels = new SeriesLabels(options.rules)
    const hasRoomFor = (moreBytes: number) => this.#index.hasRoomFor(moreBytes)
    this.#deltas = new DeltaStreams(options.deltas, this.#metrics.deltas, host.log, hasRoomFor)
    this.#taker = new ValueTaker(options, this.#deltas, {
      budget: this.#budget,
      hasRoomFor,
      noteOddTotal: (series) => this.families.noteOddTotal(series),
    })
    const seed = randomKey(host.random)
    this.seed = seed
    // Twice, since a series has a key more for each order its attributes come in.
    const limits = { rules: options.rules, seed, entriesMax: options.seriesMax * 2, host }
    this.#index = new SeriesIndex(limits, {
      openMetric: (metric) => this.families.judge(metric).family !== undefined,
      openSeries: (metric, attributes, point) => this.#open(metric, attributes, point),
      isGone: (handle) => this.blocks.isGone(handle),
      isNew: (handle) => this.#at(handle).receivedMs < 0,
      take: (handle, point, metric) => this.#take(this.#at(handle), point, metric),
      drop: (metric, pointCount, cause) =>
        this.#drops.add(cause ?? metric!.family!.cause, pointCount, metric),
      partBytes: () => this.#taker.detailBytes + this.#deltas.keptBytes + this.families.keptBytes,
      closeResource: (resource) => this.targets.see(resource, this.#nowMs, this.#taker),
    })
  }

  /** Prometheus series: each bucket and each quantile is one. */
  get seriesCount(): number {
    return this.#budget.count
  }

  /** Nothing is to be consumed from now on. */
  close(): void {
    this.#ownership.close()
    this.#index.close()
  }

  /** Series last received before this are over, on the monotonic clock. */
  expiredBeforeMs(): number {
    return this.#host.clock.monotonicMs() - this.#options.expirationMs
  }

  /** Takes in every point but malformed ones. Throws a Refusal 'invalid' when all are: then nothing has changed. */
  consume(batch: Batch): void {
    this.#nowMs = this.#host.clock.monotonicMs()
    this.#takenCount = 0
    try {
      this.#index.read(batch, this.#nowMs)
    } catch (error) {
      this.#drops.discard()
      throw error
    } finally {
      this.#metrics.sent.add(this.#takenCount)
      this.#metrics.failed.add(batch.itemCount - this.#takenCount)
      this.#drops.report()
    }
  }

  /** Forgets some of what has expired; called often, each time for a bounded while. */
  sweep(): void {
    const beforeMs = this.expiredBeforeMs()
    const entryCount = sweepEntryCount(this.#index.keyCount)
    const nowMs = this.#host.clock.monotonicMs()
    // The sources of what is added up are kept for as long.
    const staleMs = this.#deltas.count > 0 ? nowMs - this.#options.deltas.max_stale : nowMs
    const isDone = this.#index.sweep(entryCount, Math.min(beforeMs, staleMs), (handle) => {
      if (this.blocks.isGone(handle)) return true
      const series = this.#at(handle)
      this.#deltas.expire(series, nowMs)
      // What a delta stream has added up outlives the line on the page, as max_stale says.
      if (series.receivedMs >= beforeMs || series.delta !== undefined) return false
      this.#metrics.expired.add(seriesCountOf(series.detail))
      this.#remove(series)
      return true
    })
    if (!isDone) return
    this.families.sweep()
    this.targets.sweep(beforeMs)
    this.#ownership.noteRoom()
  }

  #take(series: SeriesCursor, point: PointReader, metric: Metric): void {
    if (!point.hasRecordedValue) {
      this.#end(series, point)
      return
    }
    try {
      const cause = this.#taker.take(series, point, metric, this.#nowMs)
      if (cause === undefined) {
        series.receivedMs = this.#nowMs
        this.#takenCount++
      } else if (cause === 'series_limit') this.#overflow(metric)
      else this.#drops.add(cause, 1, metric)
    } finally {
      // A series whose very first point was unusable has nothing to show.
      if (series.receivedMs < 0) this.#remove(series)
    }
  }

  /** By a point without a recorded value. One without a time is of now. */
  #end(series: SeriesCursor, point: PointReader): void {
    const isDated = point.timeLow !== 0 || point.timeHigh !== 0
    if (isDated && isOutOfOrder(series, point)) {
      this.#drops.add('out_of_order', 1, series.metric)
      return
    }
    this.#remove(series)
    this.#takenCount++
  }

  #at(handle: number): SeriesCursor {
    return this.#series.moveTo(this.blocks.at(handle)!, handle & (rowsMax - 1))
  }

  #open(
    metric: Metric,
    attributes: readonly TextAttribute[],
    point: PointReader,
  ): number | undefined {
    const family = metric.family!.family!
    const all = this.#labels.make(metric, attributes)
    const { text, hasQuoted } = labelText(all)
    const hasState = family.type === 'stateset' && all.some(({ name }) => name === family.name)
    const bytes = Buffer.from(text, 'utf8')
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const hash = hashBytes(view, 0, bytes.length, this.seed, 0)
    const labels = { bytes, hash, hasQuoted, hasState }
    const identity = attributesHash(attributes)
    const existing = family.series.find(labels)
    if (existing !== -1) {
      const handle = this.blocks.handle(existing)
      const series = this.#at(handle)
      if (series.metric === metric && series.attributesHash === identity) return handle
      if (!this.#ownership.isOver(series, point, this.#nowMs)) {
        this.#ownership.collide(series, metric, () => series.describe())
        return undefined
      }
      this.#remove(series)
    }
    // Nothing to delete, and nothing to remember for it.
    if (!point.hasRecordedValue) {
      this.#takenCount++
      return undefined
    }
    if (!this.#budget.hasRoom(1) || this.blocks.isFull) {
      this.#overflow(metric)
      return undefined
    }
    const handle = this.blocks.handle(family.series.add(labels, metric))
    const series = this.#at(handle)
    series.attributesHash = identity
    this.#budget.add(1)
    return handle
  }

  #remove(series: SeriesCursor): void {
    this.#deltas.forget(series)
    const { metric, block, row, detail } = series
    metric.family!.family!.series.remove(block, row)
    this.#taker.forget(detail)
  }

  /** There is no room for the series of this point. */
  #overflow(metric: Metric): void {
    this.#metrics.overflow.add(1)
    this.#ownership.overflow(metric.family!.family!.name)
  }
}
