/** prometheus.WriteRequest: every series carries its labels, which lie encoded in its row. */
import { WireWriter } from '../../../wire/wire-writer.ts'
import type { LabelPool } from './label-pool.ts'
import { encodeHistogram } from './native-histogram.ts'
import { sampleLength } from './request-buffer.ts'
import type { Family } from './row.ts'
import type { RowExemplar, SampleDetail, SampleList } from './sample-list.ts'
import { sampleHeaderBytes, type SeriesWriter } from './series-writer.ts'
import {
  type BuildOptions,
  type BuildRequest,
  SeriesChains,
  type WriteCounts,
  type WriteRequest,
} from './write-request.ts'

export function requestBuilderV1(pool: LabelPool, writer: SeriesWriter): BuildRequest {
  const encoder = new RequestEncoder(pool, writer)
  return (list, indices, options) => encoder.build(list, indices, options)
}

/** Exemplars and the native histogram of a sample as whole fields; empty where there is none. */
interface EncodedDetail {
  readonly exemplars: Uint8Array
  readonly histogram: Uint8Array
}

const noBytes = new Uint8Array(0)
const noDetail: EncodedDetail = { exemplars: noBytes, histogram: noBytes }
const encoder = new WireWriter(512)

class RequestEncoder {
  readonly #pool: LabelPool
  readonly #writer: SeriesWriter
  readonly #chains = new SeriesChains()
  /** By index, of the request at hand. */
  readonly #details = new Map<number, EncodedDetail>()
  #counts: WriteCounts = { samples: 0, histograms: 0, exemplars: 0 }

  constructor(pool: LabelPool, writer: SeriesWriter) {
    this.#pool = pool
    this.#writer = writer
  }

  build(list: SampleList, indices: Uint32Array, { metadataBeforeMs }: BuildOptions): WriteRequest {
    const writer = this.#writer
    writer.begin()
    this.#counts = { samples: 0, histograms: 0, exemplars: 0 }
    this.#chains.link(list, indices, this.#pool.sets)
    const { isContinued, duplicates } = this.#chains
    for (let place = 0; place < indices.length; place++) {
      if (isContinued[place] === 0) this.#writeSeries(list, indices, place)
    }
    this.#details.clear()
    const described =
      metadataBeforeMs === undefined ? [] : writeMetadata(writer, list, indices, metadataBeforeMs)
    const { isCompressed } = writer
    return { body: writer.finish(), isCompressed, counts: this.#counts, duplicates, described }
  }

  // No object for a series or a sample: a request has thousands, and nearly all are a number each.
  #writeSeries(list: SampleList, indices: Uint32Array, head: number): void {
    const writer = this.#writer
    const { next } = this.#chains
    let restLength = 0
    for (let place = head; place !== -1; place = next[place]) {
      const index = indices[place]
      const { exemplars, histogram } = this.#encodeDetail(list, index)
      restLength += exemplars.length + histogram.length
      if (histogram.length > 0) continue
      restLength += sampleHeaderBytes + sampleLength(list.timesMs[index], 0)
    }
    writer.openSeries(list.sets[indices[head]], restLength)
    for (let place = head; place !== -1; place = next[place]) {
      const index = indices[place]
      const { exemplars, histogram } = this.#encodeDetail(list, index)
      if (histogram.length === 0) {
        writer.sample(list, index)
        this.#counts.samples++
      } else writer.bytes(histogram)
      if (exemplars.length > 0) writer.bytes(exemplars)
    }
  }

  #encodeDetail(list: SampleList, index: number): EncodedDetail {
    const detail = list.detail(index)
    if (detail === undefined) return noDetail
    let encoded = this.#details.get(index)
    if (encoded === undefined) {
      encoded = encodeDetail(detail, list.timesMs[index])
      this.#details.set(index, encoded)
      this.#counts.exemplars += detail.exemplars.length
      if (encoded.histogram.length > 0) this.#counts.histograms++
    }
    return encoded
  }
}

function encodeDetail({ exemplars, histogram }: SampleDetail, timeMs: number): EncodedDetail {
  for (const exemplar of exemplars) encoder.message(3, () => writeExemplar(exemplar))
  const encodedExemplars = encoder.finish()
  if (histogram === undefined) return { exemplars: encodedExemplars, histogram: noBytes }
  encoder.bytes(4, encodeHistogram(histogram, timeMs, 0))
  return { exemplars: encodedExemplars, histogram: encoder.finish() }
}

function writeExemplar({ labels, value, timeMs }: RowExemplar): void {
  for (const label of labels) {
    encoder.message(1, () => {
      encoder.string(1, label.name)
      encoder.string(2, label.value)
    })
  }
  encoder.double(2, value)
  encoder.uint(3, timeMs)
}

/** Metadata of each family that was not described since then. */
function writeMetadata(
  writer: SeriesWriter,
  list: SampleList,
  indices: Uint32Array,
  beforeMs: number,
): Family[] {
  const families = new Set<Family>()
  for (const index of indices) {
    const { family } = list.row(index)
    if (family.metadataMs <= beforeMs) families.add(family)
  }
  for (const { name, type, help, unit } of families) {
    encoder.message(3, () => {
      encoder.uint(1, type)
      encoder.string(2, name)
      if (help !== '') encoder.string(4, help)
      if (unit !== '') encoder.string(5, unit)
    })
  }
  writer.bytes(encoder.finish())
  return [...families]
}
