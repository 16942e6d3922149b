/**
 * Finds a value by a parent and the bytes it was read from. Entries lie in one flat table and keys in shared chunks, so
 * that a million of them are nothing for the garbage collector to walk through, and no slice of what arrived keeps its
 * whole request alive. It grows a bucket at a time: no insertion rehashes all the others.
 */
import { ByteChunks } from './byte-chunks.ts'

export interface Owned {
  /** Distinguishes equal bytes under different parents; a 32-bit integer that no other living parent has. */
  readonly serial: number
}

// Fields of an entry in the table, as words. Half a cache line in all.
const hashAt = 0
const parentAt = 1
const chunkAt = 2
const startAt = 3
const byteLengthAt = 4
/** In the same bucket; of free entries, the next free one. */
const nextAt = 5
/** The one found after this last time: senders keep their order, so it is tried first, without hashing. */
const successorAt = 6
const entryWords = 8

const none = -1
/** Byte length of a free entry. */
const free = -1

export class ByteIndex<Value> {
  #table = new Int32Array(16 * entryWords)
  #values: (Value | undefined)[] = []
  /** Entries ever used: those beyond are untouched. */
  #used = 0
  #firstFree = none
  #count = 0
  readonly #keys = new ByteChunks()
  // Linear hashing: buckets below #split are already divided by one bit more than #mask has.
  #heads = new Int32Array(16).fill(none)
  #mask = 15
  #split = 0
  readonly #seed: number
  // Of the last key looked for, so that an insertion after a miss need not hash again.
  #hash = 0
  #found = none
  #bytes = noBytes
  #view = new DataView(noBytes.buffer)
  #sweepAt = 0

  /** The seed keeps strangers from choosing keys that all fall into one bucket. */
  constructor(seed: number) {
    this.#seed = seed | 0
  }

  get count(): number {
    return this.#count
  }

  /** Memory that the keys hold, with what is free between them. */
  get keyBytes(): number {
    return this.#keys.byteLength
  }

  get(parent: Owned, bytes: Uint8Array, start: number, end: number): Value | undefined {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const table = this.#table
    const serial = parent.serial | 0
    const before = this.#found
    if (before !== none) {
      const guess = table[before + successorAt]
      if (guess !== none && this.#matches(guess, serial, start, end)) {
        this.#found = guess
        return this.#values[guess / entryWords]
      }
    }
    const hash = hashBytes(this.#view, start, end, Math.imul(serial, 0x9e3779b1) ^ this.#seed)
    this.#hash = hash
    let entry = this.#heads[this.#bucket(hash)]
    while (entry !== none) {
      if (table[entry + hashAt] === hash && this.#matches(entry, serial, start, end)) break
      entry = table[entry + nextAt]
    }
    this.#found = entry
    if (entry === none) return undefined
    if (before !== none) table[before + successorAt] = entry
    return this.#values[entry / entryWords]
  }

  /** Adds what the last get() missed; the arguments must be the same. */
  add(
    parent: Owned,
    bytes: Uint8Array,
    extent: readonly [start: number, end: number],
    value: Value,
  ): void {
    const [start, end] = extent
    const entry = this.#take()
    const table = this.#table
    const keys = this.#keys
    keys.add(bytes, start, end)
    table[entry + hashAt] = this.#hash
    table[entry + parentAt] = parent.serial
    table[entry + chunkAt] = keys.chunk
    table[entry + startAt] = keys.start
    table[entry + byteLengthAt] = end - start
    table[entry + successorAt] = none
    this.#values[entry / entryWords] = value
    this.#link(entry)
    this.#count++
    if (this.#count > this.#mask + this.#split) this.#divide()
  }

  /** Puts another value under the key that the last get() found. */
  replace(value: Value): void {
    if (this.#found !== none) this.#values[this.#found / entryWords] = value
  }

  /** Looks at `entryCount` entries where the last sweep stopped; true when a round is complete. */
  sweep(entryCount: number, isGone: (value: Value) => boolean): boolean {
    for (let left = entryCount; left > 0; left--) {
      if (this.#sweepAt >= this.#used) {
        this.#sweepAt = 0
        return true
      }
      const entry = this.#sweepAt
      this.#sweepAt += entryWords
      if (this.#table[entry + byteLengthAt] === free) continue
      if (isGone(this.#values[entry / entryWords]!)) this.#remove(entry)
      else if (this.#keys.isSparse(this.#table[entry + chunkAt])) this.#moveKey(entry)
    }
    return false
  }

  #matches(entry: number, serial: number, start: number, end: number): boolean {
    const table = this.#table
    const byteLength = end - start
    if (table[entry + byteLengthAt] !== byteLength || table[entry + parentAt] !== serial) {
      return false
    }
    const chunk = this.#keys.view(table[entry + chunkAt])
    const from = table[entry + startAt]
    const view = this.#view
    let index = 0
    for (const last = byteLength - 3; index < last; index += 4) {
      if (chunk.getInt32(from + index, true) !== view.getInt32(start + index, true)) return false
    }
    for (; index < byteLength; index++) {
      if (chunk.getUint8(from + index) !== view.getUint8(start + index)) return false
    }
    return true
  }

  /** An entry that is not in use. */
  #take(): number {
    const reused = this.#firstFree
    if (reused !== none) {
      this.#firstFree = this.#table[reused + nextAt]
      return reused
    }
    const entry = this.#used
    if (entry === this.#table.length) {
      const grown = new Int32Array(Math.ceil((entry * growth) / entryWords) * entryWords)
      grown.set(this.#table)
      this.#table = grown
    }
    this.#used += entryWords
    return entry
  }

  #remove(entry: number): void {
    const table = this.#table
    const bucket = this.#bucket(table[entry + hashAt])
    const next = table[entry + nextAt]
    let at = this.#heads[bucket]
    if (at === entry) this.#heads[bucket] = next
    else {
      while (table[at + nextAt] !== entry) at = table[at + nextAt]
      table[at + nextAt] = next
    }
    this.#keys.remove(table[entry + chunkAt], table[entry + byteLengthAt])
    table[entry + byteLengthAt] = free
    table[entry + nextAt] = this.#firstFree
    this.#firstFree = entry
    this.#values[entry / entryWords] = undefined
    if (this.#found === entry) this.#found = none
    this.#count--
  }

  /** Of a chunk that is nearly empty, so that it can go. */
  #moveKey(entry: number): void {
    const table = this.#table
    const [chunk, start] = [table[entry + chunkAt], table[entry + startAt]]
    const byteLength = table[entry + byteLengthAt]
    const { buffer } = this.#keys.view(chunk)
    this.#keys.add(new Uint8Array(buffer), start, start + byteLength)
    table[entry + chunkAt] = this.#keys.chunk
    table[entry + startAt] = this.#keys.start
    this.#keys.remove(chunk, byteLength)
  }

  #bucket(hash: number): number {
    const bucket = hash & this.#mask
    return bucket < this.#split ? hash & (this.#mask * 2 + 1) : bucket
  }

  #link(entry: number): void {
    const bucket = this.#bucket(this.#table[entry + hashAt])
    this.#table[entry + nextAt] = this.#heads[bucket]
    this.#heads[bucket] = entry
  }

  /** Divides one bucket in two; after the last one all have a bit more. */
  #divide(): void {
    const buddy = this.#split + this.#mask + 1
    if (buddy >= this.#heads.length) {
      const grown = new Int32Array(this.#heads.length * 2).fill(none, this.#heads.length)
      grown.set(this.#heads)
      this.#heads = grown
    }
    let entry = this.#heads[this.#split]
    this.#heads[this.#split] = none
    this.#split++
    while (entry !== none) {
      const next = this.#table[entry + nextAt]
      this.#link(entry)
      entry = next
    }
    if (this.#split <= this.#mask) return
    this.#mask = this.#mask * 2 + 1
    this.#split = 0
  }
}

/** A larger step would leave more of the table unused, a smaller one copies it more often. */
const growth = 1.5

/**
 * Four bytes a step; mixed well enough for the low bits to choose a bucket. A DataView, kept for as long as the same
 * bytes are read, loads a word at once where an array would load and shift four bytes.
 */
function hashBytes(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start)
  let index = start
  for (const last = end - 3; index < last; index += 4) {
    hash = Math.imul(hash ^ view.getInt32(index, true), 0x85ebca6b)
    hash ^= hash >>> 15
  }
  for (; index < end; index++) hash = Math.imul(hash ^ view.getUint8(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}

const noBytes: Uint8Array = new Uint8Array(0)
