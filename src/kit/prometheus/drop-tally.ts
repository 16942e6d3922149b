import type { Host } from '../../pipeline/host.ts'

/** Points dropped of the batch at hand, by cause: reported once a batch, not once a point. */
export class DropTally {
  readonly #host: Host
  readonly #counts = new Map<string, number>()

  constructor(host: Host) {
    this.#host = host
  }

  add(cause: string, pointCount: number): void {
    if (pointCount === 0) return
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + pointCount)
  }

  /** Forgets what was added: the batch is refused as a whole. */
  discard(): void {
    this.#counts.clear()
  }

  /** How many there were, now that they stand in the drop ledger. */
  report(): number {
    let sum = 0
    for (const [cause, pointCount] of this.#counts) {
      this.#host.dropped('metrics', pointCount, cause)
      sum += pointCount
    }
    this.#counts.clear()
    return sum
  }
}
