import type { Random } from '../../platform/platform.ts'
import type { RetrySettings } from './retry-settings.ts'

/** The waits of one request: growing, capped, each with jitter so that a fleet does not come back as one. */
export class Backoff {
  readonly #settings: RetrySettings
  readonly #random: Random
  #intervalMs: number

  constructor(settings: RetrySettings, random: Random) {
    this.#settings = settings
    this.#random = random
    this.#intervalMs = settings.initial_interval
  }

  nextDelayMs(): number {
    const { randomization_factor, multiplier, max_interval } = this.#settings
    const spreadMs = this.#intervalMs * randomization_factor
    const delayMs = this.#intervalMs - spreadMs + this.#random.next() * 2 * spreadMs
    this.#intervalMs = Math.min(this.#intervalMs * multiplier, max_interval)
    return delayMs
  }
}
