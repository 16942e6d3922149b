import { metricDataFields } from '../../../otlp/fields.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { asRefusal } from '../../../otlp/malformed.ts'
import { attributesIdentity, type TextAttribute } from '../../../kit/prometheus/attribute-text.ts'
import {
  type DeltaLimits,
  type DeltaOwner,
  type DeltaStream,
  DeltaStreams,
} from '../../../kit/prometheus/delta-streams.ts'
import type { DeltaTotal } from '../../../kit/prometheus/delta-totals.ts'
import { DropTally } from '../../../kit/prometheus/drop-tally.ts'
import { collectorLabelNaming } from '../../../kit/prometheus/label-name.ts'
import { MetricReader, temporality } from '../../../kit/prometheus/metric-reader.ts'
import type { MetricSource } from '../../../kit/prometheus/metric-source.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { PointValue } from '../../../kit/prometheus/point-value.ts'
import { type IndexDropCause, SeriesIndex } from '../../../kit/prometheus/series-index.ts'
import { sweepEntryCount, sweepPeriodMs } from '../../../kit/prometheus/sweep-pace.ts'
import { randomKey } from '../../../kit/prometheus/byte-hash.ts'
import type { Processor } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import { conversionMetrics, type ConversionMetrics } from './conversion-metrics.ts'
import { encodePoint } from './encode-point.ts'
import { type NewPoints, rewriteMetrics } from './rewrite-metrics.ts'
import { RepeatableTimes } from './repeatable-times.ts'

/** Series of a metric by their attributes, whatever the order of those. */
type Family = Map<string, Series>
type Metric = MetricSource<Family>

class Series implements DeltaOwner {
  readonly family: Family
  readonly key: string
  delta: DeltaStream | undefined = undefined
  repeatable: RepeatableTimes | undefined = undefined
  /** The last batch that its total was passed on with. */
  batchSerial = 0
  isGone = false

  constructor(family: Family, key: string) {
    this.family = family
    this.key = key
  }
}

/** A point of a batch, the total that it is in, and the time that total is of: a later one when the point came again. */
interface TakenPoint {
  readonly series: Series
  readonly total: DeltaTotal
  readonly timeLow: number
  readonly timeHigh: number
  readonly totalLow: number
  readonly totalHigh: number
}

/**
 * Makes sums and histograms of delta temporality cumulative, by the rule of kit/prometheus/delta-streams; everything
 * else passes as it came, byte for byte. Min and max are left out, since those of a part say nothing of the whole.
 *
 * What was added stays in the total when the batch is refused. When such a point comes again, the total is passed on at
 * the time that it is of, once a batch: a total is never shown at another time, so that none falls. If it was taken
 * downstream meanwhile, with later points, nothing is missing there and the point is dropped as `repeated`.
 */
export class DeltaToCumulativeProcessor implements Processor {
  readonly #limits: DeltaLimits
  readonly #host: ProcessorHost
  readonly #metrics: ConversionMetrics
  readonly #drops: DropTally
  readonly #deltas: DeltaStreams
  readonly #index: SeriesIndex<Family, Series>
  readonly #value = new PointValue()
  readonly #reader = new MetricReader()
  /** Of the batch at hand, a place for each metric in wire order; a cause where it was not looked at. */
  #results: (Uint8Array[] | 'kept' | IndexDropCause)[] = []
  #taken: TakenPoint[] = []
  #batchSerial = 0
  #nowMs = 0
  #sweeper: Timer | undefined

  constructor(limits: DeltaLimits, host: ProcessorHost) {
    this.#limits = limits
    this.#host = host
    this.#metrics = conversionMetrics(host, limits, () => this.#deltas.count)
    this.#drops = new DropTally(host)
    this.#deltas = new DeltaStreams(limits, this.#metrics.deltas, host.log, (moreBytes) =>
      this.#index.hasRoomFor(moreBytes),
    )
    const seed = randomKey(host.random)
    // Twice, since a series has a key more for each order its attributes come in; and sources are more than streams
    // where most metrics are not deltas.
    const entriesMax = Math.max(entriesMin, limits.max_streams * 2)
    this.#index = new SeriesIndex(
      { rules: identityOnly, seed, entriesMax, host },
      {
        isGone: (series) => series.isGone,
        isNew: (series) => series.delta === undefined,
        partBytes: () => this.#deltas.keptBytes,
        openMetric: (metric) => this.#openMetric(metric),
        openSeries: (metric, attributes) => openSeries(metric, attributes),
        take: (series, point, metric) => this.#take(series, point, metric),
        drop: (metric, pointCount, cause) => {
          if (cause === undefined) return
          if (metric === undefined) this.#results.push(cause)
          else if (isConvertible(metric)) this.#drop(causeOf(cause), pointCount, metric)
        },
      },
    )
  }

  start(): void {
    const periodMs = sweepPeriodMs(this.#limits.max_stale)
    this.#sweeper = this.#host.clock.every(periodMs, () => this.#sweep())
  }

  stop(): void {
    this.#sweeper?.cancel()
    this.#index.close()
  }

  consume(batch: Batch): void | Promise<void> {
    const taken: TakenPoint[] = []
    this.#taken = taken
    this.#batchSerial++
    let waiting: void | Promise<void>
    try {
      const converted = this.#convert(batch)
      const isEmpty = converted.itemCount === 0 && batch.itemCount > 0
      waiting = isEmpty ? undefined : this.#host.next.consume(converted)
    } catch (error) {
      markRepeatable(taken)
      throw error
    }
    if (waiting === undefined) return markPassed(taken)
    // Already now: its sender may lose patience and repeat it before the answer is there.
    markRepeatable(taken)
    return waiting.then(() => markPassed(taken))
  }

  #convert(batch: Batch): Batch {
    this.#nowMs = this.#host.clock.monotonicMs()
    this.#results = []
    try {
      this.#index.read(batch, this.#nowMs)
      let place = 0
      return rewriteMetrics(batch, this.#reader, (metric) =>
        this.#newPoints(metric, this.#results[place++]),
      )
    } catch (error) {
      this.#drops.discard()
      throw asRefusal(error)
    } finally {
      this.#drops.report()
    }
  }

  #newPoints(metric: MetricReader, found: NewPoints | IndexDropCause): NewPoints {
    if (found === 'kept' || typeof found !== 'string') return found
    if (!isConvertible(metric)) return 'kept'
    this.#drop(causeOf(found), metric.pointCount())
    return []
  }

  #openMetric(metric: Metric): boolean {
    const isWanted = isConvertible(metric)
    this.#results.push(isWanted ? [] : 'kept')
    return isWanted
  }

  #take(series: Series, point: PointReader, metric: Metric): void {
    const { dataField } = metric
    const points = this.#results.at(-1) as Uint8Array[]
    if (!point.hasRecordedValue) {
      this.#deltas.forget(series)
      forget(series)
      points.push(point.bytes.slice(point.start, point.end))
      return
    }
    const problem = this.#read(series, point, dataField)
    // A scale that Prometheus does not know is none of our business.
    const isUsable = problem === undefined || problem === 'scale'
    const cause = isUsable ? this.#total(series, point, dataField) : problem
    if (cause === undefined) {
      this.#metrics.added.add(1)
      points.push(encodePoint(dataField, point, this.#value))
      return
    }
    this.#drop(cause, 1, metric)
    if (series.delta === undefined) forget(series)
  }

  /** Makes of the point what its stream is then; a cause where that cannot be. */
  #total(series: Series, point: PointReader, dataField: number): string | undefined {
    const { timeLow, timeHigh } = point
    const uses = { value: this.#value, dataField, nowMs: this.#nowMs }
    const cause = this.#isRepeated(series, point)
      ? this.#repeat(series, point)
      : this.#deltas.take(series, point, uses)
    if (cause !== undefined && cause !== 'repeated') return cause
    if (cause === undefined) series.batchSerial = this.#batchSerial
    const { total } = series.delta!
    const { timeLow: totalLow, timeHigh: totalHigh } = point
    this.#taken.push({ series, total, timeLow, timeHigh, totalLow, totalHigh })
    return cause
  }

  #isRepeated(series: Series, { timeLow, timeHigh }: PointReader): boolean {
    const { repeatable } = series
    if (repeatable === undefined) return false
    this.#deltas.expire(series, this.#nowMs)
    const total = series.delta?.total
    return (
      repeatable.total === total && total.fits(this.#value) && repeatable.has(timeLow, timeHigh)
    )
  }

  #repeat(series: Series, point: PointReader): 'repeated' | undefined {
    const delta = series.delta!
    delta.seenMs = this.#nowMs
    const isShown = series.batchSerial === this.#batchSerial
    if (isShown || series.repeatable!.isPassed(point.timeLow, point.timeHigh)) return 'repeated'
    point.timeLow = delta.timeLow
    point.timeHigh = delta.timeHigh
    delta.present(point, this.#value)
    return undefined
  }

  #read(series: Series, point: PointReader, dataField: number): string | undefined {
    try {
      return this.#value.read(point, dataField)
    } catch (error) {
      if (series.delta === undefined) forget(series)
      throw error
    }
  }

  #drop(cause: string, pointCount: number, metric?: Metric): void {
    this.#drops.add(cause, pointCount, metric)
    this.#metrics.dropped(cause, pointCount)
  }

  #sweep(): void {
    const nowMs = this.#host.clock.monotonicMs()
    const entryCount = sweepEntryCount(this.#index.keyCount)
    this.#index.sweep(entryCount, nowMs - this.#limits.max_stale, (series) => {
      this.#deltas.expire(series, nowMs)
      if (series.delta === undefined) forget(series)
      return series.isGone
    })
  }
}

const entriesMin = 100_000

/** No labels are wanted here, only what tells resources and scopes apart. */
const identityOnly = {
  naming: collectorLabelNaming,
  constLabels: [],
  scopeInfo: false,
  promotes: () => false,
  keepIdentifying: false,
}

function isConvertible(metric: { dataField: number; temporality: number }): boolean {
  const { dataField } = metric
  const hasDeltas =
    dataField === metricDataFields.sum ||
    dataField === metricDataFields.histogram ||
    dataField === metricDataFields.exponentialHistogram
  return hasDeltas && metric.temporality === temporality.delta
}

function openSeries(metric: Metric, attributes: readonly TextAttribute[]): Series {
  metric.family ??= new Map()
  const key = attributesIdentity(attributes)
  let series = metric.family.get(key)
  if (series === undefined) {
    series = new Series(metric.family, key)
    metric.family.set(key, series)
  }
  return series
}

function causeOf(cause: IndexDropCause): string {
  return cause === 'series_limit' ? 'stream_limit' : cause
}

function markRepeatable(taken: readonly TakenPoint[]): void {
  for (const { series, total, timeLow, timeHigh } of taken) {
    if (series.delta?.total !== total) continue
    if (series.repeatable?.total !== total) series.repeatable = new RepeatableTimes(total)
    series.repeatable.add(timeLow, timeHigh)
  }
}

function markPassed(taken: readonly TakenPoint[]): void {
  for (const { series, total, timeLow, timeHigh, totalLow, totalHigh } of taken) {
    const { repeatable } = series
    if (repeatable?.total !== total) continue
    repeatable.remove(timeLow, timeHigh)
    repeatable.markPassed(totalLow, totalHigh)
    if (repeatable.isEmpty) series.repeatable = undefined
  }
}

function forget(series: Series): void {
  series.isGone = true
  series.family.delete(series.key)
}
