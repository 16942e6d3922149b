import type { Clock } from '../../../platform/platform.ts'

interface RecentLimits {
  readonly countMax: number
  readonly ageMsMax: number
}

/** What was found out of some digests lately; of too many, the oldest are forgotten. */
export class RecentDigests<Found> {
  readonly #clock: Clock
  readonly #limits: RecentLimits
  /** Oldest first. */
  readonly #entries = new Map<string, { readonly found: Found; readonly untilMs: number }>()

  constructor(clock: Clock, limits: RecentLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get(digest: string): Found | undefined {
    const entry = this.#entries.get(digest)
    if (entry === undefined) return undefined
    if (entry.untilMs > this.#clock.monotonicMs()) return entry.found
    this.#entries.delete(digest)
    return undefined
  }

  set(digest: string, found: Found): void {
    this.#entries.delete(digest)
    const untilMs = this.#clock.monotonicMs() + this.#limits.ageMsMax
    this.#entries.set(digest, { found, untilMs })
    if (this.#entries.size <= this.#limits.countMax) return
    const [oldest] = this.#entries.keys()
    this.#entries.delete(oldest)
  }

  clear(): void {
    this.#entries.clear()
  }
}
