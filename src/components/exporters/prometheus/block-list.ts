import { intColumns, intsPerRow, rowsMax, SeriesBlock } from './series-block.ts'

/** Rows of all blocks together: a position (block and row) is a whole number of 31 bits. */
const positionsMax = 2 ** 31
const blocksMax = positionsMax / rowsMax

/**
 * All blocks by number. A handle names a series for good: its position, and the generation of its row above that, so
 * that the handle of a series that is gone never leads to the one that took its place.
 */
export class BlockList {
  readonly #blocks: (SeriesBlock | undefined)[] = []
  readonly #free: number[] = []
  /** By block number, for the next block of that number. */
  readonly #generations: number[] = []

  get isFull(): boolean {
    return this.#free.length === 0 && this.#blocks.length === blocksMax
  }

  /** There must be room. */
  open(capacity: number): SeriesBlock {
    let id = this.#free.pop()
    if (id === undefined) {
      id = this.#blocks.length
      this.#blocks.push(undefined)
      this.#generations.push(0)
    }
    const block = new SeriesBlock(id, capacity, this.#generations[id])
    this.#blocks[id] = block
    return block
  }

  close(block: SeriesBlock): void {
    this.#generations[block.id] = block.nextGeneration()
    this.#blocks[block.id] = undefined
    this.#free.push(block.id)
  }

  /** The block of a position or a handle; undefined once it has closed. */
  at(position: number): SeriesBlock | undefined {
    return this.#blocks[(position & 0x7fffffff) >>> rowBits]
  }

  handle(position: number): number {
    const generation = this.#generation(this.at(position)!, position)
    return generation * positionsMax + position
  }

  isGone(handle: number): boolean {
    const block = this.at(handle)
    if (block === undefined) return true
    const position = handle & 0x7fffffff
    if (!block.isLive(position & rowMask)) return true
    return this.#generation(block, position) !== (handle - position) / positionsMax
  }

  #generation(block: SeriesBlock, position: number): number {
    return block.ints[(position & rowMask) * intsPerRow + intColumns.generation]
  }
}

const rowBits = Math.log2(rowsMax)
const rowMask = rowsMax - 1
