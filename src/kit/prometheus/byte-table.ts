/**
 * A hash table of byte strings in flat memory: entries are words of one array, keys lie in shared chunks. A million of
 * them are nothing for the garbage collector to walk through. It grows a bucket at a time (linear hashing): no insertion
 * moves all the others. What an entry means is its user's: some words of each are free for that.
 */
import { ByteChunks } from './byte-chunks.ts'
import { hashBytes } from './byte-hash.ts'

const hashAt = 0
const parentAt = 1
const chunkAt = 2
const startAt = 3
/** Of free entries it is negative. */
const byteLengthAt = 4
/** In the same bucket; of free entries, the next free one. */
const nextAt = 5
/** Of an entry, the first word that is its user's. */
export const ownWordsAt = 6

/** What find() gives when there is none, and what chains end with. */
export const noEntry = -1

export class ByteTable {
  /** Entries are places in it; they stay what they are until they are removed. Replaced as it grows. */
  words: Int32Array
  /** One past the last entry that was ever used. */
  used = 0
  readonly #entryWords: number
  readonly #chunks = new ByteChunks()
  #firstFree = noEntry
  #count = 0
  // Buckets below #split are already divided by one bit more than #mask has.
  #heads = new Int32Array(16).fill(noEntry)
  #mask = 15
  #split = 0
  readonly #seed: number
  // Of the last key looked for, so that an insertion after a miss need not hash again.
  #hash = 0
  #bytes: Uint8Array = noBytes
  #view: DataView = new DataView(noBytes.buffer)

  /** The seed keeps strangers from choosing keys that all fall into one bucket. */
  constructor(seed: number, ownWords: number) {
    this.#seed = seed | 0
    this.#entryWords = ownWordsAt + ownWords
    this.words = new Int32Array(this.#entryWords * 16)
  }

  get count(): number {
    return this.#count
  }

  /** From one entry to the next, in words. */
  get entryWords(): number {
    return this.#entryWords
  }

  /** Memory that the keys hold, with what is free between them. */
  get keyBytes(): number {
    return this.#chunks.byteLength
  }

  /** All memory it holds. */
  get keptBytes(): number {
    return this.words.byteLength + this.#heads.byteLength + this.#chunks.byteLength
  }

  /** The entry of these bytes under that parent, a 32-bit number. */
  find(parent: number, bytes: Uint8Array, start: number, end: number): number {
    this.#read(bytes)
    const hash = hashBytes(this.#view, start, end, this.#seed, parent)
    this.#hash = hash
    const { words } = this
    let entry = this.#heads[this.#bucket(hash)]
    while (entry !== noEntry) {
      if (words[entry + hashAt] === hash && this.#matches(entry, parent, start, end)) break
      entry = words[entry + nextAt]
    }
    return entry
  }

  /** Whether it is the entry of these bytes under that parent. */
  // Five parameters: it is asked for every point.
  // oxlint-disable-next-line max-params
  isAt(entry: number, parent: number, bytes: Uint8Array, start: number, end: number): boolean {
    this.#read(bytes)
    return this.#matches(entry, parent, start, end)
  }

  /** Adds what the last find() missed; the arguments must be the same. Its own words are 0. */
  add(parent: number, bytes: Uint8Array, start: number, end: number): number {
    const entry = this.#take()
    const { words } = this
    const chunks = this.#chunks
    chunks.add(bytes, start, end)
    words[entry + hashAt] = this.#hash
    words[entry + parentAt] = parent
    words[entry + chunkAt] = chunks.chunk
    words[entry + startAt] = chunks.start
    words[entry + byteLengthAt] = end - start
    words.fill(0, entry + ownWordsAt, entry + this.#entryWords)
    this.#link(entry)
    this.#count++
    if (this.#count > this.#mask + this.#split) this.#divide()
    return entry
  }

  remove(entry: number): void {
    const { words } = this
    const bucket = this.#bucket(words[entry + hashAt])
    const next = words[entry + nextAt]
    let at = this.#heads[bucket]
    if (at === entry) this.#heads[bucket] = next
    else {
      while (words[at + nextAt] !== entry) at = words[at + nextAt]
      words[at + nextAt] = next
    }
    this.#chunks.remove(words[entry + chunkAt], words[entry + byteLengthAt])
    words[entry + byteLengthAt] = -1
    words[entry + nextAt] = this.#firstFree
    this.#firstFree = entry
    this.#count--
  }

  isFree(entry: number): boolean {
    return this.words[entry + byteLengthAt] < 0
  }

  keyLength(entry: number): number {
    return this.words[entry + byteLengthAt]
  }

  /** The memory its key lies in; until the next call that changes the table. */
  keyMemory(entry: number): DataView<ArrayBuffer> {
    return this.#chunks.view(this.words[entry + chunkAt])
  }

  /** Where in there the key begins. */
  keyStart(entry: number): number {
    return this.words[entry + startAt]
  }

  /** Moves its key out of memory that is nearly empty, so that this can go. Whoever removes entries calls it for all. */
  tidy(entry: number): void {
    const { words } = this
    const chunk = words[entry + chunkAt]
    const chunks = this.#chunks
    if (!chunks.isSparse(chunk)) return
    const start = words[entry + startAt]
    const byteLength = words[entry + byteLengthAt]
    chunks.add(new Uint8Array(chunks.view(chunk).buffer), start, start + byteLength)
    words[entry + chunkAt] = chunks.chunk
    words[entry + startAt] = chunks.start
    chunks.remove(chunk, byteLength)
  }

  #read(bytes: Uint8Array): void {
    if (this.#bytes === bytes) return
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #matches(entry: number, parent: number, start: number, end: number): boolean {
    const { words } = this
    const byteLength = end - start
    if (words[entry + byteLengthAt] !== byteLength || words[entry + parentAt] !== parent) {
      return false
    }
    const chunk = this.#chunks.view(words[entry + chunkAt])
    const from = words[entry + startAt]
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
    if (reused !== noEntry) {
      this.#firstFree = this.words[reused + nextAt]
      return reused
    }
    const entry = this.used
    if (entry === this.words.length) {
      const entryCount = Math.ceil((entry / this.#entryWords) * growth)
      const grown = new Int32Array(entryCount * this.#entryWords)
      grown.set(this.words)
      this.words = grown
    }
    this.used += this.#entryWords
    return entry
  }

  #bucket(hash: number): number {
    const bucket = hash & this.#mask
    return bucket < this.#split ? hash & (this.#mask * 2 + 1) : bucket
  }

  #link(entry: number): void {
    const bucket = this.#bucket(this.words[entry + hashAt])
    this.words[entry + nextAt] = this.#heads[bucket]
    this.#heads[bucket] = entry
  }

  /** Divides one bucket in two; after the last one all have a bit more. */
  #divide(): void {
    if (this.#split + this.#mask + 1 >= this.#heads.length) {
      const grown = new Int32Array(this.#heads.length * 2).fill(noEntry, this.#heads.length)
      grown.set(this.#heads)
      this.#heads = grown
    }
    let entry = this.#heads[this.#split]
    this.#heads[this.#split] = noEntry
    this.#split++
    while (entry !== noEntry) {
      const next = this.words[entry + nextAt]
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

const noBytes = new Uint8Array(0)
