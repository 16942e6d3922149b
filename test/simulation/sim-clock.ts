import type { Clock, Timer } from '../../src/platform/platform.ts'
import type { ManualClock } from '../kit/manual-clock.ts'
import type { SeededRandom } from './seeded-random.ts'

/** The gateway's clock: its wall clock can be set, its timers may fire late, and none may be left at the end. */
export class SimClock implements Clock {
  readonly #clock: ManualClock
  readonly #random: SeededRandom
  readonly #latenessMsMax: number
  readonly #open = new Set<object>()
  #wallOffsetMs = 0

  constructor(clock: ManualClock, random: SeededRandom, latenessMsMax: number) {
    this.#clock = clock
    this.#random = random
    this.#latenessMsMax = latenessMsMax
  }

  get timerCount(): number {
    return this.#open.size
  }

  /** Somebody sets the clock of the machine. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#wallOffsetMs
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  after(delayMs: number, callback: () => void): Timer {
    const late = this.#random.whole(0, this.#latenessMsMax)
    const timer = this.#clock.after(delayMs + late, () => {
      this.#open.delete(timer)
      callback()
    })
    return this.#opened(timer)
  }

  every(periodMs: number, callback: () => void): Timer {
    return this.#opened(this.#clock.every(periodMs, callback))
  }

  #opened(timer: Timer): Timer {
    this.#open.add(timer)
    return {
      cancel: () => {
        this.#open.delete(timer)
        timer.cancel()
      },
    }
  }
}
