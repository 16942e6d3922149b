/** From a point to the samples of its rows. */
import type { DeltaStreams } from '../../../kit/prometheus/delta-streams.ts'
import { customHistogram } from '../../../kit/prometheus/custom-buckets.ts'
import { coarser, nativeScaleMax } from '../../../kit/prometheus/exponential-reader.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import { isDelta } from '../../../kit/prometheus/metric-source.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { compareNanos, epochMs } from '../../../kit/prometheus/nanos.ts'
import { plainText } from '../../../kit/prometheus/number-text.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { PointValue } from '../../../kit/prometheus/point-value.ts'
import type { Counter } from '../../../pipeline/meter.ts'
import { pushClassic } from './classic-samples.ts'
import type { HistogramRows } from './histogram-rows.ts'
import { readExemplars } from './exemplars.ts'
import { metricTypes } from '../../../kit/prometheus/family-identity.ts'
import { type Metric, type Row, type Source } from './row.ts'
import { pushEnds } from './push-ends.ts'
import type { Repeats } from './repeats.ts'
import { hasQuantiles, type RowMaker } from './row-maker.ts'
import type { RowOwners } from './row-owners.ts'
import type { RowExemplar, SampleDetail, SampleList } from './sample-list.ts'

interface TakerOptions {
  readonly naming: LabelNaming
  readonly rows: RowMaker
  readonly owners: RowOwners
  /**
   * Whether the owner of a series keeps it from a newcomer with this point, which is counted then; one that is over is
   * removed.
   */
  readonly keeps: (owner: Source, newcomer: Newcomer) => boolean
  readonly deltas: DeltaStreams
  /** Points without a time. */
  readonly undated: Counter
  /** Whether histograms are sent as native ones with custom buckets. */
  readonly takesCustomBuckets: () => boolean
  /** Points that are not to be taken again. */
  readonly repeats: Repeats
}

/** Who wants a series that another source has. */
export interface Newcomer {
  readonly metric: Metric
  readonly point: PointReader
  /** The labels of that series. */
  readonly labels: number
}

export class PointTaker {
  readonly #options: TakerOptions
  readonly #value = new PointValue()
  readonly #stage: SampleList
  #batchSerial = 0
  #wallMs = 0
  #nowMs = 0
  /** Of the point at hand. */
  #totals = new Float64Array(32)
  /** Values of a summary by the text of their quantile. */
  #quantiles = new Map<string, number>()
  #timeMs = 0
  #startMs = 0
  /** Whether a point came that is older than another of its series in the same batch. */
  needsSort = false
  /** Newest time since forgetNewest(); -1 when nothing was taken. */
  newestMs = -1
  /** Of the batch, points that were counted as dropped when they came the first time. */
  lostBeforeCount = 0

  constructor(options: TakerOptions, stage: SampleList) {
    this.#options = options
    this.#stage = stage
  }

  /** `wallMs` is the time of points that have none, `nowMs` is monotonic. */
  beginBatch(wallMs: number, nowMs: number): void {
    this.#batchSerial++
    this.#wallMs = wallMs
    this.#nowMs = nowMs
    this.needsSort = false
    this.newestMs = -1
    this.lostBeforeCount = 0
  }

  forgetNewest(): void {
    this.newestMs = -1
  }

  /** Undefined when the point is taken, or the cause for which it is dropped. */
  take(source: Source, point: PointReader, metric: Metric): string | undefined {
    if (source.batchSerial !== this.#batchSerial) {
      source.batchSerial = this.#batchSerial
      source.committedMs = source.newestMs
    }
    if (repetitionOrder(source, point) < 0) return undefined
    const timeMs = this.#readTime(point)
    const fate = this.#options.repeats.fate(source, timeMs)
    if (fate !== undefined && !isBeyondTotal(source, point)) {
      this.#noteNewest(timeMs)
      if (fate === 'lost') this.lostBeforeCount++
      return undefined
    }
    const cause = point.hasRecordedValue
      ? this.#takeValue(source, point, metric)
      : this.#end(source)
    if (cause !== undefined) return cause
    source.timeLow = point.timeLow
    source.timeHigh = point.timeHigh
    if (timeMs < source.newestMs) this.needsSort = true
    else source.newestMs = timeMs
    this.#noteNewest(timeMs)
    return undefined
  }

  #noteNewest(timeMs: number): void {
    if (timeMs > this.newestMs) this.newestMs = timeMs
  }

  #readTime(point: PointReader): number {
    this.#timeMs = epochMs(point.timeLow, point.timeHigh)
    if (this.#timeMs === 0) {
      this.#options.undated.add(1)
      this.#timeMs = this.#wallMs
    }
    return this.#timeMs
  }

  /**
   * Samples of a series are sent in the order of time, so that nothing may follow a newer one. The very time of the
   * last batch may: it is how a client repeats what it does not know to have arrived.
   */
  #orderProblem({ committedMs, newestMs }: Source): string | undefined {
    if (this.#timeMs < committedMs) return 'out_of_order'
    return this.#timeMs === newestMs && newestMs > committedMs ? 'duplicate_timestamp' : undefined
  }

  #takeValue(source: Source, point: PointReader, metric: Metric): string | undefined {
    const { dataField } = metric
    if (isDelta(metric)) return this.#takeDelta(source, point, dataField)
    const problem = this.#orderProblem(source) ?? this.#read(source, point, dataField)
    if (problem === undefined) this.#pushValue(source, point, dataField)
    return problem
  }

  #read(source: Source, point: PointReader, dataField: number): string | undefined {
    const problem = this.#value.read(point, dataField, source.histogram?.bounds)
    if (problem !== undefined || source.histogram === undefined) return problem
    return this.#problemOfRows(source, point, dataField)
  }

  /** Why the rows that the point at hand has beside those of every such point cannot be had, if so. */
  #problemOfRows(source: Source, point: PointReader, dataField: number): string | undefined {
    const { rows, owners, keeps, takesCustomBuckets } = this.#options
    const isSummary = dataField === metricDataFields.summary
    const { bounds } = this.#value
    if (isSummary) this.#readQuantiles()
    else if (takesCustomBuckets()) return undefined
    const isOlder = this.#timeMs < source.newestMs
    // Those that it has are free, but for what came to them before it had them.
    const isAsKnown = isSummary
      ? hasQuantiles(source, this.#quantiles)
      : source.histogram!.bounds === bounds
    if (isAsKnown && !isOlder) return undefined
    const texts = isSummary ? [...this.#quantiles.keys()] : bounds.plainTexts
    const { metric } = source
    const problem = rows.problem(source, { texts, isOlder }, (labels) => {
      const owner = owners.of(labels)
      const isAnothers = owner !== undefined && owner !== source
      if (isAnothers && keeps(owner, { metric, point, labels })) return 'series_collision'
      return owners.comesLate(labels, source, this.#timeMs) ? 'out_of_order' : undefined
    })
    // Of an older point no row is kept.
    const hasRoom = isOlder || rows.hasRoom(source, texts.length)
    return problem ?? (hasRoom ? undefined : 'series_limit')
  }

  #readQuantiles(): void {
    const { quantiles } = this.#value.summary
    this.#quantiles = new Map()
    // A quantile that comes twice would be the same series twice: the last stays.
    for (let index = 0; index < quantiles.length; index += 2) {
      this.#quantiles.set(plainText(quantiles[index]), quantiles[index + 1])
    }
  }

  #takeDelta(source: Source, point: PointReader, dataField: number): string | undefined {
    const problem = this.#read(source, point, dataField)
    if (problem !== undefined) return problem
    if (repetitionOrder(source, point) === 0) {
      source.delta!.present(point, this.#value)
      this.#pushValue(source, point, dataField)
      return undefined
    }
    const uses = { value: this.#value, dataField, nowMs: this.#nowMs }
    const cause = this.#options.deltas.take(source, point, uses)
    // Of points within one millisecond only the first is sent: the others are in the next one's total.
    if (cause === undefined && this.#timeMs > source.newestMs) {
      this.#pushValue(source, point, dataField)
    }
    return cause
  }

  #pushValue(source: Source, point: PointReader, dataField: number): void {
    this.#setStart(source, point)
    switch (dataField) {
      case metricDataFields.gauge:
      case metricDataFields.sum:
        this.#pushNumber(source, point)
        break
      case metricDataFields.histogram:
        this.#pushHistogram(source, point)
        break
      case metricDataFields.exponentialHistogram:
        this.#pushExponential(source, point)
        break
      default:
        this.#pushSummary(source)
    }
    this.#stage.endPoint()
  }

  /** Only what counts up has a start. */
  #setStart({ family: { type } }: Source, { startLow, startHigh }: PointReader): void {
    const startMs = epochMs(startLow, startHigh)
    const isCumulative =
      type === metricTypes.counter || type === metricTypes.histogram || type === metricTypes.summary
    this.#startMs = isCumulative && startMs <= this.#timeMs ? startMs : 0
  }

  #pushNumber(source: Source, point: PointReader): void {
    const row = source.number!
    this.#push(row, point.value)
    const isCounter = row.family.type === metricTypes.counter
    if (!isCounter || point.exemplars.length === 0) return
    const exemplars = this.#exemplars(point)
    if (exemplars.length > 0) this.#stage.attach({ exemplars })
  }

  #pushHistogram(source: Source, point: PointReader): void {
    if (this.#options.takesCustomBuckets()) {
      this.#pushNative(source, point, customHistogram(this.#value))
      return
    }
    const { histogram } = this.#value
    pushClassic(this.#stage, this.#bucketRows(source), {
      sum: histogram.hasSum ? histogram.sum : undefined,
      count: wholeNumber(histogram.countLow, histogram.countHigh),
      totals: this.#bucketTotals(),
      exemplars: this.#exemplars(point),
      timeMs: this.#timeMs,
      startMs: this.#startMs,
    })
  }

  /** Those that are over with the point at hand are ended. */
  #bucketRows(source: Source): HistogramRows {
    const { rows } = this.#options
    const { bounds } = this.#value
    const known = source.histogram!
    if (known.bounds === bounds) return known
    if (this.#timeMs >= source.newestMs) {
      this.#endRows(source, rows.replaceBuckets(source, bounds, this.#timeMs))
      return source.histogram!
    }
    const passing = rows.passing(source, bounds.plainTexts)
    this.#endRows(source, passing.over)
    return known.withBuckets(bounds, [...passing.rows.values()])
  }

  /** Until the next call. */
  #bucketTotals(): Float64Array {
    const { histogram, bounds } = this.#value
    const { bytes, start, byteLength } = histogram.counts
    const bucketCount = bounds.values.length
    if (this.#totals.length < bucketCount) this.#totals = new Float64Array(bucketCount * 2)
    const totals = this.#totals
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, byteLength)
    // Halves are summed apart, so that only what is sent is rounded, and only once.
    let low = 0
    let high = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      if (bucket * 8 < byteLength) {
        low += view.getUint32(bucket * 8, true)
        high += view.getUint32(bucket * 8 + 4, true)
      }
      totals[bucket] = high * 4294967296 + low
    }
    return totals
  }

  #pushExponential(source: Source, point: PointReader): void {
    const exact = this.#value.exponential!
    const histogram = coarser(exact, Math.max(0, exact.scale - nativeScaleMax))
    this.#pushNative(source, point, histogram)
  }

  #pushNative(source: Source, point: PointReader, histogram: SampleDetail['histogram']): void {
    this.#push(source.number!, 0)
    this.#stage.attach({ exemplars: this.#exemplars(point), histogram })
  }

  #pushSummary(source: Source): void {
    const { summary } = this.#value
    const { sum, count } = source.histogram!
    this.#push(sum, summary.sum)
    this.#push(count, wholeNumber(summary.countLow, summary.countHigh))
    for (const [text, row] of this.#quantileRows(source)) {
      this.#push(row, this.#quantiles.get(text)!)
    }
  }

  #quantileRows(source: Source): ReadonlyMap<string, Row> {
    const { rows } = this.#options
    if (this.#timeMs >= source.newestMs) {
      this.#endRows(source, rows.replaceQuantiles(source, this.#quantiles, this.#timeMs))
      return source.quantiles!
    }
    const passing = rows.passing(source, this.#quantiles.keys())
    this.#endRows(source, passing.over)
    return passing.rows
  }

  /**
   * Remote write 2.0, "Stale Markers": a sender should send one when it knows that a series is over, which is at the
   * time of the newest point.
   */
  #endRows(source: Source, over: readonly Row[]): void {
    // A point that is repeated at its time may already have sent them, and two samples of one time are refused.
    if (this.#timeMs === source.newestMs) return
    const timeMs = Math.max(this.#timeMs, source.newestMs)
    for (const row of over) this.#stage.pushStale(row, timeMs)
  }

  /** A point without a recorded value ends all of its series. */
  #end(source: Source): string | undefined {
    const problem = this.#orderProblem(source)
    if (problem !== undefined) return problem
    const { owners, deltas, takesCustomBuckets } = this.#options
    deltas.forget(source)
    const timeMs = this.#timeMs
    const isOlder = timeMs < source.newestMs
    pushEnds(this.#stage, source, {
      timeMs,
      takesCustomBuckets: takesCustomBuckets(),
      // One that came to it with a newer point was another's at that time.
      isOver: ({ labels }) => !isOlder || !owners.comesLate(labels, source, timeMs),
    })
    this.#stage.endPoint()
    return undefined
  }

  #push(row: Row, value: number): void {
    this.#stage.push(row, value, this.#timeMs, this.#startMs)
  }

  #exemplars(point: PointReader): readonly RowExemplar[] {
    if (point.exemplars.length === 0) return noExemplars
    return readExemplars(this.#options.naming, point, this.#timeMs)
  }
}

/**
 * When samples were given back to the caller, who repeats their points, deltas among those are in the total already: 0
 * for the last of them, whose sample is that total, less for earlier ones, more for any other point.
 */
function repetitionOrder({ newestMs, delta }: Source, point: PointReader): number {
  if (newestMs >= 0 || delta === undefined) return 1
  return compareNanos(point.timeLow, point.timeHigh, delta.timeLow, delta.timeHigh)
}

/** Of points within one millisecond some may be in a delta's total, and others not yet. */
function isBeyondTotal({ delta }: Source, point: PointReader): boolean {
  if (delta === undefined) return false
  return compareNanos(point.timeLow, point.timeHigh, delta.timeLow, delta.timeHigh) > 0
}

const noExemplars: readonly RowExemplar[] = []

function wholeNumber(low: number, high: number): number {
  return (high >>> 0) * 4294967296 + (low >>> 0)
}
