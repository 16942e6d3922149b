/** io.prometheus.write.v2.Request: texts stand in one table, and series refer to them by number. */
import { WireWriter } from '../../../wire/wire-writer.ts'
import { varintLength } from '../../../wire/varint.ts'
import { readLabels } from './label-slab.ts'
import { encodeHistogram } from './native-histogram.ts'
import { RequestBuffer, sampleLength } from './request-buffer.ts'
import type { Family, Row } from './row.ts'
import type { SampleList } from './sample-list.ts'
import type { PooledSymbol, SymbolPool } from './symbol-pool.ts'
import { type BuildRequest, chainRows, nextSerial, type WriteCounts } from './write-request.ts'

export function requestBuilderV2(pool: SymbolPool): BuildRequest {
  const encoder = new RequestEncoder(pool)
  return (list, indices) => encoder.build(list, indices)
}

class RequestEncoder {
  readonly #pool: SymbolPool
  readonly #symbols = new RequestBuffer()
  readonly #series = new RequestBuffer()
  readonly #body = new RequestBuffer()
  readonly #writer = new WireWriter(512)
  /** Taken for this request only: of metadata, exemplars, and rows that are over. */
  readonly #borrowed: PooledSymbol[] = []
  #serial = 0
  #symbolCount = 0
  #counts: WriteCounts = { samples: 0, histograms: 0, exemplars: 0 }

  constructor(pool: SymbolPool) {
    this.#pool = pool
  }

  build(list: SampleList, indices: readonly number[]) {
    this.#serial = nextSerial()
    this.#counts = { samples: 0, histograms: 0, exemplars: 0 }
    this.#symbols.clear()
    this.#series.clear()
    this.#body.clear()
    // The first is the empty text, for references that mean nothing.
    this.#symbols.text(0x22, '')
    this.#symbolCount = 1
    const { heads, next } = chainRows(list, indices, this.#serial)
    const chain: number[] = []
    for (const head of heads) {
      chain.length = 0
      for (let place = head; place !== -1; place = next[place]) chain.push(indices[place])
      this.#writeSeries(list, chain)
    }
    this.#pool.release(this.#borrowed.splice(0))
    for (const part of [this.#symbols, this.#series]) {
      this.#body.copy(part.bytes, 0, part.length)
    }
    return { body: this.#body.bytes, counts: this.#counts, described: [] }
  }

  #writeSeries(list: SampleList, chain: readonly number[]): void {
    const row = list.rows[chain[0]]
    const symbols = row.symbols ?? this.#symbolsOf(row)
    let refsLength = 0
    for (const symbol of symbols) refsLength += varintLength(this.#ref(symbol))
    const metadata = this.#metadata(row.family)
    const rest: Uint8Array[] = []
    let bodyLength = 1 + varintLength(refsLength) + refsLength + metadata.length
    for (const index of chain) {
      const detail = list.details[index]
      if (detail?.histogram === undefined) {
        bodyLength += 2 + sampleLength(list.timesMs[index], list.startsMs[index])
      }
      if (detail === undefined) continue
      const encoded = this.#encodeDetail(list, index)
      rest.push(encoded)
      bodyLength += encoded.length
    }
    const buffer = this.#series
    buffer.header(0x2a, bodyLength)
    buffer.header(0x0a, refsLength)
    for (const symbol of symbols) buffer.varint(symbol.ref)
    for (const index of chain) {
      if (list.details[index]?.histogram !== undefined) continue
      const startMs = list.startsMs[index]
      buffer.header(0x12, sampleLength(list.timesMs[index], startMs))
      buffer.sample(list, index, startMs)
      this.#counts.samples++
    }
    for (const encoded of rest) buffer.copy(encoded, 0, encoded.length)
    buffer.copy(metadata, 0, metadata.length)
  }

  #symbolsOf(row: Row): PooledSymbol[] {
    const symbols: PooledSymbol[] = []
    for (const { name, value } of readLabels(row.labels)) {
      symbols.push(this.#pool.take(name), this.#pool.take(value))
    }
    if (row.isRetired) this.#borrowed.push(...symbols)
    else row.symbols = symbols
    return symbols
  }

  /** The number of a symbol in this request, given when it is first used. */
  #ref(symbol: PooledSymbol): number {
    if (symbol.requestSerial !== this.#serial) {
      symbol.requestSerial = this.#serial
      symbol.ref = this.#symbolCount++
      this.#symbols.text(0x22, symbol.text)
    }
    return symbol.ref
  }

  #borrow(text: string): number {
    if (text === '') return 0
    const symbol = this.#pool.take(text)
    this.#borrowed.push(symbol)
    return this.#ref(symbol)
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
  #encodeDetail(list: SampleList, index: number): Uint8Array {
    const { exemplars, histogram } = list.details[index]!
    const writer = this.#writer
    if (histogram !== undefined) {
      writer.bytes(3, encodeHistogram(histogram, list.timesMs[index], list.startsMs[index]))
      this.#counts.histograms++
    }
    for (const { labels, value, timeMs } of exemplars) {
      const refs = labels.flatMap((label) => [this.#borrow(label.name), this.#borrow(label.value)])
      writer.message(4, () => {
        if (refs.length > 0) writer.packedVarints(1, refs.map(BigInt))
        writer.double(2, value)
        writer.uint(3, timeMs)
      })
      this.#counts.exemplars++
    }
    return writer.finish()
  }
}
