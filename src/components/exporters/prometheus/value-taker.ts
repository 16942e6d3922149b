/**
 * Puts the value of a point into its series.
 *
 * Delta points are added up. One rule, that of the Collector's deltatocumulative: a point not later than the last one,
 * or begun before the series did, is dropped; all others are added, and a gap or an overlap of its start with what we
 * have is counted. A histogram with other bounds begins anew.
 */
import {
  addExponential,
  type Exponential,
  isPlausible,
  nativeScaleMin,
  readExponential,
} from '../../../kit/prometheus/exponential-reader.ts'
import { HistogramReader, SummaryReader } from '../../../kit/prometheus/histogram-reader.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { temporality } from '../../../kit/prometheus/metric-reader.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { BucketLayouts } from './bucket-layout.ts'
import { bucketExemplars, newestExemplar } from './exemplars.ts'
import { HistogramValue, type Metric, type Series, SummaryValue } from './series.ts'
import type { DeltaCounters } from './store-metrics.ts'

interface TakerOptions {
  readonly rules: LabelRules
  readonly keepsExemplars: boolean
}

export class ValueTaker {
  readonly #options: TakerOptions
  readonly #deltas: DeltaCounters
  readonly #histogram = new HistogramReader()
  readonly #summary = new SummaryReader()
  readonly #layouts = new BucketLayouts()
  /** Time of the newest point since forgetNewest(), and whether there was one. */
  newestLow = 0
  newestHigh = 0
  hasTaken = false

  constructor(options: TakerOptions, deltas: DeltaCounters) {
    this.#options = options
    this.#deltas = deltas
  }

  forgetNewest(): void {
    this.newestLow = this.newestHigh = 0
    this.hasTaken = false
  }

  /** Undefined when the point is now part of the series, or the cause for which it was dropped. */
  take(series: Series, point: PointReader, metric: Metric): string | undefined {
    const { timeLow, timeHigh } = point
    const isNew = series.receivedMs === 0 && series.timeHigh === 0 && series.timeLow === 0
    const order = compareNanos(timeLow, timeHigh, series.timeLow, series.timeHigh)
    if (order < 0) return 'out_of_order'
    const isDelta = metric.temporality === temporality.delta && hasTemporality(metric)
    if (isDelta && !isNew) {
      if (order === 0 || this.#beginsBefore(series, point)) return 'out_of_order'
    }
    const cause = isDelta
      ? this.#add(series, point, metric, isNew)
      : this.#set(series, point, metric)
    if (cause !== undefined) return cause
    series.timeLow = timeLow
    series.timeHigh = timeHigh
    if (!isDelta || isNew) {
      series.startLow = point.startLow
      series.startHigh = point.startHigh
    }
    this.hasTaken = true
    if (compareNanos(timeLow, timeHigh, this.newestLow, this.newestHigh) > 0) {
      this.newestLow = timeLow
      this.newestHigh = timeHigh
    }
    return undefined
  }

  #beginsBefore(series: Series, point: PointReader): boolean {
    const { startLow, startHigh } = point
    if (startLow === 0 && startHigh === 0) return false
    return compareNanos(startLow, startHigh, series.startLow, series.startHigh) < 0
  }

  #set(series: Series, point: PointReader, metric: Metric): string | undefined {
    switch (metric.dataField) {
      case metricDataFields.gauge:
      case metricDataFields.sum:
        return this.#setNumber(series, point, metric)
      case metricDataFields.histogram:
        return this.#setHistogram(series, point)
      case metricDataFields.exponentialHistogram:
        return this.#setExponential(series, point)
      default:
        return this.#setSummary(series, point)
    }
  }

  #setNumber(series: Series, point: PointReader, metric: Metric): string | undefined {
    if (!point.hasValue) return 'no_value'
    series.value = point.value
    if (point.isInteger && !isExact(point)) series.digits = integerDigits(point)
    else if (series.digits !== undefined) series.digits = undefined
    if (metric.isMonotonic) this.#keepExemplar(series, point)
    return undefined
  }

  #keepExemplar(series: Series, point: PointReader): void {
    if (point.exemplars.length === 0 || !this.#options.keepsExemplars) return
    series.exemplar = newestExemplar(this.#options.rules.naming, point, series.exemplar)
  }

  #setHistogram(series: Series, point: PointReader): string | undefined {
    const reader = this.#histogram
    reader.read(point.bytes, point.start, point.end)
    let value = series.detail as HistogramValue | undefined
    if (value === undefined || !reader.bounds.equals(value.layout.bytes)) {
      const layout = this.#layouts.get(reader.bounds)
      if (layout === undefined) return 'invalid_histogram'
      value = new HistogramValue(layout, noCounts)
      series.detail = value
    }
    value.countLow = reader.countLow
    value.countHigh = reader.countHigh
    value.sum = reader.sum
    value.hasSum = reader.hasSum
    copyCounts(value, reader)
    if (point.exemplars.length > 0 && this.#options.keepsExemplars) {
      bucketExemplars(this.#options.rules.naming, point, value)
    }
    return undefined
  }

  #setSummary(series: Series, point: PointReader): string | undefined {
    const reader = this.#summary
    reader.read(point.bytes, point.start, point.end)
    const value = (series.detail as SummaryValue | undefined) ?? new SummaryValue()
    value.countLow = reader.countLow
    value.countHigh = reader.countHigh
    value.sum = reader.sum
    value.quantiles = distinctQuantiles(reader.quantiles)
    series.detail = value
    return undefined
  }

  #setExponential(series: Series, point: PointReader): string | undefined {
    const value = readExponential(point.bytes, point.start, point.end)
    if (!isPlausible(value)) return 'invalid_histogram'
    if (value.scale < nativeScaleMin) return 'scale'
    series.detail = value
    this.#keepExemplar(series, point)
    return undefined
  }

  #add(series: Series, point: PointReader, metric: Metric, isNew: boolean): string | undefined {
    if (isNew) return this.#set(series, point, metric)
    const cause = this.#addValue(series, point, metric)
    if (cause === undefined) this.#countStart(series, point)
    return cause
  }

  #addValue(series: Series, point: PointReader, metric: Metric): string | undefined {
    if (metric.dataField === metricDataFields.sum) {
      if (!point.hasValue) return 'no_value'
      series.value += point.value
      series.digits = undefined
      if (metric.isMonotonic) this.#keepExemplar(series, point)
      return undefined
    }
    if (metric.dataField === metricDataFields.histogram) return this.#addHistogram(series, point)
    const value = readExponential(point.bytes, point.start, point.end)
    if (!isPlausible(value)) return 'invalid_histogram'
    const sum = addExponential(series.detail as Exponential, value)
    if (sum.scale < nativeScaleMin) return 'scale'
    series.detail = sum
    this.#keepExemplar(series, point)
    return undefined
  }

  #addHistogram(series: Series, point: PointReader): string | undefined {
    const before = series.detail as HistogramValue
    const reader = this.#histogram
    reader.read(point.bytes, point.start, point.end)
    if (
      !reader.bounds.equals(before.layout.bytes) ||
      reader.counts.byteLength !== before.counts.byteLength
    ) {
      const cause = this.#setHistogram(series, point)
      if (cause !== undefined) return cause
      series.startLow = point.startLow
      series.startHigh = point.startHigh
      return undefined
    }
    const added = new HistogramValue(before.layout, noCounts)
    copyCounts(added, reader)
    for (let at = 0; at < added.counts.length; at += 2) addUnsigned(before.counts, at, added.counts)
    const count = Uint32Array.of(before.countLow, before.countHigh)
    addUnsigned(count, 0, Uint32Array.of(reader.countLow, reader.countHigh))
    before.countLow = count[0] | 0
    before.countHigh = count[1] | 0
    before.hasSum &&= reader.hasSum
    before.sum += reader.sum
    if (point.exemplars.length > 0 && this.#options.keepsExemplars) {
      bucketExemplars(this.#options.rules.naming, point, before)
    }
    return undefined
  }

  #countStart(series: Series, point: PointReader): void {
    const { startLow, startHigh } = point
    const isUnknown = startLow === 0 && startHigh === 0
    const order = compareNanos(startLow, startHigh, series.timeLow, series.timeHigh)
    const { aligned, gap, overlap } = this.#deltas
    if (isUnknown || order === 0) aligned.add(1)
    else if (order > 0) gap.add(1)
    else overlap.add(1)
  }
}

/** A quantile that comes twice would be the same series twice: the last stays. */
function distinctQuantiles(pairs: readonly number[]): number[] {
  const values = new Map<number, number>()
  for (let index = 0; index < pairs.length; index += 2) values.set(pairs[index], pairs[index + 1])
  return [...values].flat()
}

const noCounts = new Uint32Array(0)

function hasTemporality({ dataField }: Metric): boolean {
  return dataField !== metricDataFields.gauge && dataField !== metricDataFields.summary
}

/** Into memory the series already has, where the number of buckets is the same. */
function copyCounts(value: HistogramValue, { counts }: HistogramReader): void {
  if (value.counts.byteLength !== counts.byteLength) {
    value.counts = new Uint32Array(counts.byteLength / 4)
    value.exemplars = undefined
  }
  const target = new Uint8Array(value.counts.buffer)
  for (let index = 0; index < target.length; index++) {
    target[index] = counts.bytes[counts.start + index]!
  }
}

/** A 64-bit addition in halves, wrapping as the hardware would. */
function addUnsigned(target: Uint32Array, at: number, added: Uint32Array): void {
  const low = target[at] + added[at]
  target[at] = low
  target[at + 1] = target[at + 1] + added[at + 1] + (low > 0xffffffff ? 1 : 0)
}

/** Whether a double holds the integer exactly, seen from its upper half alone. */
function isExact({ intHigh }: PointReader): boolean {
  return intHigh < 0x200000 && intHigh >= -0x200000
}

function integerDigits({ intLow, intHigh }: PointReader): string {
  return String((BigInt(intHigh) << 32n) | BigInt(intLow >>> 0))
}
