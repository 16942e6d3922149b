import type { DeltaTotal } from '../../../kit/prometheus/delta-totals.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'

/** Of one stream; the times of further ones take the place of those held longest. */
const timesMax = 16

/** Times of points that are in a total and may come again: their batches are under way or were refused. */
export class RepeatableTimes {
  /** What they were added to: they are not in one that began after it. */
  readonly total: DeltaTotal
  /** Two halves a time, low first. */
  readonly #halves: number[] = []
  /** Time of the newest total that was taken downstream, since there are any of these. */
  #passedLow = 0
  #passedHigh = 0

  constructor(total: DeltaTotal) {
    this.total = total
  }

  get isEmpty(): boolean {
    return this.#halves.length === 0
  }

  has(low: number, high: number): boolean {
    return this.#find(low, high) >= 0
  }

  add(low: number, high: number): void {
    if (this.has(low, high)) return
    if (this.#halves.length === timesMax * 2) this.#halves.splice(0, 2)
    this.#halves.push(low, high)
  }

  remove(low: number, high: number): void {
    const at = this.#find(low, high)
    if (at >= 0) this.#halves.splice(at, 2)
  }

  /** Whether a total that includes the point of that time was taken downstream. */
  isPassed(low: number, high: number): boolean {
    return compareNanos(low, high, this.#passedLow, this.#passedHigh) <= 0
  }

  markPassed(low: number, high: number): void {
    if (this.isPassed(low, high)) return
    this.#passedLow = low
    this.#passedHigh = high
  }

  #find(low: number, high: number): number {
    const halves = this.#halves
    for (let at = 0; at < halves.length; at += 2) {
      if (halves[at] === low && halves[at + 1] === high) return at
    }
    return -1
  }
}
