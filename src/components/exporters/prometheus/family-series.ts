/** The series of one family: rows in blocks, found by label text. */
import {
  intColumns as columns,
  intsPerRow,
  rowFlags,
  rowsMax,
  type SeriesBlock,
} from './series-block.ts'
import type { BlockList } from './block-list.ts'
import { SeriesOrder } from './series-order.ts'
import type { Metric } from './series.ts'

export interface LabelBytes {
  /** UTF-8 without braces. */
  readonly bytes: Uint8Array
  readonly hash: number
  /** Whether a name is not a legacy one. */
  readonly hasQuoted: boolean
  /** Whether one is named like the family, as each series of a stateset has it. */
  readonly hasState: boolean
}

const rowsMin = 4
const emptySlot = 0
const goneSlot = -1

export class FamilySeries {
  readonly #list: BlockList
  #blocks: SeriesBlock[] = []
  /** Blocks with free rows; new series go to the last. */
  readonly #open: SeriesBlock[] = []
  #count = 0
  #quotedCount = 0
  #stateCount = 0
  /** Positions plus 1 by the hash of their label text, open addressing; the length is a power of two. */
  #slots = new Int32Array(8)
  /** Slots that are not empty. */
  #slotsUsed = 0
  #order: SeriesOrder | undefined

  constructor(list: BlockList) {
    this.#list = list
  }

  get count(): number {
    return this.#count
  }

  /** Of series with a label whose name is not a legacy one. */
  get quotedCount(): number {
    return this.#quotedCount
  }

  /** Of series with a label that is named like the family. */
  get stateCount(): number {
    return this.#stateCount
  }

  /**
   * The handles of its series, oldest first, some gone already. From the first call on: those that are there by then
   * come in the order of their rows. It takes 8 bytes a series more.
   */
  inOrder(): Float64Array {
    this.#order ??= new SeriesOrder(this.#list, this.#handles())
    return this.#order.handles()
  }

  /** In the order of the page. */
  get blocks(): readonly SeriesBlock[] {
    return this.#blocks
  }

  /** The position of the series with these labels; -1 when there is none. */
  find({ bytes, hash }: LabelBytes): number {
    const slots = this.#slots
    const mask = slots.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const slot = slots[at]
      if (slot === emptySlot) return -1
      if (slot !== goneSlot && this.#hasText(slot - 1, bytes, hash)) return slot - 1
    }
  }

  /** Adds a series that is not there yet, and gives its position. */
  add(labels: LabelBytes, metric: Metric): number {
    let block = this.#open.at(-1)
    if (block === undefined) {
      block = this.#list.open(Math.min(rowsMax, Math.max(rowsMin, this.#count)))
      this.#blocks.push(block)
      this.#open.push(block)
    }
    const row = block.add(metric, labels.bytes)
    block.ints[row * intsPerRow + columns.textHash] = labels.hash
    if (labels.hasQuoted) {
      block.ints[row * intsPerRow + columns.flags] |= rowFlags.quoted
      this.#quotedCount++
    }
    if (labels.hasState) {
      block.ints[row * intsPerRow + columns.flags] |= rowFlags.stateLabel
      this.#stateCount++
    }
    this.#count++
    if (block.isFull) this.#open.pop()
    const position = block.id * rowsMax + row
    // Three quarters full at most, or looking for what is not there would take long.
    if ((this.#slotsUsed + 1) * 4 > this.#slots.length * 3) this.#rebuild()
    else this.#insert(labels.hash, position)
    this.#order?.add(this.#list.handle(position))
    return position
  }

  remove(block: SeriesBlock, row: number): void {
    const position = block.id * rowsMax + row
    const mask = this.#slots.length - 1
    let at = block.ints[row * intsPerRow + columns.textHash] & mask
    while (this.#slots[at] !== position + 1) at = (at + 1) & mask
    this.#slots[at] = goneSlot
    if (block.isFull) this.#open.push(block)
    const flags = block.ints[row * intsPerRow + columns.flags]
    if ((flags & rowFlags.quoted) !== 0) this.#quotedCount--
    if ((flags & rowFlags.stateLabel) !== 0) this.#stateCount--
    block.remove(row)
    this.#count--
    if (this.#quotedCount === 0) this.#order = undefined
    else this.#order?.noteGone()
    if (block.rowCount > 0) return
    this.#blocks.splice(this.#blocks.indexOf(block), 1)
    this.#open.splice(this.#open.indexOf(block), 1)
    this.#list.close(block)
  }

  #hasText(position: number, bytes: Uint8Array, hash: number): boolean {
    const block = this.#list.at(position)!
    const at = (position % rowsMax) * intsPerRow
    const { ints, text } = block
    if (ints[at + columns.textHash] !== hash) return false
    if (ints[at + columns.textLength] !== bytes.length) return false
    const start = ints[at + columns.textStart]
    for (let index = 0; index < bytes.length; index++) {
      if (text[start + index] !== bytes[index]) return false
    }
    return true
  }

  #insert(hash: number, position: number): void {
    const mask = this.#slots.length - 1
    let at = hash & mask
    while (this.#slots[at] > 0) at = (at + 1) & mask
    if (this.#slots[at] === emptySlot) this.#slotsUsed++
    this.#slots[at] = position + 1
  }

  /** With room for twice as many as there are. */
  #rebuild(): void {
    let length = 8
    while (length < this.#count * 2) length *= 2
    this.#slots = new Int32Array(length)
    this.#slotsUsed = 0
    for (const block of this.#blocks) {
      for (let row = 0; row < block.capacity; row++) {
        if (!block.isLive(row)) continue
        this.#insert(block.ints[row * intsPerRow + columns.textHash], block.id * rowsMax + row)
      }
    }
  }

  #handles(): Float64Array {
    const handles = new Float64Array(this.#count)
    let count = 0
    for (const block of this.#blocks) {
      for (let row = 0; row < block.capacity; row++) {
        if (block.isLive(row)) handles[count++] = this.#list.handle(block.id * rowsMax + row)
      }
    }
    return handles
  }
}
