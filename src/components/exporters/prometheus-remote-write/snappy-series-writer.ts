/**
 * Writes 1.0 requests as snappy blocks without ever writing them out: which labels repeat is known from the pool, so
 * that a series whose labels came before is a few copies, and only its value is new. Measured against compressing the
 * encoded request it costs a sixth, for blocks of about the same length (docs/benchmarks.md).
 */
import { SnappyWriter, snappyWindowBytes } from '../../../kit/compression/snappy-writer.ts'
import { varintLength, writeVarint } from '../../../wire/varint.ts'
import { type LabelPool, positionAt } from './label-pool.ts'
import { sampleLength, timeLength, writeTime } from './request-buffer.ts'
import type { SampleList } from './sample-list.ts'
import type { SeriesWriter } from './series-writer.ts'

/** Positions in labels count on from request to request, so that those of earlier ones need not be wiped. */
const positionsMax = 2 ** 30
/** Shorter runs that labels begin with alike are not worth a copy. */
const prefixBytesMin = 8
/** From 1971 to 2109. */
const usualTimeBytes = 6

export class SnappySeriesWriter implements SeriesWriter {
  readonly isCompressed = true
  readonly #pool: LabelPool
  readonly #writer = new SnappyWriter()
  /** What a label's position is counted from; those below are of earlier requests. */
  #base = 1
  /** Positions of latest sample headers, each at a place that follows from its own. */
  readonly #sampleHeads = new Int32Array(1024)
  // Of the series before, positions and what stands there.
  #set = -1
  #headerFrom = 0
  #bodyLength = -1
  #timeFrom = 0
  #timeMs = -1

  constructor(pool: LabelPool) {
    this.#pool = pool
  }

  begin(): void {
    this.#base += this.#writer.position
    if (this.#base > positionsMax) {
      const { labels } = this.#pool
      for (let id = 0; id < labels.used; id += labels.entryWords) labels.words[id + positionAt] = 0
      this.#sampleHeads.fill(0)
      this.#base = 1
    }
    this.#writer.clear()
    this.#set = this.#bodyLength = this.#timeMs = -1
  }

  openSeries(set: number, restLength: number): void {
    const bodyLength = this.#pool.encodedLength(set) + restLength
    const headerLength = 1 + varintLength(bodyLength)
    const writer = this.#writer
    const from = writer.position
    if (bodyLength === this.#bodyLength && writer.sourceEnd === this.#headerFrom) {
      writer.repeat(this.#headerFrom, headerLength)
    } else {
      const at = writer.literals(headerLength)
      writer.output[at] = 0x0a
      writeVarint(writer.output, at + 1, bodyLength)
    }
    this.#headerFrom = from
    this.#bodyLength = bodyLength
    this.#writeLabels(set)
  }

  sample(list: SampleList, index: number): void {
    const writer = this.#writer
    const timeMs = list.timesMs[index]
    let valueAt: number
    if (this.#repeatsSampleHead(timeMs)) {
      writer.repeat(writer.sourceEnd, 3)
      valueAt = writer.literals(8)
    } else {
      valueAt = writer.literals(11) + 3
      writer.output[valueAt - 3] = 0x12
      writer.output[valueAt - 2] = sampleLength(timeMs, 0)
      writer.output[valueAt - 1] = 0x09
    }
    const { output } = writer
    writeWord(output, valueAt, list.words[index * 2])
    writeWord(output, valueAt + 4, list.words[index * 2 + 1])
    this.#writeTime(timeMs)
  }

  bytes(encoded: Uint8Array): void {
    if (encoded.length === 0) return
    const at = this.#writer.literals(encoded.length)
    this.#writer.output.set(encoded, at)
  }

  finish(): Uint8Array {
    return this.#writer.finish()
  }

  /** Whether the labels before it were copied from where a sample follows them too; one of the usual length. */
  #repeatsSampleHead(timeMs: number): boolean {
    if (timeLength(timeMs) !== usualTimeBytes) return false
    const { position, sourceEnd } = this.#writer
    const heads = this.#sampleHeads
    const isKnown = sourceEnd >= 0 && heads[sourceEnd % heads.length] === this.#base + sourceEnd
    heads[position % heads.length] = this.#base + position
    return isKnown
  }

  /** Series that were scraped together have the same time. */
  #writeTime(timeMs: number): void {
    const writer = this.#writer
    const from = writer.position
    const byteLength = 1 + timeLength(timeMs)
    if (timeMs === this.#timeMs && from - this.#timeFrom <= snappyWindowBytes) {
      writer.repeat(this.#timeFrom, byteLength)
    } else {
      const at = writer.literals(byteLength)
      writer.output[at] = 0x10
      writeTime(writer.output, at + 1, timeMs)
      this.#timeMs = timeMs
    }
    this.#timeFrom = from
  }

  #writeLabels(set: number): void {
    const { labels, sets } = this.#pool
    const writer = this.#writer
    const { words } = labels
    const ids = sets.keyMemory(set)
    const start = sets.keyStart(set)
    const end = start + sets.keyLength(set)
    const oldest = this.#base - snappyWindowBytes
    for (let at = start; at < end; at += 4) {
      const id = ids.getInt32(at, true)
      const position = writer.position
      const known = words[id + positionAt]
      words[id + positionAt] = this.#base + position
      if (known >= this.#base && known >= oldest + position) {
        writer.repeat(known - this.#base, labels.keyLength(id))
      } else this.#newLabel(id, at - start)
    }
    this.#set = set
  }

  /** Begins like the label of the series before at the same place more often than not. */
  #newLabel(id: number, offset: number): void {
    const { labels, sets } = this.#pool
    const writer = this.#writer
    const bytes = new Uint8Array(labels.keyMemory(id).buffer)
    const start = labels.keyStart(id)
    const byteLength = labels.keyLength(id)
    let same = 0
    if (this.#set !== -1 && offset < sets.keyLength(this.#set)) {
      const other = sets.keyMemory(this.#set).getInt32(sets.keyStart(this.#set) + offset, true)
      const from = labels.words[other + positionAt] - this.#base
      if (other !== id && from >= 0 && writer.position - from <= snappyWindowBytes) {
        same = this.#sameBytes(other, bytes, start, byteLength)
        if (same >= prefixBytesMin || writer.sourceEnd === from) writer.repeat(from, same)
        else same = 0
      }
    }
    const at = writer.literals(byteLength - same)
    const { output } = writer
    for (let index = same; index < byteLength; index++) {
      output[at + index - same] = bytes[start + index]
    }
  }

  /** How many bytes a label has in common with these, from the beginning; at least one is left. */
  #sameBytes(other: number, bytes: Uint8Array, start: number, byteLength: number): number {
    const { labels } = this.#pool
    const known = new Uint8Array(labels.keyMemory(other).buffer)
    const knownStart = labels.keyStart(other)
    const last = Math.min(byteLength, labels.keyLength(other)) - 1
    let same = 0
    while (same < last && known[knownStart + same] === bytes[start + same]) same++
    return same
  }
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
}
