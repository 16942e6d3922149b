/** Puts the value of a point into its series. */
import type { DeltaStreams } from '../../../kit/prometheus/delta-streams.ts'
import { exponentialBytes } from '../../../kit/prometheus/exponential-reader.ts'
import type { HistogramReader } from '../../../kit/prometheus/histogram-reader.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import { isDelta } from '../../../kit/prometheus/metric-source.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { PointValue } from '../../../kit/prometheus/point-value.ts'
import type { SeriesBudget } from '../../../kit/prometheus/series-budget.ts'
import { bucketExemplars, nativeExemplars, newestExemplar } from './exemplars.ts'
import { isTotal } from './openmetrics-family.ts'
import type { SeriesCursor } from './series-cursor.ts'
import {
  detailBytes,
  type Exemplar,
  ExponentialValue,
  histogramSeriesCount,
  HistogramValue,
  partBytes,
  quantileBytes,
  seriesCountOf,
  summarySeriesCount,
  SummaryValue,
} from './series-value.ts'
import type { Metric } from './series.ts'

interface TakerOptions {
  readonly rules: LabelRules
  readonly keepsExemplars: boolean
}

interface TakerUses {
  readonly budget: SeriesBudget
  /** Whether values may take so many bytes more; less is always possible. */
  readonly hasRoomFor: (moreBytes: number) => boolean
  /** The value of a counter is below 0 or NaN. */
  readonly noteOddTotal: (series: SeriesCursor) => void
}

export class ValueTaker {
  readonly #options: TakerOptions
  readonly #deltas: DeltaStreams
  readonly #budget: SeriesBudget
  readonly #hasRoomFor: TakerUses['hasRoomFor']
  readonly #noteOddTotal: TakerUses['noteOddTotal']
  readonly #value = new PointValue()
  /** Of the summary at hand. */
  #quantiles: readonly number[] = []
  /** Time of the newest point since forgetNewest(), and whether there was one. */
  newestLow = 0
  newestHigh = 0
  hasTaken = false
  #detailBytes = 0

  constructor(options: TakerOptions, deltas: DeltaStreams, uses: TakerUses) {
    this.#options = options
    this.#budget = uses.budget
    this.#hasRoomFor = uses.hasRoomFor
    this.#noteOddTotal = uses.noteOddTotal
    this.#deltas = deltas
  }

  /** What the values of all series take that are more than a number, roughly. */
  get detailBytes(): number {
    return this.#detailBytes
  }

  /** The series with this value is over. */
  forget(detail: SeriesCursor['detail']): void {
    this.#budget.add(-seriesCountOf(detail))
    this.#detailBytes -= detailBytes(detail)
  }

  forgetNewest(): void {
    this.newestLow = this.newestHigh = 0
    this.hasTaken = false
  }

  /** Undefined when the point is now part of the series, or the cause for which it was dropped. */
  take(
    series: SeriesCursor,
    point: PointReader,
    metric: Metric,
    nowMs: number,
  ): string | undefined {
    if (isOutOfOrder(series, point)) return 'out_of_order'
    const { timeLow, timeHigh } = point
    const { dataField } = metric
    const isNumber = dataField === metricDataFields.gauge || dataField === metricDataFields.sum
    const problem = isNumber ? numberProblem(point) : this.#read(series, point, metric)
    if (problem !== undefined) return problem
    if (isDelta(metric)) {
      const cause = this.#deltas.take(series, point, { value: this.#value, dataField, nowMs })
      if (cause !== undefined) return cause
    }
    if (isNumber) this.#setNumber(series, point, metric)
    else this.#setDetail(series, point, dataField)
    series.setTime(timeLow, timeHigh)
    // What begins after it was measured began at no known time.
    if (isAfter(point)) series.setStart(0, 0)
    else series.setStart(point.startLow, point.startHigh)
    this.hasTaken = true
    if (compareNanos(timeLow, timeHigh, this.newestLow, this.newestHigh) > 0) {
      this.newestLow = timeLow
      this.newestHigh = timeHigh
    }
    return undefined
  }

  #read({ detail }: SeriesCursor, point: PointReader, metric: Metric): string | undefined {
    const { dataField } = metric
    const known = detail instanceof HistogramValue ? detail.layout : undefined
    const problem = this.#value.read(point, dataField, known)
    if (problem !== undefined) return problem
    if (detail instanceof HistogramValue && this.#hasSameBuckets(detail)) return undefined
    if (dataField === metricDataFields.summary) {
      this.#quantiles = distinctQuantiles(this.#value.summary.quantiles)
    }
    const more = this.#seriesCount(dataField) - seriesCountOf(detail)
    if (!this.#budget.hasRoom(more)) return 'series_limit'
    // Of deltas the sum counts, not what is added.
    if (isDelta(metric)) return undefined
    const moreBytes = this.#partBytes(dataField) - partBytes(detail)
    return this.#hasRoomFor(moreBytes) ? undefined : 'memory_limit'
  }

  #hasSameBuckets({ layout, counts }: HistogramValue): boolean {
    const { bounds, histogram } = this.#value
    return layout === bounds && counts.byteLength === histogram.counts.byteLength
  }

  /** What the buckets or quantiles of the point at hand take. */
  #partBytes(dataField: number): number {
    const { histogram, exponential } = this.#value
    if (dataField === metricDataFields.histogram) return histogram.counts.byteLength
    return dataField === metricDataFields.summary
      ? quantileBytes(this.#quantiles)
      : exponentialBytes(exponential!)
  }

  /** How many the point at hand makes. */
  #seriesCount(dataField: number): number {
    if (dataField === metricDataFields.histogram) return histogramSeriesCount(this.#value.bounds)
    return dataField === metricDataFields.summary ? summarySeriesCount(this.#quantiles) : 1
  }

  #setNumber(series: SeriesCursor, point: PointReader, metric: Metric): void {
    series.value = point.value
    if (point.isInteger && !isExact(point)) series.digits = integerDigits(point)
    else if (series.digits !== undefined) series.digits = undefined
    if (!metric.isMonotonic) return
    if (!isTotal(point.value)) this.#noteOddTotal(series)
    this.#keepExemplar(series, point)
  }

  #keepExemplar(series: SeriesCursor, point: PointReader): void {
    if (point.exemplars.length === 0 || !this.#options.keepsExemplars) return
    series.exemplar = newestExemplar(this.#options.rules.naming, point, series.exemplar)
  }

  #setDetail(series: SeriesCursor, point: PointReader, dataField: number): void {
    this.#budget.add(this.#seriesCount(dataField) - seriesCountOf(series.detail))
    const bytesBefore = detailBytes(series.detail)
    if (dataField === metricDataFields.histogram) this.#setHistogram(series, point)
    else if (dataField === metricDataFields.exponentialHistogram) {
      this.#setExponential(series, point)
    } else this.#setSummary(series)
    this.#detailBytes += detailBytes(series.detail) - bytesBefore
  }

  #setHistogram(series: SeriesCursor, point: PointReader): void {
    const { histogram, bounds } = this.#value
    let value = series.detail as HistogramValue | undefined
    if (value?.layout !== bounds) {
      value = new HistogramValue(bounds, noCounts)
      series.detail = value
    }
    value.countLow = histogram.countLow
    value.countHigh = histogram.countHigh
    value.sum = histogram.sum
    value.hasSum = histogram.hasSum
    copyCounts(value, histogram)
    if (point.exemplars.length > 0 && this.#options.keepsExemplars) {
      bucketExemplars(this.#options.rules.naming, point, value)
    }
  }

  #setExponential(series: SeriesCursor, point: PointReader): void {
    const known = (series.detail as ExponentialValue | undefined)?.exemplars ?? noExemplars
    const hasMore = point.exemplars.length > 0 && this.#options.keepsExemplars
    const exemplars = hasMore ? nativeExemplars(this.#options.rules.naming, point, known) : known
    series.detail = new ExponentialValue(this.#value.exponential!, exemplars)
  }

  #setSummary(series: SeriesCursor): void {
    const { summary } = this.#value
    const value = (series.detail as SummaryValue | undefined) ?? new SummaryValue()
    value.countLow = summary.countLow
    value.countHigh = summary.countHigh
    value.sum = summary.sum
    value.quantiles = this.#quantiles
    series.detail = value
  }
}

/** Whether a series has a newer point. */
export function isOutOfOrder(series: SeriesCursor, { timeLow, timeHigh }: PointReader): boolean {
  return compareNanos(timeLow, timeHigh, series.timeLow, series.timeHigh) < 0
}

/** Whether its start lies behind its time; of a point without a time nothing can be said. */
function isAfter({ startLow, startHigh, timeLow, timeHigh }: PointReader): boolean {
  if (timeLow === 0 && timeHigh === 0) return false
  return compareNanos(startLow, startHigh, timeLow, timeHigh) > 0
}

function numberProblem({ hasValue }: PointReader): string | undefined {
  return hasValue ? undefined : 'no_value'
}

/** A quantile that comes twice would be the same series twice: the last stays. */
function distinctQuantiles(pairs: readonly number[]): number[] {
  const values = new Map<number, number>()
  for (let index = 0; index < pairs.length; index += 2) values.set(pairs[index], pairs[index + 1])
  return [...values].flat()
}

const noExemplars: readonly Exemplar[] = []
const noCounts = new Uint32Array(0)

/** Into memory the series already has, where the number of buckets is the same. */
function copyCounts(value: HistogramValue, { counts }: HistogramReader): void {
  if (value.counts.byteLength !== counts.byteLength) {
    value.counts = new Uint32Array(counts.byteLength / 4)
    value.exemplars = undefined
  }
  const { counts: target } = value
  const { bytes } = counts
  for (let index = 0, at = counts.start; index < target.length; index++, at += 4) {
    target[index] = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
  }
}

/** Whether a double holds the integer exactly, seen from its upper half alone. */
function isExact({ intHigh }: PointReader): boolean {
  return intHigh < 0x200000 && intHigh >= -0x200000
}

function integerDigits({ intLow, intHigh }: PointReader): string {
  return String((BigInt(intHigh) << 32n) | BigInt(intLow >>> 0))
}
