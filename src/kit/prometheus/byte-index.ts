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
  readonly chunk: Uint8Array
  readonly start: number
  readonly byteLength: number
  value: Value
  next: Entry<Value> | undefined
}

export class ByteIndex<Value> {
  #buckets: (Entry<Value> | undefined)[]
  #mask: number
  #count = 0
  readonly #seed: number
  #chunk = new Uint8Array(0)
  #chunkUsed = 0
  // Of the last key looked for, so that an insertion after a miss need not hash again.
  #hash = 0
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
    const hash = hashBytes(bytes, start, end, Math.imul(parent.serial, 0x9e3779b1) ^ this.#seed)
    this.#hash = hash
    const byteLength = end - start
    let entry = this.#buckets[hash & this.#mask]
    while (entry !== undefined) {
      if (
        entry.hash === hash &&
        entry.parent === parent &&
        entry.byteLength === byteLength &&
        hasBytes(entry, bytes, start)
      ) {
        return entry.value
      }
      entry = entry.next
    }
    return undefined
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
    if (this.#chunkUsed + byteLength > this.#chunk.length) {
      this.#chunk = new Uint8Array(Math.max(chunkBytes, byteLength))
      this.#chunkUsed = 0
    }
    this.#chunk.set(bytes.subarray(start, end), this.#chunkUsed)
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
    }
    this.#chunkUsed += byteLength
    this.#count++
  }

  /** Puts another value under a key that get() finds. */
  replace(from: Value, to: Value): void {
    let entry = this.#buckets[this.#hash & this.#mask]
    for (; entry !== undefined; entry = entry.next) if (entry.value === from) entry.value = to
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

/** Four bytes a step; mixed well enough for the low bits to choose a bucket. */
function hashBytes(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start)
  let index = start
  for (const last = end - 3; index < last; index += 4) {
    const word =
      bytes[index] | (bytes[index + 1] << 8) | (bytes[index + 2] << 16) | (bytes[index + 3] << 24)
    hash = Math.imul(hash ^ word, 0x85ebca6b)
    hash ^= hash >>> 15
  }
  for (; index < end; index++) hash = Math.imul(hash ^ bytes[index], 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  return hash ^ (hash >>> 13)
}

function hasBytes(
  { chunk, start: from, byteLength }: Entry<unknown>,
  bytes: Uint8Array,
  start: number,
): boolean {
  for (let index = 0; index < byteLength; index++) {
    if (chunk[from + index] !== bytes[start + index]) return false
  }
  return true
}
