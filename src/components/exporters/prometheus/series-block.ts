/**
 * Some series of one family, as columns of numbers: a million series as objects would be millions of objects for every
 * full garbage collection to visit. Rows keep their place for life, so a page has the same order every time.
 */
import assert from 'node:assert/strict'
import type { DeltaStream } from '../../../kit/prometheus/delta-streams.ts'
import type { Metric } from './series.ts'
import type { Exemplar, SeriesDetail } from './series-value.ts'

export const rowsMax = 512

/** Columns of `ints`. */
export const intColumns = {
  timeLow: 0,
  timeHigh: 1,
  startLow: 2,
  startHigh: 3,
  textStart: 4,
  textLength: 5,
  textHash: 6,
  attributesHash: 7,
  flags: 8,
  /** Of a free row, the next free one plus 1. */
  nextFree: 9,
  /** How often the row has changed hands. */
  generation: 10,
} as const

export const intsPerRow = 11

/** So that generation and position together stay below 2^53. */
const generationsMax = 2 ** 22

export const rowFlags = { live: 1, quoted: 2, collided: 4, stateLabel: 8 } as const

export class SeriesBlock {
  readonly id: number
  readonly ints: Int32Array
  /** Value and time of receipt in turn. */
  readonly doubles: Float64Array
  readonly metrics: (Metric | undefined)[] = []
  /** Label texts of all rows. */
  text = new Uint8Array(0)
  textView = new DataView(this.text.buffer)
  // Made when a first row needs them: most families never do.
  details: (SeriesDetail | undefined)[] | undefined
  exemplars: (Exemplar | undefined)[] | undefined
  /** Digits of integers that a double cannot hold. */
  digits: (string | undefined)[] | undefined
  deltas: (DeltaStream | undefined)[] | undefined
  rowCount = 0
  #textUsed = 0
  #textLive = 0
  #firstFree = 1

  /** `generation` is above every one that a row of an earlier block of this id had. */
  constructor(id: number, capacity: number, generation: number) {
    this.id = id
    this.ints = new Int32Array(capacity * intsPerRow)
    this.doubles = new Float64Array(capacity * 2)
    for (let row = 0; row < capacity; row++) {
      const at = row * intsPerRow
      this.ints[at + intColumns.nextFree] = row + 1 === capacity ? 0 : row + 2
      this.ints[at + intColumns.generation] = generation
      this.metrics.push(undefined)
    }
  }

  get capacity(): number {
    return this.metrics.length
  }

  get isFull(): boolean {
    return this.rowCount === this.capacity
  }

  isLive(row: number): boolean {
    return (this.ints[row * intsPerRow + intColumns.flags] & rowFlags.live) !== 0
  }

  /** A free row, now taken; there must be one. It has no value (NaN) and no time of receipt (-1), all else is 0. */
  add(metric: Metric, text: Uint8Array): number {
    const row = this.#firstFree - 1
    assert(row >= 0, 'a full block')
    const at = row * intsPerRow
    const { ints } = this
    this.#firstFree = ints[at + intColumns.nextFree]
    this.rowCount++
    ints.fill(0, at, at + intColumns.nextFree)
    ints[at + intColumns.flags] = rowFlags.live
    ints[at + intColumns.textStart] = this.#addText(text)
    ints[at + intColumns.textLength] = text.length
    this.doubles[row * 2] = NaN
    this.doubles[row * 2 + 1] = -1
    this.metrics[row] = metric
    return row
  }

  remove(row: number): void {
    const at = row * intsPerRow
    const { ints } = this
    ints[at + intColumns.flags] = 0
    ints[at + intColumns.generation] = (ints[at + intColumns.generation] + 1) % generationsMax
    ints[at + intColumns.nextFree] = this.#firstFree
    this.#firstFree = row + 1
    this.rowCount--
    this.#textLive -= ints[at + intColumns.textLength]
    this.metrics[row] = undefined
    if (this.details !== undefined) this.details[row] = undefined
    if (this.deltas !== undefined) this.deltas[row] = undefined
    if (this.exemplars !== undefined) this.exemplars[row] = undefined
    if (this.digits !== undefined) this.digits[row] = undefined
  }

  /** Above every generation of its rows. */
  nextGeneration(): number {
    let newest = 0
    for (let at = intColumns.generation; at < this.ints.length; at += intsPerRow) {
      newest = Math.max(newest, this.ints[at])
    }
    return (newest + 1) % generationsMax
  }

  #addText(text: Uint8Array): number {
    if (this.#textUsed + text.length > this.text.length) this.#makeRoom(text.length)
    const start = this.#textUsed
    this.text.set(text, start)
    this.#textUsed += text.length
    this.#textLive += text.length
    return start
  }

  /** Texts of rows that are gone make room first. A scrape under way reads positions anew for every row. */
  #makeRoom(byteLength: number): void {
    const needed = this.#textLive + byteLength
    const roomy = Math.ceil(needed * textGrowth) + 64
    // Rows are much of a length, so what all of them need is foreseen; but where rows come and go, room that is just
    // enough would have every new one move all the others.
    const isFirstFilling = this.#textLive === this.#textUsed
    const whole = Math.ceil((needed * this.capacity) / this.rowCount)
    const grown = new Uint8Array(Math.max(needed, isFirstFilling ? Math.min(whole, roomy) : roomy))
    let used = 0
    for (let row = 0; row < this.capacity; row++) {
      if (!this.isLive(row)) continue
      const at = row * intsPerRow
      // The row under construction has no text yet.
      const length = this.ints[at + intColumns.textLength]
      const start = this.ints[at + intColumns.textStart]
      grown.set(this.text.subarray(start, start + length), used)
      this.ints[at + intColumns.textStart] = used
      used += length
    }
    this.text = grown
    this.textView = new DataView(grown.buffer)
    this.#textUsed = used
  }
}

const textGrowth = 1.25
