import { hashBytes } from '../../../kit/prometheus/byte-hash.ts'

const intsPerSlot = 3
const slotsMin = 64

/**
 * Which labels there were already, and at which positions. It holds hashes alone, 64 bits of them under a secret key, so
 * that a million labels take 24 MB while their page is made; that two of a million are mistaken for one is a chance of
 * one in 30 millions.
 */
export class LabelTable {
  readonly #seed: number
  /** Two halves of a hash and the position plus 1, which is 0 where a slot is free. */
  #slots = new Int32Array(slotsMin * intsPerSlot)
  #slotCount = slotsMin
  #count = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** The position at which the same labels were added; -1 where there were none, and these are added now. */
  add(
    view: DataView,
    [start, end]: readonly [start: number, end: number],
    position: number,
  ): number {
    const low = hashBytes(view, start, end, this.#seed, 0)
    const high = hashBytes(view, start, end, this.#seed, 1)
    const at = this.#find(low, high)
    const known = this.#slots[at + 2]
    if (known !== 0) return known - 1
    this.#set(at, low, high, position + 1)
    this.#count++
    if (this.#count * 2 > this.#slotCount) this.#grow()
    return -1
  }

  /** Where these are, or the free slot for them. */
  #find(low: number, high: number): number {
    const slots = this.#slots
    const mask = this.#slotCount - 1
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * intsPerSlot
      if (slots[at + 2] === 0 || (slots[at] === low && slots[at + 1] === high)) return at
    }
  }

  #set(at: number, low: number, high: number, place: number): void {
    this.#slots[at] = low
    this.#slots[at + 1] = high
    this.#slots[at + 2] = place
  }

  #grow(): void {
    const old = this.#slots
    this.#allocate(this.#slotCount * 2)
    for (let at = 0; at < old.length; at += intsPerSlot) {
      const place = old[at + 2]
      if (place === 0) continue
      const low = old[at]
      const high = old[at + 1]
      this.#set(this.#find(low, high), low, high, place)
    }
  }

  #allocate(slotCount: number): void {
    this.#slotCount = slotCount
    this.#slots = new Int32Array(slotCount * intsPerSlot)
  }
}
