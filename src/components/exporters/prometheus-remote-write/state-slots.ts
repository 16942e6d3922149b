/** Numbers of sources, in pieces of flat memory that are used again: none is ever copied to grow. */

export const receivedAt = 0
export const newestAt = 1
export const committedAt = 2
export const timeLowAt = 3
export const timeHighAt = 4
export const batchAt = 5
export const attributesHashAt = 6
export const shardAt = 7
export const slotLength = 8

/** Of all sources that have left theirs: what is written there is of no consequence. */
export const leftState = new Float64Array(slotLength)

export interface Slot {
  readonly state: Float64Array
  readonly at: number
}

const slotsOfPiece = 1024

export class StateSlots {
  #piece = new Float64Array(0)
  #used = 0
  readonly #free: Slot[] = []

  take(): Slot {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#used === this.#piece.length) {
      this.#piece = new Float64Array(slotsOfPiece * slotLength)
      this.#used = 0
    }
    const at = this.#used
    this.#used += slotLength
    return { state: this.#piece, at }
  }

  give(slot: Slot): void {
    this.#free.push(slot)
  }
}
