import type { Clock } from '../../../platform/platform.ts'

/** The first `initial` in each second, and after those every `thereafter`-th; none when that is 0. */
export class Sampler {
  readonly #clock: Clock
  readonly #initial: number
  readonly #thereafter: number
  #windowMs = -Infinity
  #count = 0

  constructor(clock: Clock, initial: number, thereafter: number) {
    this.#clock = clock
    this.#initial = initial
    this.#thereafter = thereafter
  }

  take(): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowMs >= 1000) {
      this.#windowMs = nowMs
      this.#count = 0
    }
    this.#count++
    const beyond = this.#count - this.#initial
    return beyond <= 0 || (this.#thereafter > 0 && beyond % this.#thereafter === 0)
  }
}
