import type { Clock, Timer } from '../../src/platform/platform.ts'

interface Pending {
  dueMs: number
  periodMs: number | undefined
  callback: () => void
}

/** A clock that moves only when told to; timers run in the order they fall due. */
export class ManualClock implements Clock {
  #nowMs = 0
  readonly #epochMs: number
  readonly #pending = new Set<Pending>()
  readonly #rounds: number

  /** One round of settling is enough where nothing but promises is waited for, and takes a tenth of the time. */
  constructor(epochMs = Date.UTC(2026, 0, 1), { rounds = 10 } = {}) {
    this.#epochMs = epochMs
    this.#rounds = rounds
  }

  get timerCount(): number {
    return this.#pending.size
  }

  nowMs(): number {
    return this.#epochMs + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + delayMs, periodMs: undefined, callback })
  }

  every(periodMs: number, callback: () => void): Timer {
    return this.#add({ dueMs: this.#nowMs + periodMs, periodMs, callback })
  }

  /** Moves on by `byMs`, running every timer that falls due on the way, promises between timers included. */
  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs
    await settle(this.#rounds)
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      if (next.periodMs === undefined) this.#pending.delete(next)
      else next.dueMs += next.periodMs
      next.callback()
      await settle(this.#rounds)
    }
    this.#nowMs = untilMs
  }

  #add(pending: Pending): Timer {
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  #next(untilMs: number): Pending | undefined {
    let first: Pending | undefined
    for (const pending of this.#pending) {
      if (pending.dueMs <= untilMs && (first === undefined || pending.dueMs < first.dueMs)) {
        first = pending
      }
    }
    return first
  }
}

/** Lets every promise that can settle now do so. */
export async function settle(rounds = 10): Promise<void> {
  for (let round = 0; round < rounds; round++) await new Promise((done) => setImmediate(done))
}
