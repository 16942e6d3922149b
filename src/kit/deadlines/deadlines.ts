import type { Clock, Timer } from '../../platform/platform.ts'

/** Something that ends by itself at `deadlineMs` on the monotonic clock; Infinity means never. */
export interface Expiring {
  readonly deadlineMs: number
  expire(): void
}

// Time to begin in, and the least rate at which a message must arrive from then on: 64 bytes a millisecond is half a
// megabit a second.
const arrivalStartMs = 30_000
const arrivalBytesPerMs = 64

/** How long a message of that length may take to arrive. Without it, who announces much and sends little holds memory. */
export function arrivalMsMax(byteLength: number): number {
  return arrivalStartMs + byteLength / arrivalBytesPerMs
}

// One sweep in this time at most, however short the deadlines that clients ask for.
const sweepGapMs = 10

/**
 * Deadlines of many calls under one timer. Nearly every call ends long before its deadline, so adding and removing
 * one only touches a set, and the timer runs about once in the usual deadline.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #open = new Set<Expiring>()
  #timer: Timer | undefined
  #dueMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Call again when its deadline has moved to an earlier moment; a later one is seen by itself. */
  watch(expiring: Expiring): void {
    this.#open.add(expiring)
    if (expiring.deadlineMs < this.#dueMs) this.#arm(expiring.deadlineMs)
  }

  forget(expiring: Expiring): void {
    this.#open.delete(expiring)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#dueMs = Infinity
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel()
    const nowMs = this.#clock.monotonicMs()
    this.#dueMs = Math.max(dueMs, nowMs + sweepGapMs)
    this.#timer = this.#clock.after(this.#dueMs - nowMs, () => this.#sweep())
  }

  #sweep(): void {
    this.stop()
    // Timers may fire a little early; what is due within the gap is due.
    const nowMs = this.#clock.monotonicMs() + 1
    let nextMs = Infinity
    for (const expiring of this.#open) {
      if (expiring.deadlineMs <= nowMs) {
        this.#open.delete(expiring)
        expiring.expire()
      } else if (expiring.deadlineMs < nextMs) nextMs = expiring.deadlineMs
    }
    if (nextMs < this.#dueMs) this.#arm(nextMs)
  }
}
