/** The page as length-delimited MetricFamily messages: the only form that carries exponential histograms whole. */
import { escapeName } from '../../../kit/prometheus/escaping.ts'
import {
  type Buckets,
  coarser,
  type Exponential,
  nativeBuckets,
  nativeCount,
  nativeScaleMax,
} from '../../../kit/prometheus/exponential-reader.ts'
import { zigzag } from '../../../kit/prometheus/count.ts'
import { epochMs } from '../../../kit/prometheus/nanos.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { parseLabelText } from './label-text.ts'
import type { PageFormat } from './page-format.ts'
import type { RenderOptions } from './render-text.ts'
import { type Exemplar, type Family, HistogramValue, type Series, SummaryValue } from './series.ts'
import type { SeriesStore } from './series-store.ts'

const pieceLength = 1 << 16
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

/** A family is one message, so all of it is encoded before its length is known; empty pieces are pauses. */
export function* renderProtobuf(store: SeriesStore, options: RenderOptions): Generator<Uint8Array> {
  const writer = new MetricWriter(options)
  const beforeMs = store.expiredBeforeMs()
  for (const info of store.targets.values()) {
    if (info.receivedMs >= beforeMs) writer.info(info.labels.text, info)
  }
  const infos = writer.finish()
  const names = new Set<string>([escapeName(options.format.scheme, store.targets.name, 'metric')])
  const infoHead = { name: store.targets.name, help: 'Target metadata', unit: '' }
  if (infos.length > 0) yield* familyPieces([infos], { ...infoHead, type: 'gauge' }, options.format)
  for (const family of store.families.sorted()) {
    const name = escapeName(options.format.scheme, family.name, 'metric')
    // Escaping may make one name of two: the first has it.
    if (names.has(name)) continue
    const pieces: Uint8Array[] = []
    for (const series of family.series.values()) {
      if (series.receivedMs < beforeMs) continue
      writer.series(series)
      if (writer.byteLength < pieceLength) continue
      pieces.push(writer.finish())
      yield noPiece
    }
    if (writer.byteLength > 0) pieces.push(writer.finish())
    if (pieces.length === 0) continue
    names.add(name)
    yield* familyPieces(pieces, family, options.format)
  }
}

function* familyPieces(
  pieces: readonly Uint8Array[],
  { name, help, type, unit }: Pick<Family, 'name' | 'help' | 'type' | 'unit'>,
  { scheme }: PageFormat,
): Generator<Uint8Array> {
  const head = new WireWriter()
  head.string(1, escapeName(scheme, name, 'metric'))
  if (help !== '') head.string(2, help)
  head.uint(3, typeNumbers[type])
  if (unit !== '') head.string(5, unit)
  const headBytes = head.finish()
  let rest = pieces.reduce((sum, piece) => sum + piece.length, headBytes.length)
  const length: number[] = []
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) length.push((rest % 128) | 0x80)
  length.push(rest)
  yield Uint8Array.from(length)
  yield headBytes
  yield* pieces
}

class MetricWriter {
  readonly #writer = new WireWriter(2 * pieceLength)
  readonly #options: RenderOptions

  constructor(options: RenderOptions) {
    this.#options = options
  }

  get byteLength(): number {
    return this.#writer.byteLength
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }

  info(labels: string, time: { timeLow: number; timeHigh: number }): void {
    this.#metric(labels, time, () => this.#writer.message(2, () => this.#writer.double(1, 1)))
  }

  series(series: Series): void {
    this.#metric(series.labels, series, () => this.#value(series))
  }

  /** Field 4 of MetricFamily. */
  #metric(
    labels: string,
    { timeLow, timeHigh }: { timeLow: number; timeHigh: number },
    value: () => void,
  ): void {
    const writer = this.#writer
    writer.message(4, () => {
      this.#labels(1, labels)
      value()
      if (this.#options.sendTimestamps && (timeLow !== 0 || timeHigh !== 0)) {
        writer.uint(6, epochMs(timeLow, timeHigh))
      }
    })
  }

  #labels(field: number, text: string): void {
    const writer = this.#writer
    const names = new Set<string>()
    for (const label of parseLabelText(text)) {
      const name = escapeName(this.#options.format.scheme, label.name, 'label')
      if (names.has(name)) continue
      names.add(name)
      writer.message(field, () => {
        writer.string(1, name)
        writer.string(2, label.value)
      })
    }
  }

  #value(series: Series): void {
    const { detail, family } = series
    const writer = this.#writer
    if (detail instanceof HistogramValue) {
      writer.message(7, () => this.#histogram(series, detail))
    } else if (detail instanceof SummaryValue) {
      writer.message(4, () => this.#summary(series, detail))
    } else if (detail !== undefined) writer.message(7, () => this.#native(series, detail))
    else if (family.type === 'counter') writer.message(3, () => this.#counter(series))
    else writer.message(family.type === 'unknown' ? 5 : 2, () => writer.double(1, series.value))
  }

  #counter(series: Series): void {
    this.#writer.double(1, series.value)
    this.#exemplar(2, series.exemplar)
    this.#time(3, series.startLow, series.startHigh)
  }

  #summary(series: Series, { countLow, countHigh, sum, quantiles }: SummaryValue): void {
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

  #histogram(series: Series, value: HistogramValue): void {
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

  #native(series: Series, exact: Exponential): void {
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
    const { exemplar } = series
    if (exemplar !== undefined && (exemplar.timeLow !== 0 || exemplar.timeHigh !== 0)) {
      this.#exemplar(16, exemplar)
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
      this.#labels(1, exemplar.labels)
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
