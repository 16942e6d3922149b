import type { BlockList } from './block-list.ts'

/** Handles of the series of a family, oldest first: rows change hands, so their order says nothing of that. */
export class SeriesOrder {
  readonly #list: BlockList
  #handles: Float64Array
  #length: number
  #goneCount = 0

  /** `handles` are those that there are; it is taken over. */
  constructor(list: BlockList, handles: Float64Array) {
    this.#list = list
    this.#handles = handles
    this.#length = handles.length
  }

  add(handle: number): void {
    if (this.#length === this.#handles.length) {
      // Never in place: who reads the order meanwhile keeps what there was.
      const grown = new Float64Array(Math.max(16, this.#length * 2))
      grown.set(this.#handles)
      this.#handles = grown
    }
    this.#handles[this.#length++] = handle
  }

  /** One of them is gone by now. */
  noteGone(): void {
    this.#goneCount++
    if (this.#goneCount * 2 <= this.#length) return
    this.#handles = this.#handles
      .subarray(0, this.#length)
      .filter((handle) => !this.#list.isGone(handle))
    this.#length = this.#handles.length
    this.#goneCount = 0
  }

  /** As they are now, some gone already. */
  handles(): Float64Array {
    return this.#handles.subarray(0, this.#length)
  }
}
