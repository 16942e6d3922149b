/**
 * Finds a value by a parent and the bytes it was read from. The keys are copied: a slice of what arrived would keep its
 * whole request alive.
 */
import { ByteTable, noEntry, ownWordsAt } from './byte-table.ts'

export interface Owned {
  /** Distinguishes equal bytes under different parents; a 32-bit integer that no other living parent has. */
  readonly serial: number
}

/** The entry found after this one last time, plus one: senders keep their order, so it is tried first, without hashing. */
const successorAt = ownWordsAt

export class ByteIndex<Value> {
  readonly #table: ByteTable
  readonly #values: (Value | undefined)[] = []
  #found = noEntry
  #sweepAt = 0

  /** The seed keeps strangers from choosing keys that all fall into one bucket. */
  constructor(seed: number) {
    this.#table = new ByteTable(seed, 1)
  }

  get count(): number {
    return this.#table.count
  }

  /** Memory that the keys hold, with what is free between them. */
  get keyBytes(): number {
    return this.#table.keyBytes
  }

  /** All memory it holds but for what the values themselves take. */
  get keptBytes(): number {
    return this.#table.keptBytes + this.#values.length * 8
  }

  get(parent: Owned, bytes: Uint8Array, start: number, end: number): Value | undefined {
    const table = this.#table
    const serial = parent.serial | 0
    const before = this.#found
    if (before !== noEntry) {
      const guess = table.words[before + successorAt] - 1
      if (guess >= 0 && table.isAt(guess, serial, bytes, start, end)) {
        this.#found = guess
        return this.#values[guess / table.entryWords]
      }
    }
    const entry = table.find(serial, bytes, start, end)
    this.#found = entry
    if (entry === noEntry) return undefined
    if (before !== noEntry) table.words[before + successorAt] = entry + 1
    return this.#values[entry / table.entryWords]
  }

  /** Adds what the last get() missed; the arguments must be the same. */
  add(
    parent: Owned,
    bytes: Uint8Array,
    [start, end]: readonly [start: number, end: number],
    value: Value,
  ): void {
    const entry = this.#table.add(parent.serial | 0, bytes, start, end)
    this.#values[entry / this.#table.entryWords] = value
  }

  /** Puts another value under the key that the last get() found. */
  replace(value: Value): void {
    if (this.#found !== noEntry) this.#values[this.#found / this.#table.entryWords] = value
  }

  /** Looks at `entryCount` entries where the last sweep stopped; true when a round is complete. */
  sweep(entryCount: number, isGone: (value: Value) => boolean): boolean {
    const table = this.#table
    for (let left = entryCount; left > 0; left--) {
      if (this.#sweepAt >= table.used) {
        this.#sweepAt = 0
        return true
      }
      const entry = this.#sweepAt
      this.#sweepAt += table.entryWords
      if (table.isFree(entry)) continue
      if (isGone(this.#values[entry / table.entryWords]!)) this.#remove(entry)
      else table.tidy(entry)
    }
    return false
  }

  #remove(entry: number): void {
    this.#table.remove(entry)
    this.#values[entry / this.#table.entryWords] = undefined
    if (this.#found === entry) this.#found = noEntry
  }
}
