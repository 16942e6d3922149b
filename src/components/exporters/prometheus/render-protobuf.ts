/** The page as length-delimited MetricFamily messages: the only form that carries exponential histograms whole. */
import {
  type Buckets,
  coarser,
  nativeBuckets,
  nativeCount,
  nativeScaleMax,
} from '../../../kit/prometheus/exponential-reader.ts'
import { addCounts, type Count, countOfHalves, zigzag } from '../../../kit/prometheus/count.ts'
import { epochMs, epochSeconds, nanosOfSecond } from '../../../kit/prometheus/nanos.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { LabelPairs } from './label-pairs.ts'
import { mayBeEscaped, shownSeries } from './live-series.ts'
import { PageLabels } from './page-labels.ts'
import { PagePauses } from './page-pauses.ts'
import { PageNames } from './page-names.ts'
import { pieceBytes, type PieceBuffers } from './page-writer.ts'
import type { RenderOptions } from './render-text.ts'
import type { SeriesCursor } from './series-cursor.ts'
import {
  type Exemplar,
  type ExponentialValue,
  HistogramValue,
  SummaryValue,
} from './series-value.ts'
import type { SeriesStore } from './series-store.ts'
import type { Family } from './series.ts'
import type { TargetInfo } from './target-infos.ts'

const noPiece = new Uint8Array(0)
const typeNumbers = {
  counter: 0,
  gauge: 1,
  summary: 2,
  unknown: 3,
  histogram: 4,
  info: 1,
  stateset: 1,
} as const
/** Where a Metric has the number of each type. */
const numberFields = {
  counter: 3,
  gauge: 2,
  summary: 2,
  unknown: 5,
  histogram: 2,
  info: 2,
  stateset: 2,
} as const
/** What OpenTelemetry's specification puts where a point has no zero threshold. */
const zeroThresholdDefault = 1e-128

/**
 * A message is encoded before its length is known. A family larger than this goes in several messages of one name,
 * which Prometheus takes for one: else a million series of one family would all lie in memory.
 */
const messageBytesMax = 4 << 20

interface Head {
  readonly name: string
  readonly help: string
  readonly type: Family['type']
  readonly unit: string
}

/** Empty pieces are pauses. */
export function* renderProtobuf(store: SeriesStore, options: RenderOptions): Generator<Uint8Array> {
  const page = new FamilyMessages(store, options)
  const beforeMs = store.expiredBeforeMs()
  const order = { scheme: options.format.scheme, blocks: store.blocks }
  const names = new PageNames(store, options.format)
  const pauses = new PagePauses()
  yield* names.plan()
  page.open({ name: names.target, help: 'Target metadata', type: 'gauge', unit: '' })
  for (const info of store.targets.values()) {
    if (info.receivedMs < beforeMs) continue
    page.writer.info(info)
    if (page.writer.isDue) yield* page.pause()
  }
  yield* page.close()
  for (const [index, family] of names.families.entries()) {
    const name = names.of(index)?.name
    if (name !== undefined) page.openFamily(family, name)
    const isEscaped = mayBeEscaped(family, order.scheme)
    for (const series of shownSeries(family, beforeMs, order)) {
      if (name === undefined) {
        names.reportLoss(index)
        if (pauses.isDue()) yield noPiece
        break
      }
      const isShown = page.writer.series(series, family.type)
      if (page.writer.isDue) yield* page.pause()
      else if ((isEscaped || !isShown) && pauses.isDue()) yield noPiece
    }
    yield* page.close()
  }
}

/** Gathers the metrics of one family, and puts them into messages. */
class FamilyMessages {
  readonly writer: MetricWriter
  readonly #buffers: PieceBuffers
  #head: Uint8Array = noPiece
  #pieces: Uint8Array[] = []
  #byteLength = 0

  constructor(store: SeriesStore, options: RenderOptions) {
    this.writer = new MetricWriter(store, options)
    this.#buffers = options.buffers
  }

  openFamily(family: Family, name: string): void {
    const { help, type, unit } = family
    this.writer.labels.open(family)
    this.open({ name, help, type, unit })
  }

  open({ name, help, type, unit }: Head): void {
    const head = new WireWriter()
    head.string(1, name)
    if (help !== '') head.string(2, help)
    head.uint(3, typeNumbers[type])
    if (unit !== '') head.string(5, unit)
    this.#head = head.finish()
  }

  *pause(): Generator<Uint8Array> {
    this.#take()
    if (this.#byteLength >= messageBytesMax) yield* this.close()
    else yield noPiece
  }

  /** The rest of the family; nothing if there is none. */
  *close(): Generator<Uint8Array> {
    this.#take()
    if (this.#byteLength === 0) return
    const length: number[] = []
    let rest = this.#head.length + this.#byteLength
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80)
    length.push(rest)
    yield Uint8Array.from(length)
    yield this.#head
    yield* this.#pieces
    this.#pieces = []
    this.#byteLength = 0
  }

  #take(): void {
    const { byteLength } = this.writer
    if (byteLength === 0) return
    // A small family shall not hold a whole buffer until it is sent.
    const isSmall = byteLength < pieceBytes / 2
    const piece = isSmall ? this.writer.finish() : this.writer.moveTo(this.#buffers.take())
    this.#pieces.push(piece)
    this.#byteLength += piece.length
  }
}

class MetricWriter {
  readonly #writer = new WireWriter(0)
  readonly #options: RenderOptions
  readonly labels: PageLabels
  readonly #pairs = new LabelPairs(1)

  constructor(store: SeriesStore, options: RenderOptions) {
    this.#options = options
    this.#writer.moveTo(options.buffers.take())
    this.labels = new PageLabels(store, options.format.scheme)
  }

  get byteLength(): number {
    return this.#writer.byteLength
  }

  /** Whether there is enough for a piece. */
  get isDue(): boolean {
    return this.#writer.byteLength >= pieceBytes
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }

  moveTo(buffer: Uint8Array): Uint8Array {
    return this.#writer.moveTo(buffer)
  }

  info(info: TargetInfo): void {
    if (!this.labels.takeInfo(info.labels)) return
    this.#writer.message(4, () => {
      this.#writePairs()
      this.#writer.message(2, () => this.#writer.double(1, 1))
      this.#timestamp(info)
    })
  }

  #writePairs(): void {
    const { view, start, end } = this.labels
    this.#pairs.write(this.#writer, view, start, end)
  }

  /** Field 4 of MetricFamily; false when the page has a series of these labels. */
  series(series: SeriesCursor, type: Family['type']): boolean {
    if (!this.labels.take(series)) return false
    const writer = this.#writer
    // With its labels it is hardly ever shorter than 128 bytes or longer than 16 KiB.
    const metric = writer.begin(4, 2)
    this.#writePairs()
    this.#value(series, type)
    this.#timestamp(series)
    writer.end(metric, 2)
    return true
  }

  #timestamp({ timeLow, timeHigh }: { timeLow: number; timeHigh: number }): void {
    if (!this.#options.sendTimestamps || (timeLow === 0 && timeHigh === 0)) return
    this.#writer.uint(6, epochMs(timeLow, timeHigh))
  }

  #value(series: SeriesCursor, type: Family['type']): void {
    const { detail } = series
    const writer = this.#writer
    if (detail instanceof HistogramValue) {
      const histogram = writer.begin(7, 2)
      this.#histogram(series, detail)
      writer.end(histogram, 2)
    } else if (detail instanceof SummaryValue) {
      writer.message(4, () => this.#summary(series, detail))
    } else if (detail !== undefined) writer.message(7, () => this.#native(series, detail))
    else {
      const number = writer.begin(numberFields[type], 1)
      writer.double(1, series.value)
      if (type === 'counter') this.#counter(series)
      writer.end(number, 1)
    }
  }

  #counter(series: SeriesCursor): void {
    this.#exemplar(2, series.exemplar)
    this.#time(3, series.startLow, series.startHigh)
  }

  #summary(series: SeriesCursor, { countLow, countHigh, sum, quantiles }: SummaryValue): void {
    const writer = this.#writer
    this.#count(1, countOfHalves(countLow, countHigh))
    writer.double(2, sum)
    for (let index = 0; index < quantiles.length; index += 2) {
      writer.message(3, () => {
        writer.double(1, quantiles[index])
        writer.double(2, quantiles[index + 1])
      })
    }
    this.#time(4, series.startLow, series.startHigh)
  }

  #histogram(series: SeriesCursor, value: HistogramValue): void {
    const { layout, counts, exemplars } = value
    const writer = this.#writer
    const count = countOfHalves(value.countLow, value.countHigh)
    this.#count(1, count)
    if (value.hasSum) writer.double(2, value.sum)
    const bucketCount = Math.min(layout.values.length, counts.length / 2)
    let sum: Count = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      sum = addCounts(sum, countOfHalves(counts[bucket * 2], counts[bucket * 2 + 1]))
      this.#bucket(sum, layout.values[bucket], exemplars?.[bucket])
    }
    this.#bucket(count, Infinity, exemplars?.[layout.values.length])
    this.#time(15, series.startLow, series.startHigh)
  }

  #bucket(count: Count, bound: number, exemplar: Exemplar | undefined): void {
    const writer = this.#writer
    const bucket = writer.begin(3, 1)
    this.#count(1, count)
    writer.double(2, bound)
    this.#exemplar(3, exemplar)
    writer.end(bucket, 1)
  }

  #count(field: number, count: Count): void {
    if (typeof count === 'number') this.#writer.uint(field, count)
    else this.#writer.int64(field, count)
  }

  #native(series: SeriesCursor, { histogram: exact, exemplars }: ExponentialValue): void {
    const writer = this.#writer
    const value = coarser(exact, Math.max(0, exact.scale - nativeScaleMax))
    this.#count(1, nativeCount(value))
    if (value.sum !== undefined) writer.double(2, value.sum)
    writer.sint32(5, value.scale)
    writer.double(6, value.zeroThreshold > 0 ? value.zeroThreshold : zeroThresholdDefault)
    this.#count(7, value.zeroCount)
    this.#spans(9, value.negative)
    this.#spans(12, value.positive)
    this.#time(15, series.startLow, series.startHigh)
    // Without a time an exemplar of a native histogram is refused.
    for (const exemplar of exemplars) {
      if (exemplar.timeLow !== 0 || exemplar.timeHigh !== 0) this.#exemplar(16, exemplar)
    }
  }

  /** Spans, and one field on their deltas: not packed, since client_model is proto2. */
  #spans(field: number, buckets: Buckets): void {
    const writer = this.#writer
    const { spans, deltas } = nativeBuckets(buckets)
    for (const { offset, length } of spans) {
      writer.message(field, () => {
        writer.sint32(1, offset)
        writer.uint(2, length)
      })
    }
    for (const delta of deltas) writer.int64(field + 1, zigzag(delta))
  }

  #exemplar(field: number, exemplar: Exemplar | undefined): void {
    if (exemplar === undefined) return
    const writer = this.#writer
    writer.message(field, () => {
      this.#pairs.writeText(writer, this.labels.exemplar(exemplar.labels))
      writer.double(2, exemplar.value)
      this.#time(3, exemplar.timeLow, exemplar.timeHigh)
    })
  }

  /** google.protobuf.Timestamp; nothing for an unknown time. */
  #time(field: number, low: number, high: number): void {
    if (low === 0 && high === 0) return
    const writer = this.#writer
    const time = writer.begin(field, 1)
    writer.uint(1, epochSeconds(low, high))
    writer.uint(2, nanosOfSecond(low, high))
    writer.end(time, 1)
  }
}
