/** From a point to the samples of its rows. */
import {
  type Exponential,
  coarser,
  isPlausible,
  nativeScaleMax,
  nativeScaleMin,
  readExponential,
} from '../../../kit/prometheus/exponential-reader.ts'
import { HistogramReader, SummaryReader } from '../../../kit/prometheus/histogram-reader.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import { temporality } from '../../../kit/prometheus/metric-reader.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { epochMs } from '../../../kit/prometheus/nanos.ts'
import { plainText } from '../../../kit/prometheus/number-text.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import type { Counter } from '../../../pipeline/meter.ts'
import {
  countStart,
  type DeltaCounters,
  DeltaState,
  readCounts,
  wholeNumber,
} from './delta-state.ts'
import { readExemplars } from './exemplars.ts'
import { BoundsCache } from './histogram-rows.ts'
import { type Metric, type MetricType, metricTypes, type Row, type Source } from './row.ts'
import type { RowMaker } from './row-maker.ts'
import type { RowExemplar, SampleList } from './sample-list.ts'

interface TakerOptions {
  readonly naming: LabelNaming
  readonly rows: RowMaker
  readonly deltas: DeltaCounters
  /** Points without a time. */
  readonly undated: Counter
}

export class PointTaker {
  readonly #options: TakerOptions
  readonly #histogram = new HistogramReader()
  readonly #summary = new SummaryReader()
  readonly #bounds = new BoundsCache()
  readonly #stage: SampleList
  #batchSerial = 0
  #wallMs = 0
  /** Of the point at hand. */
  #timeMs = 0
  #startMs = 0
  /** Whether a point came that is older than another of its series in the same batch. */
  needsSort = false
  /** Newest time since forgetNewest(); -1 when nothing was taken. */
  newestMs = -1

  constructor(options: TakerOptions, stage: SampleList) {
    this.#options = options
    this.#stage = stage
  }

  /** `wallMs` is the time of points that have none. */
  beginBatch(wallMs: number): void {
    this.#batchSerial++
    this.#wallMs = wallMs
    this.needsSort = false
    this.newestMs = -1
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
    this.#readTimes(point, source.family.type)
    const timeMs = this.#timeMs
    const isDelta = metric.temporality === temporality.delta && hasTemporality(metric)
    const cause = isDelta
      ? this.#takeDelta(source, point, metric)
      : (this.#orderProblem(source) ?? this.#takeValue(source, point, metric))
    if (cause !== undefined) return cause
    source.timeLow = point.timeLow
    source.timeHigh = point.timeHigh
    if (timeMs < source.newestMs) this.needsSort = true
    else source.newestMs = timeMs
    if (timeMs > this.newestMs) this.newestMs = timeMs
    return undefined
  }

  #readTimes(point: PointReader, type: MetricType): void {
    this.#timeMs = epochMs(point.timeLow, point.timeHigh)
    if (this.#timeMs === 0) {
      this.#options.undated.add(1)
      this.#timeMs = this.#wallMs
    }
    this.#setStart(type, point.startLow, point.startHigh)
  }

  /** Only what counts up has a start. */
  #setStart(type: MetricType, low: number, high: number): void {
    const startMs = epochMs(low, high)
    const isCumulative = type !== metricTypes.gauge && type !== metricTypes.unknown
    this.#startMs = isCumulative && startMs <= this.#timeMs ? startMs : 0
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
    if (!point.hasRecordedValue) return this.#end(source, metric)
    switch (metric.dataField) {
      case metricDataFields.gauge:
      case metricDataFields.sum:
        if (!point.hasValue) return 'no_value'
        this.#pushNumber(source, point, point.value)
        return undefined
      case metricDataFields.histogram: {
        const reader = this.#histogram
        reader.read(point.bytes, point.start, point.end)
        const values = {
          counts: readCounts(reader),
          count: wholeNumber(reader.countLow, reader.countHigh),
          sum: reader.hasSum ? reader.sum : undefined,
        }
        return this.#pushHistogram(source, point, values)
      }
      case metricDataFields.exponentialHistogram: {
        const value = readExponential(point.bytes, point.start, point.end)
        return this.#pushExponential(source, point, value)
      }
      default:
        return this.#pushSummary(source, point)
    }
  }

  #takeDelta(source: Source, point: PointReader, metric: Metric): string | undefined {
    const before = source.delta
    if (before !== undefined && !before.accepts(point, source.timeLow, source.timeHigh)) {
      return 'out_of_order'
    }
    if (!point.hasRecordedValue) {
      source.delta = undefined
      return this.#end(source, metric)
    }
    const state = before ?? new DeltaState(point)
    const cause = this.#addDelta(source, state, point, metric)
    if (cause !== undefined) return cause
    if (before !== undefined) countStart(this.#options.deltas, point, source)
    source.delta = state
    return undefined
  }

  #addDelta(
    source: Source,
    state: DeltaState,
    point: PointReader,
    metric: Metric,
  ): string | undefined {
    // Of points within one millisecond only the first is sent: the others are in the next one's sum.
    const isSent = this.#timeMs > source.newestMs
    if (metric.dataField === metricDataFields.sum) {
      if (!point.hasValue) return 'no_value'
      state.value += point.value
      this.#setStart(source.family.type, state.startLow, state.startHigh)
      if (isSent) this.#pushNumber(source, point, state.value)
      return undefined
    }
    if (metric.dataField === metricDataFields.histogram) {
      const reader = this.#histogram
      reader.read(point.bytes, point.start, point.end)
      if (this.#bounds.get(reader.bounds) === undefined) return 'invalid_histogram'
      state.addHistogram(reader, point)
      this.#setStart(source.family.type, state.startLow, state.startHigh)
      return isSent ? this.#pushHistogram(source, point, state) : undefined
    }
    const value = readExponential(point.bytes, point.start, point.end)
    if (!isPlausible(value)) return 'invalid_histogram'
    const sum = state.addExponential(value)
    this.#setStart(source.family.type, state.startLow, state.startHigh)
    const cause = isSent ? this.#pushExponential(source, point, sum) : undefined
    if (cause === undefined) state.exponential = sum
    return cause
  }

  #pushNumber(source: Source, point: PointReader, value: number): void {
    const row = source.number!
    this.#push(row, value)
    const isCounter = row.family.type === metricTypes.counter
    if (isCounter && point.exemplars.length > 0) this.#attach(this.#exemplars(point))
    this.#endPoint()
  }

  #pushHistogram(
    source: Source,
    point: PointReader,
    values: {
      readonly counts: readonly number[]
      readonly count: number
      readonly sum: number | undefined
    },
  ): string | undefined {
    let rows = source.histogram!
    if (!this.#histogram.bounds.equals(rows.boundBytes)) {
      const bounds = this.#bounds.get(this.#histogram.bounds)
      if (bounds === undefined) return 'invalid_histogram'
      rows = this.#options.rows.withBounds(source, rows, bounds)
    }
    const exemplars = point.exemplars.length === 0 ? [] : this.#exemplars(point)
    if (values.sum !== undefined) this.#push(rows.sum, values.sum)
    this.#push(rows.count, values.count)
    let total = 0
    let below = -Infinity
    for (const [index, row] of rows.buckets.entries()) {
      total += values.counts[index] ?? 0
      const bound = rows.bounds[index]
      this.#push(row, total)
      this.#attach(exemplars.filter(({ value }) => value <= bound && value > below))
      below = bound
    }
    this.#push(rows.infinity, values.count)
    this.#attach(exemplars.filter(({ value }) => !(value <= below)))
    this.#endPoint()
    return undefined
  }

  #pushExponential(source: Source, point: PointReader, value: Exponential): string | undefined {
    if (!isPlausible(value)) return 'invalid_histogram'
    if (value.scale < nativeScaleMin) return 'scale'
    const histogram = coarser(value, Math.max(0, value.scale - nativeScaleMax))
    this.#push(source.number!, 0)
    const exemplars = point.exemplars.length === 0 ? [] : this.#exemplars(point)
    this.#stage.details[this.#stage.length - 1] = { exemplars, histogram }
    this.#endPoint()
    return undefined
  }

  #pushSummary(source: Source, point: PointReader): undefined {
    const reader = this.#summary
    reader.read(point.bytes, point.start, point.end)
    const { sum, count } = source.histogram!
    this.#push(sum, reader.sum)
    this.#push(count, wholeNumber(reader.countLow, reader.countHigh))
    // A quantile that comes twice would be the same series twice: the last stays.
    const values = new Map<string, number>()
    for (let index = 0; index < reader.quantiles.length; index += 2) {
      values.set(plainText(reader.quantiles[index]), reader.quantiles[index + 1])
    }
    for (const [text, value] of values) {
      this.#push(this.#options.rows.quantile(source, text), value)
    }
    this.#endPoint()
  }

  /** A point without a recorded value ends all of its series. */
  #end(source: Source, metric: Metric): undefined {
    const isNative = metric.dataField === metricDataFields.exponentialHistogram
    for (const row of source.rows()) {
      this.#stage.pushStale(row, this.#timeMs)
      if (isNative) this.#stage.details[this.#stage.length - 1] = staleHistogram
    }
    this.#endPoint()
  }

  #push(row: Row, value: number): void {
    this.#stage.push(row, value, this.#timeMs, this.#startMs)
  }

  #endPoint(): void {
    this.#stage.ends[this.#stage.length - 1] = 1
  }

  #exemplars(point: PointReader): RowExemplar[] {
    return readExemplars(this.#options.naming, point, this.#timeMs)
  }

  #attach(exemplars: readonly RowExemplar[]): void {
    if (exemplars.length > 0) this.#stage.details[this.#stage.length - 1] = { exemplars }
  }
}

const staleHistogram = { exemplars: [], histogram: 'stale' } as const

function hasTemporality({ dataField }: Metric): boolean {
  return dataField !== metricDataFields.gauge && dataField !== metricDataFields.summary
}
