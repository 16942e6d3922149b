/**
 * Finds a value by a parent and the bytes it was read from. Keys are copied into shared chunks, since a slice of what
 * arrived would keep its whole request alive; a chunk goes when its last key has gone.
 */

export interface Owned {
  /** Distinguishes equal bytes under different parents; a small integer. */
  readonly serial: number
}

interface Entry<Value> {
  readonly hash: number
  readonly parent: Owned
  readonly chunk: DataView
  readonly start: number
  readonly byteLength: number
  value: Value
  /** In the same bucket. */
  next: Entry<Value> | undefined
  /** The one found after this last time: senders keep their order, so it is tried first, without hashing. */
  successor: Entry<Value> | undefined
  isRemoved: boolean
}

export class ByteIndex<Value> {
  #buckets: (Entry<Value> | undefined)[]
  #mask: number
  #count = 0
  readonly #seed: number
  #chunk = new DataView(new ArrayBuffer(0))
  #chunkUsed = 0
  // Of the last key looked for, so that an insertion after a miss need not hash again.
  #hash = 0
  #found: Entry<Value> | undefined
  #bytes = noBytes
  #view = new DataView(noBytes.buffer)
  #sweepAt = 0

  /** The seed keeps strangers from choosing keys that all fall into one bucket. */
  constructor(seed: number) {
    this.#seed = seed | 0
    this.#buckets = emptyBuckets(16)
    this.#mask = 15
  }

  get count(): number {
    return this.#count
  }

  get(parent: Owned, bytes: Uint8Array, start: number, end: number): Value | undefined {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    const view = this.#view
    const byteLength = end - start
    const before = this.#found
    const guess = before?.successor
    if (
      guess !== undefined &&
      guess.parent === parent &&
      guess.byteLength === byteLength &&
      !guess.isRemoved &&
      hasBytes(guess, view, start)
    ) {
      this.#found = guess
      return guess.value
    }
    const hash = hashBytes(view, start, end, Math.imul(parent.serial, 0x9e3779b1) ^ this.#seed)
    this.#hash = hash
    let entry = this.#buckets[hash & this.#mask]
    while (entry !== undefined) {
      if (
        entry.hash === hash &&
        entry.parent === parent &&
        entry.byteLength === byteLength &&
        hasBytes(entry, view, start)
      ) {
        break
      }
      entry = entry.next
    }
    if (before !== undefined && entry !== undefined) before.successor = entry
    this.#found = entry
    return entry?.value
  }

  /** Adds what the last get() missed; the arguments must be the same. */
  add(
    parent: Owned,
    bytes: Uint8Array,
    extent: readonly [start: number, end: number],
    value: Value,
  ): void {
    const [start, end] = extent
    const byteLength = end - start
    if (this.#chunkUsed + byteLength > this.#chunk.byteLength) {
      this.#chunk = new DataView(new ArrayBuffer(Math.max(chunkBytes, byteLength)))
      this.#chunkUsed = 0
    }
    new Uint8Array(this.#chunk.buffer).set(bytes.subarray(start, end), this.#chunkUsed)
    if (this.#count > this.#mask) this.#grow()
    const at = this.#hash & this.#mask
    this.#buckets[at] = {
      hash: this.#hash,
      parent,
      chunk: this.#chunk,
      start: this.#chunkUsed,
      byteLength,
      value,
      next: this.#buckets[at],
      successor: undefined,
      isRemoved: false,
    }
    this.#chunkUsed += byteLength
    this.#count++
  }

  /** Puts another value under the key that the last get() found. */
  replace(value: Value): void {
    if (this.#found !== undefined) this.#found.value = value
  }

  /** Looks at about `entryCount` entries where the last sweep stopped; true when a round is complete. */
  sweep(entryCount: number, isGone: (value: Value) => boolean): boolean {
    for (let left = entryCount; left > 0; left--) {
      if (this.#sweepAt > this.#mask) {
        this.#sweepAt = 0
        return true
      }
      left -= this.#sweepBucket(this.#sweepAt++, isGone)
    }
    return false
  }

  #sweepBucket(at: number, isGone: (value: Value) => boolean): number {
    let seen = 0
    let before: Entry<Value> | undefined
    for (let entry = this.#buckets[at]; entry !== undefined; entry = entry.next) {
      seen++
      if (!isGone(entry.value)) before = entry
      else {
        this.#count--
        entry.isRemoved = true
        // Else removed entries would keep each other alive.
        entry.successor = undefined
        if (before === undefined) this.#buckets[at] = entry.next
        else before.next = entry.next
      }
    }
    return seen
  }

  #grow(): void {
    const old = this.#buckets
    const length = old.length * 2
    const mask = length - 1
    const buckets = emptyBuckets<Value>(length)
    for (let head of old) {
      while (head !== undefined) {
        const next: Entry<Value> | undefined = head.next
        const at = head.hash & mask
        head.next = buckets[at]
        buckets[at] = head
        head = next
      }
    }
    this.#buckets = buckets
    this.#mask = mask
    // A sweep under way starts again, or it would miss what moved behind it.
    this.#sweepAt = 0
  }
}

const chunkBytes = 16384

function emptyBuckets<Value>(length: number): (Entry<Value> | undefined)[] {
  return Array.from({ length }, () => undefined)
}

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

function hasBytes(
  { chunk, start: from, byteLength }: Entry<unknown>,
  view: DataView,
  start: number,
): boolean {
  let index = 0
  for (const last = byteLength - 3; index < last; index += 4) {
    if (chunk.getInt32(from + index, true) !== view.getInt32(start + index, true)) return false
  }
  for (; index < byteLength; index++) {
    if (chunk.getUint8(from + index) !== view.getUint8(start + index)) return false
  }
  return true
}

const noBytes: Uint8Array = new Uint8Array(0)
