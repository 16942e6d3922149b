/** The page as length-delimited MetricFamily messages: the only form that carries exponential histograms whole. */
import { escapeName } from '../../../kit/prometheus/escaping.ts'
import {
  type Buckets,
  coarser,
  nativeBuckets,
  nativeCount,
  nativeScaleMax,
} from '../../../kit/prometheus/exponential-reader.ts'
import { zigzag } from '../../../kit/prometheus/count.ts'
import { epochMs } from '../../../kit/prometheus/nanos.ts'
import { encodeUtf8 } from '../../../wire/utf8.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { LabelPairs } from './label-pairs.ts'
import { liveSeries } from './live-series.ts'
import type { PageFormat } from './page-format.ts'
import { pieceBytes } from './page-writer.ts'
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
export function* renderProtobuf(
  store: SeriesStore,
  options: Omit<RenderOptions, 'buffers'>,
): Generator<Uint8Array> {
  const { scheme } = options.format
  const page = new FamilyMessages(options)
  const beforeMs = store.expiredBeforeMs()
  const names = new Set<string>([escapeName(scheme, store.targets.name, 'metric')])
  page.open({ name: store.targets.name, help: 'Target metadata', type: 'gauge', unit: '' })
  for (const info of store.targets.values()) {
    if (info.receivedMs < beforeMs) continue
    page.writer.info(info.labels.text, info)
    if (page.writer.isDue) yield* page.pause()
  }
  yield* page.close()
  for (const family of store.families.sorted()) {
    const name = escapeName(scheme, family.name, 'metric')
    // Escaping may make one name of two: the first has it.
    if (names.has(name)) continue
    page.open(family)
    for (const series of liveSeries(family, beforeMs)) {
      names.add(name)
      page.writer.series(series, family.type)
      if (page.writer.isDue) yield* page.pause()
    }
    yield* page.close()
  }
}

/** Gathers the metrics of one family, and puts them into messages. */
class FamilyMessages {
  readonly writer: MetricWriter
  readonly #format: PageFormat
  #head: Uint8Array = noPiece
  #pieces: Uint8Array[] = []
  #byteLength = 0

  constructor(options: Omit<RenderOptions, 'buffers'>) {
    this.writer = new MetricWriter(options)
    this.#format = options.format
  }

  open({ name, help, type, unit }: Head): void {
    const head = new WireWriter()
    head.string(1, escapeName(this.#format.scheme, name, 'metric'))
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
    if (this.writer.byteLength === 0) return
    const piece = this.writer.finish()
    this.#pieces.push(piece)
    this.#byteLength += piece.length
  }
}

class MetricWriter {
  readonly #writer = new WireWriter(2 * pieceBytes)
  readonly #options: Omit<RenderOptions, 'buffers'>
  readonly #labels: LabelPairs

  constructor(options: Omit<RenderOptions, 'buffers'>) {
    this.#options = options
    this.#labels = new LabelPairs(1, options.format.scheme)
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

  info(labels: string, time: { timeLow: number; timeHigh: number }): void {
    const text = encodeUtf8(labels)
    this.#writer.message(4, () => {
      this.#writer.raw(this.#labels.fields(text, 0, text.length))
      this.#writer.message(2, () => this.#writer.double(1, 1))
      this.#timestamp(time)
    })
  }

  /** Field 4 of MetricFamily. */
  series(series: SeriesCursor, type: Family['type']): void {
    this.#writer.message(4, () => {
      const { textBytes, textStart, textEnd } = series
      this.#writer.raw(this.#labels.fields(textBytes, textStart, textEnd))
      this.#value(series, type)
      this.#timestamp(series)
    })
  }

  #timestamp({ timeLow, timeHigh }: { timeLow: number; timeHigh: number }): void {
    if (!this.#options.sendTimestamps || (timeLow === 0 && timeHigh === 0)) return
    this.#writer.uint(6, epochMs(timeLow, timeHigh))
  }

  #value(series: SeriesCursor, type: Family['type']): void {
    const { detail } = series
    const writer = this.#writer
    if (detail instanceof HistogramValue) {
      writer.message(7, () => this.#histogram(series, detail))
    } else if (detail instanceof SummaryValue) {
      writer.message(4, () => this.#summary(series, detail))
    } else if (detail !== undefined) writer.message(7, () => this.#native(series, detail))
    else if (type === 'counter') writer.message(3, () => this.#counter(series))
    else writer.message(type === 'unknown' ? 5 : 2, () => writer.double(1, series.value))
  }

  #counter(series: SeriesCursor): void {
    this.#writer.double(1, series.value)
    this.#exemplar(2, series.exemplar)
    this.#time(3, series.startLow, series.startHigh)
  }

  #summary(series: SeriesCursor, { countLow, countHigh, sum, quantiles }: SummaryValue): void {
    const writer = this.#writer
    writer.int64(1, unsigned(countLow, countHigh))
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
    const count = unsigned(value.countLow, value.countHigh)
    writer.int64(1, count)
    if (value.hasSum) writer.double(2, value.sum)
    const bucketCount = Math.min(layout.values.length, counts.length / 2)
    let sum = 0n
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      sum += unsigned(counts[bucket * 2], counts[bucket * 2 + 1])
      this.#bucket(sum, layout.values[bucket], exemplars?.[bucket])
    }
    this.#bucket(count, Infinity, exemplars?.[layout.values.length])
    this.#time(15, series.startLow, series.startHigh)
  }

  #bucket(count: bigint, bound: number, exemplar: Exemplar | undefined): void {
    const writer = this.#writer
    writer.message(3, () => {
      writer.int64(1, count)
      writer.double(2, bound)
      this.#exemplar(3, exemplar)
    })
  }

  #native(series: SeriesCursor, { histogram: exact, exemplars }: ExponentialValue): void {
    const writer = this.#writer
    const value = coarser(exact, Math.max(0, exact.scale - nativeScaleMax))
    writer.int64(1, BigInt(nativeCount(value)))
    if (value.sum !== undefined) writer.double(2, value.sum)
    writer.sint32(5, value.scale)
    writer.double(6, value.zeroThreshold > 0 ? value.zeroThreshold : zeroThresholdDefault)
    writer.int64(7, BigInt(value.zeroCount))
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
      const labels = encodeUtf8(exemplar.labels)
      writer.raw(this.#labels.fields(labels, 0, labels.length))
      writer.double(2, exemplar.value)
      this.#time(3, exemplar.timeLow, exemplar.timeHigh)
    })
  }

  /** google.protobuf.Timestamp; nothing for an unknown time. */
  #time(field: number, low: number, high: number): void {
    if (low === 0 && high === 0) return
    const nanos = unsigned(low, high)
    const writer = this.#writer
    writer.message(field, () => {
      writer.int64(1, nanos / 1_000_000_000n)
      writer.uint(2, Number(nanos % 1_000_000_000n))
    })
  }
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
