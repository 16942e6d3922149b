/** Samples in the order they are to be sent, in flat memory: a sample of a known row costs no object. */
import { isDeepStrictEqual } from 'node:util'
import { CustomHistogram } from '../../../kit/prometheus/custom-buckets.ts'
import { type Exponential, exponentialBytes } from '../../../kit/prometheus/exponential-reader.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import type { Row } from './row.ts'

export interface RowExemplar {
  readonly labels: readonly Label[]
  readonly value: number
  readonly timeMs: number
}

/** What only few samples have beside their value. */
export interface SampleDetail {
  readonly exemplars: readonly RowExemplar[]
  /** In place of a value; 'stale' ends a native histogram's series. */
  readonly histogram?: Exponential | CustomHistogram | 'stale' | undefined
}

/** What a sample takes here: row, labels, shard, value, time, start and its mark. */
export const sampleBytes = 41
const capacityMin = 256

// A stale marker is a NaN with these bits. They are written and copied as integers, since arithmetic and arrays of
// doubles may set the bit that makes a NaN quiet.
const staleLow = 2
const staleHigh = 0x7ff00000

export class SampleList {
  length = 0
  /** Labels of the rows, as sets of the pool. */
  sets = new Int32Array(capacityMin)
  shards = new Uint32Array(capacityMin)
  /** Values as pairs of 32-bit words, low first. */
  words = new Uint32Array(capacityMin * 2)
  timesMs = new Float64Array(capacityMin)
  startsMs = new Float64Array(capacityMin)
  /** 1 for the last sample of a point. */
  ends = new Uint8Array(capacityMin)
  #doubles = new Float64Array(this.words.buffer)
  /** Never made shorter but with the other arrays: growing it anew for every batch would be work for the collector. */
  #rows: (Row | undefined)[] = emptyRows(capacityMin)
  readonly #details = new Map<number, SampleDetail>()

  row(index: number): Row {
    return this.#rows[index]!
  }

  detail(index: number): SampleDetail | undefined {
    return this.#details.size === 0 ? undefined : this.#details.get(index)
  }

  get hasDetails(): boolean {
    return this.#details.size > 0
  }

  /** Of all samples. */
  get details(): Iterable<SampleDetail> {
    return this.#details.values()
  }

  /** Whether two samples of one series and time say the same. */
  isSame(one: number, other: number): boolean {
    const { words } = this
    if (words[one * 2] !== words[other * 2]) return false
    if (words[one * 2 + 1] !== words[other * 2 + 1]) return false
    return isDeepStrictEqual(this.detail(one)?.histogram, this.detail(other)?.histogram)
  }

  /** How many points end with one of these. */
  pointCount(indices: ArrayLike<number>): number {
    let count = 0
    // Not an iterator, which makes an object for each.
    for (let place = 0; place < indices.length; place++) count += this.ends[indices[place]]
    return count
  }

  push(row: Row, value: number, timeMs: number, startMs: number): void {
    const at = this.#add(row, timeMs, startMs)
    this.#doubles[at] = value
  }

  pushStale(row: Row, timeMs: number): void {
    const at = this.#add(row, timeMs, 0)
    this.words[at * 2] = staleLow
    this.words[at * 2 + 1] = staleHigh
  }

  /** Says more of the sample that was added last. */
  attach(detail: SampleDetail): void {
    this.#details.set(this.length - 1, detail)
  }

  /** The sample that was added last is the last of its point. */
  endPoint(): void {
    this.ends[this.length - 1] = 1
  }

  /** Adds the sample at `index` of another list. */
  pushFrom(other: SampleList, index: number): void {
    this.pushRun(other, index, index + 1)
  }

  /** Adds the samples of another list from `start` until `end`. */
  pushRun(other: SampleList, start: number, end: number): void {
    const first = this.length
    this.length += end - start
    if (this.length > this.timesMs.length) this.#resize(Math.max(this.length, first * 2))
    const { sets, shards, words, timesMs, startsMs, ends } = this
    const rows = this.#rows
    const otherRows = other.#rows
    for (let index = start, at = first; index < end; index++, at++) {
      rows[at] = otherRows[index]
      sets[at] = other.sets[index]
      shards[at] = other.shards[index]
      words[at * 2] = other.words[index * 2]
      words[at * 2 + 1] = other.words[index * 2 + 1]
      timesMs[at] = other.timesMs[index]
      startsMs[at] = other.startsMs[index]
      ends[at] = other.ends[index]
    }
    if (!other.hasDetails) return
    for (let index = start; index < end; index++) {
      const detail = other.detail(index)
      if (detail !== undefined) this.#details.set(first + index - start, detail)
    }
  }

  /** Forgets the first `count`; the others move up. */
  dropFirst(count: number): void {
    if (count >= this.length) return this.clear()
    // Not copyWithin, which takes ten times as long for arrays of objects.
    for (let index = count; index < this.length; index++)
      this.#rows[index - count] = this.#rows[index]
    this.#rows.fill(undefined, this.length - count, this.length)
    this.sets.copyWithin(0, count, this.length)
    this.shards.copyWithin(0, count, this.length)
    this.words.copyWithin(0, count * 2, this.length * 2)
    this.timesMs.copyWithin(0, count, this.length)
    this.startsMs.copyWithin(0, count, this.length)
    this.ends.copyWithin(0, count, this.length)
    this.length -= count
    const details = [...this.#details]
    this.#details.clear()
    for (const [index, detail] of details) {
      if (index >= count) this.#details.set(index - count, detail)
    }
  }

  clear(): void {
    this.#rows.fill(undefined, 0, this.length)
    this.length = 0
    this.#details.clear()
    // What one burst needed is not kept for ever.
    if (this.timesMs.length > keptCapacityMax) this.#resize(capacityMin)
  }

  #add(row: Row, timeMs: number, startMs: number): number {
    const at = this.length++
    if (at === this.timesMs.length) this.#resize(at * 2)
    this.#rows[at] = row
    this.sets[at] = row.labels
    this.shards[at] = row.owner.shard
    this.timesMs[at] = timeMs
    this.startsMs[at] = startMs
    this.ends[at] = 0
    return at
  }

  #resize(capacity: number): void {
    const { sets, shards, words, timesMs, startsMs, ends } = this
    const kept = Math.min(this.length, capacity)
    const rows = emptyRows(capacity)
    for (let index = 0; index < kept; index++) rows[index] = this.#rows[index]
    this.#rows = rows
    this.sets = new Int32Array(capacity)
    this.shards = new Uint32Array(capacity)
    this.words = new Uint32Array(capacity * 2)
    this.#doubles = new Float64Array(this.words.buffer)
    this.timesMs = new Float64Array(capacity)
    this.startsMs = new Float64Array(capacity)
    this.ends = new Uint8Array(capacity)
    this.sets.set(sets.subarray(0, kept))
    this.shards.set(shards.subarray(0, kept))
    this.words.set(words.subarray(0, kept * 2))
    this.timesMs.set(timesMs.subarray(0, kept))
    this.startsMs.set(startsMs.subarray(0, kept))
    this.ends.set(ends.subarray(0, kept))
  }
}

function emptyRows(length: number): (Row | undefined)[] {
  return Array.from({ length }, () => undefined)
}

const keptCapacityMax = 65_536

/** What a detail keeps in memory, roughly. */
export function detailBytes({ exemplars, histogram }: SampleDetail): number {
  let byteLength = exemplars.length * 200
  if (histogram instanceof CustomHistogram) byteLength += 200 + histogram.counts.length * 8
  else if (histogram !== undefined && histogram !== 'stale') {
    byteLength += exponentialBytes(histogram)
  }
  return byteLength
}
