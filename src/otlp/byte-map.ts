import { KeyLog } from './key-log.ts'

export interface ByteMapLimits {
  readonly entryCountMax: number
  /** Of all keys together. */
  readonly keyBytesMax: number
}

const slotCountFirst = 64

/** Keys whose hashes crowd one place beyond this are not kept: a look-up stays short whatever is sent. */
const probeCountMax = 128

/**
 * A bounded map keyed by the content of bytes: a cache in front of something that costs more. Look-ups allocate nothing.
 * Keys are copied, so that no larger buffer stays alive through one (but for the array that was looked at last). When it
 * is full, entries leave in the order they came; those looked up since are kept for another round.
 *
 * Made for telemetry, which repeats itself: each entry remembers which one was asked for after it, and that one is
 * compared before anything is hashed. A key of 120 bytes is found in about 50 ns, or 90 by its hash.
 */
export class ByteMap<V> {
  readonly #limits: ByteMapLimits
  readonly #keys = new KeyLog()
  #values: (V | undefined)[] = []
  /** Entry + 1 by hash, open addressing with steps of one; 0 is free. */
  #slots = new Int32Array(slotCountFirst)
  #mask = slotCountFirst - 1
  /** The entry that was found last, for what follows it; -1 when there is none. */
  #last = -1
  #evictionCount = 0

  constructor(limits: ByteMapLimits) {
    this.#limits = limits
  }

  get entryCount(): number {
    return this.#keys.entryCount
  }

  get keyBytes(): number {
    return this.#keys.keyBytes
  }

  /** What the keys take in memory: with holes, padding and free room. */
  get pageBytes(): number {
    return this.#keys.pageBytes
  }

  /** Entries that left to make room, and keys that were not kept. */
  get evictionCount(): number {
    return this.#evictionCount
  }

  /** The value of the key that is the bytes from `start` to `end`. */
  get(bytes: Uint8Array, start = 0, end = bytes.length): V | undefined {
    const keys = this.#keys
    keys.look(bytes, start, end)
    const last = this.#last
    if (last >= 0) {
      const expected = keys.following(last)
      if (keys.isLookedAt(expected)) return this.#found(expected)
    }
    const entry = this.#slots[this.#find(keys.hash())] - 1
    if (entry < 0) return undefined
    if (last >= 0) keys.follow(last, entry)
    return this.#found(entry)
  }

  /** A key longer than the limit of all keys together is not kept. */
  set(bytes: Uint8Array, value: V, start = 0, end = bytes.length): void {
    const byteLength = end - start
    const keys = this.#keys
    keys.look(bytes, start, end)
    const hash = keys.hash()
    const known = this.#slots[this.#find(hash)] - 1
    if (known >= 0) {
      this.#values[known] = value
      return
    }
    if (byteLength > this.#limits.keyBytesMax) {
      this.#evictionCount++
      return
    }
    this.#makeRoom(byteLength)
    if ((keys.entryCount + 1) * 2 > this.#slots.length) this.#grow()
    const slot = this.#find(hash)
    if (((slot - hash) & this.#mask) > probeCountMax) {
      this.#evictionCount++
      return
    }
    const entry = keys.add(hash)
    this.#values[entry] = value
    this.#slots[slot] = entry + 1
    if (this.#last >= 0) keys.follow(this.#last, entry)
    this.#last = entry
  }

  delete(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    this.#keys.look(bytes, start, end)
    const slot = this.#find(this.#keys.hash())
    if (this.#slots[slot] === 0) return false
    this.#removeAt(slot)
    return true
  }

  clear(): void {
    this.#keys.clear()
    this.#values = []
    this.#slots = new Int32Array(slotCountFirst)
    this.#mask = slotCountFirst - 1
    this.#last = -1
  }

  *values(): Iterable<V> {
    for (const slot of this.#slots) if (slot !== 0) yield this.#values[slot - 1] as V
  }

  #found(entry: number): V | undefined {
    this.#keys.use(entry)
    this.#last = entry
    return this.#values[entry]
  }

  /** The slot of the key that is looked at, or the free one where it would go. */
  #find(hash: number): number {
    const keys = this.#keys
    const slots = this.#slots
    const mask = this.#mask
    let slot = hash & mask
    for (;;) {
      const entry = slots[slot] - 1
      if (entry < 0) return slot
      if (keys.hashOf(entry) === hash && keys.isLookedAt(entry)) return slot
      slot = (slot + 1) & mask
    }
  }

  #makeRoom(byteLength: number): void {
    const { entryCountMax, keyBytesMax } = this.#limits
    const keys = this.#keys
    while (
      keys.entryCount > 0 &&
      (keys.entryCount >= entryCountMax || keys.keyBytes + byteLength > keyBytesMax)
    ) {
      this.#evictionCount++
      this.#removeAt(this.#slotOf(keys.oldestToLeave()))
    }
  }

  #slotOf(entry: number): number {
    let slot = this.#keys.hashOf(entry) & this.#mask
    while (this.#slots[slot] !== entry + 1) slot = (slot + 1) & this.#mask
    return slot
  }

  #removeAt(slot: number): void {
    const entry = this.#slots[slot] - 1
    if (this.#last === entry) this.#last = -1
    this.#values[entry] = undefined
    this.#closeGap(slot)
    this.#keys.remove(entry)
  }

  /** Frees a slot and moves back those behind it that would no longer be found. */
  #closeGap(freed: number): void {
    let gap = freed
    let slot = (gap + 1) & this.#mask
    while (this.#slots[slot] !== 0) {
      const home = this.#keys.hashOf(this.#slots[slot] - 1) & this.#mask
      if (((slot - home) & this.#mask) >= ((slot - gap) & this.#mask)) {
        this.#slots[gap] = this.#slots[slot]
        gap = slot
      }
      slot = (slot + 1) & this.#mask
    }
    this.#slots[gap] = 0
  }

  #grow(): void {
    const slots = this.#slots
    this.#slots = new Int32Array(slots.length * 2)
    this.#mask = this.#slots.length - 1
    for (const taken of slots) {
      if (taken === 0) continue
      let slot = this.#keys.hashOf(taken - 1) & this.#mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask
      this.#slots[slot] = taken
    }
  }
}
