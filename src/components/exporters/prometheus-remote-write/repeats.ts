import type { RowOwner } from './row.ts'

/** What became of a point that is dealt with: 'lost' is counted as dropped. */
export type Fate = 'sent' | 'lost'

/**
 * Points that a caller who waits will send again though they are dealt with, because others of their batch were given
 * back. Beyond `pointsMax`, of 200 bytes each at most, all are forgotten: what then comes again counts as out of
 * order, though it was delivered.
 */
export class Repeats {
  /** By time, which many points of a batch share. */
  #fates = new Map<number, WeakMap<RowOwner, Fate>>()
  #pointCount = 0
  readonly #pointsMax: number

  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax
  }

  add(owner: RowOwner, timeMs: number, fate: Fate): void {
    if (this.fate(owner, timeMs) !== undefined) return
    if (this.#pointCount >= this.#pointsMax) {
      this.#fates.clear()
      this.#pointCount = 0
    }
    this.#pointCount++
    const known = this.#fates.get(timeMs)
    if (known === undefined) this.#fates.set(timeMs, new WeakMap([[owner, fate]]))
    else known.set(owner, fate)
  }

  /** Undefined for a point that is to be taken. */
  fate(owner: RowOwner, timeMs: number): Fate | undefined {
    return this.#pointCount > 0 ? this.#fates.get(timeMs)?.get(owner) : undefined
  }
}
