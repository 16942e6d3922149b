import type { RowOwner } from './row.ts'

/**
 * Points that a caller who waits will send again though they are dealt with, because others of their batch were given
 * back. Beyond `pointsMax` all are forgotten: what then comes again counts as out of order, though it was delivered.
 */
export class Repeats {
  /** By time, which many points of a batch share. */
  #owners = new Map<number, WeakSet<RowOwner>>()
  #pointCount = 0
  readonly #pointsMax: number

  constructor(pointsMax: number) {
    this.#pointsMax = pointsMax
  }

  add(owner: RowOwner, timeMs: number): void {
    if (this.has(owner, timeMs)) return
    if (this.#pointCount >= this.#pointsMax) {
      this.#owners.clear()
      this.#pointCount = 0
    }
    this.#pointCount++
    const known = this.#owners.get(timeMs)
    if (known === undefined) this.#owners.set(timeMs, new WeakSet([owner]))
    else known.add(owner)
  }

  has(owner: RowOwner, timeMs: number): boolean {
    return this.#pointCount > 0 && this.#owners.get(timeMs)?.has(owner) === true
  }
}
