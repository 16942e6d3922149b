/** io.prometheus.write.v2.Request: texts stand in one table, and series refer to them by number. */
import { WireWriter } from '../../../wire/wire-writer.ts'
import { varintLength } from '../../../wire/varint.ts'
import {
  type LabelPool,
  labelSerialAt,
  nameRefAt,
  textRefAt,
  textSerialAt,
  valueRefAt,
} from './label-pool.ts'
import { encodeHistogram } from './native-histogram.ts'
import { RequestBuffer, sampleLength } from './request-buffer.ts'
import type { Family } from './row.ts'
import type { SampleDetail, SampleList } from './sample-list.ts'
import { type BuildRequest, nextSerial, SeriesChains, type WriteCounts } from './write-request.ts'

export function requestBuilderV2(pool: LabelPool): BuildRequest {
  const encoder = new RequestEncoder(pool)
  return (list, indices) => encoder.build(list, indices)
}

class RequestEncoder {
  readonly #pool: LabelPool
  readonly #chains = new SeriesChains()
  readonly #symbols = new RequestBuffer()
  readonly #series = new RequestBuffer()
  readonly #body = new RequestBuffer()
  readonly #writer = new WireWriter(512)
  /** Texts taken for this request only, of metadata and exemplars. */
  readonly #borrowed: number[] = []
  /** Of the series at hand. */
  readonly #details: Uint8Array[] = []
  #serial = 0
  #symbolCount = 0
  #counts: WriteCounts = { samples: 0, histograms: 0, exemplars: 0 }

  constructor(pool: LabelPool) {
    this.#pool = pool
  }

  build(list: SampleList, indices: Uint32Array) {
    this.#serial = nextSerial()
    this.#counts = { samples: 0, histograms: 0, exemplars: 0 }
    this.#symbols.clear()
    this.#series.clear()
    this.#body.clear()
    // The first is the empty text, for references that mean nothing.
    this.#symbols.text(0x22, '')
    this.#symbolCount = 1
    const chains = this.#chains
    chains.link(list, indices, this.#pool.sets)
    for (let place = 0; place < indices.length; place++) {
      if (chains.isContinued[place] === 0) this.#writeSeries(list, indices, place)
    }
    for (const text of this.#borrowed.splice(0)) this.#pool.releaseText(text)
    for (const part of [this.#symbols, this.#series]) {
      this.#body.copy(part.bytes, 0, part.length)
    }
    const { bytes: body } = this.#body
    const { duplicates } = chains
    return { body, isCompressed: false, counts: this.#counts, duplicates, described: [] }
  }

  // No object for a series or a sample of it: nearly all are numbers.
  #writeSeries(list: SampleList, indices: Uint32Array, head: number): void {
    const { next } = this.#chains
    const set = list.sets[indices[head]]
    const refsLength = this.#refsLength(set)
    const metadata = this.#metadata(list.row(indices[head]).family)
    const details = this.#details
    let bodyLength = 1 + varintLength(refsLength) + refsLength + metadata.length
    for (let place = head; place !== -1; place = next[place]) {
      const index = indices[place]
      const detail = list.detail(index)
      if (detail?.histogram === undefined) {
        bodyLength += 2 + sampleLength(list.timesMs[index], list.startsMs[index])
      }
      if (detail === undefined) continue
      const encoded = this.#encodeDetail(detail, list.timesMs[index], list.startsMs[index])
      details.push(encoded)
      bodyLength += encoded.length
    }
    const buffer = this.#series
    buffer.header(0x2a, bodyLength)
    this.#writeRefs(set, refsLength)
    for (let place = head; place !== -1; place = next[place]) {
      const index = indices[place]
      if (list.detail(index)?.histogram !== undefined) continue
      const startMs = list.startsMs[index]
      buffer.header(0x12, sampleLength(list.timesMs[index], startMs))
      buffer.sample(list, index, startMs)
      this.#counts.samples++
    }
    for (const encoded of details) buffer.copy(encoded, 0, encoded.length)
    details.length = 0
    buffer.copy(metadata, 0, metadata.length)
  }

  /** Length of the references to a set's labels; those are numbered from here on. */
  #refsLength(set: number): number {
    const { sets, labels } = this.#pool
    const ids = sets.keyMemory(set)
    const start = sets.keyStart(set)
    const end = start + sets.keyLength(set)
    let byteLength = 0
    for (let at = start; at < end; at += 4) {
      const id = ids.getInt32(at, true)
      if (labels.words[id + labelSerialAt] !== this.#serial) this.#number(id)
      byteLength += varintLength(labels.words[id + nameRefAt])
      byteLength += varintLength(labels.words[id + valueRefAt])
    }
    return byteLength
  }

  #writeRefs(set: number, refsLength: number): void {
    const { sets, labels } = this.#pool
    const buffer = this.#series
    const ids = sets.keyMemory(set)
    const start = sets.keyStart(set)
    const end = start + sets.keyLength(set)
    buffer.header(0x0a, refsLength)
    for (let at = start; at < end; at += 4) {
      const id = ids.getInt32(at, true)
      buffer.varint(labels.words[id + nameRefAt])
      buffer.varint(labels.words[id + valueRefAt])
    }
  }

  #number(id: number): void {
    const { name, value } = this.#pool.textsOf(id)
    const { words } = this.#pool.labels
    words[id + labelSerialAt] = this.#serial
    words[id + nameRefAt] = this.#ref(name)
    words[id + valueRefAt] = this.#ref(value)
  }

  /** The number of a text in this request, given when it is first used. */
  #ref(text: number): number {
    const { texts } = this.#pool
    const { words } = texts
    if (words[text + textSerialAt] !== this.#serial) {
      words[text + textSerialAt] = this.#serial
      words[text + textRefAt] = this.#symbolCount++
      const start = texts.keyStart(text)
      const byteLength = texts.keyLength(text)
      this.#symbols.header(0x22, byteLength)
      const bytes = new Uint8Array(texts.keyMemory(text).buffer)
      this.#symbols.copy(bytes, start, start + byteLength)
    }
    return words[text + textRefAt]
  }

  #borrow(text: string): number {
    if (text === '') return 0
    const taken = this.#pool.takeText(text)
    this.#borrowed.push(taken)
    return this.#ref(taken)
  }

  /** The same for all series of a family in one request. */
  #metadata(family: Family): Uint8Array {
    if (family.requestSerial === this.#serial) return family.metadata
    family.requestSerial = this.#serial
    const helpRef = this.#borrow(family.help)
    const unitRef = this.#borrow(family.unit)
    const writer = this.#writer
    writer.message(5, () => {
      writer.uint(1, family.type)
      if (helpRef !== 0) writer.uint(3, helpRef)
      if (unitRef !== 0) writer.uint(4, unitRef)
    })
    family.metadata = writer.finish()
    return family.metadata
  }

  /** Native histogram and exemplars of a sample as whole fields. */
  #encodeDetail(detail: SampleDetail, timeMs: number, startMs: number): Uint8Array {
    const { exemplars, histogram } = detail
    const writer = this.#writer
    if (histogram !== undefined) {
      writer.bytes(3, encodeHistogram(histogram, timeMs, startMs))
      this.#counts.histograms++
    }
    for (const { labels, value, timeMs: ownMs } of exemplars) {
      const refs = labels.flatMap((label) => [this.#borrow(label.name), this.#borrow(label.value)])
      writer.message(4, () => {
        if (refs.length > 0) writer.packedVarints(1, refs.map(BigInt))
        writer.double(2, value)
        writer.uint(3, ownMs)
      })
      this.#counts.exemplars++
    }
    return writer.finish()
  }
}
