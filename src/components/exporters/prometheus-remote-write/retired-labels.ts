/**
 * Labels of rows that are over, until no sample on its way can need them any more. Batches and rows are told apart by
 * epochs: what retired in one goes once all batches of it, and of those before, are done.
 */
import type { LabelPool } from './label-pool.ts'

interface Epoch {
  batchCount: number
  readonly sets: number[]
}

export class RetiredLabels {
  readonly #pool: LabelPool
  readonly #epochs: Epoch[] = [{ batchCount: 0, sets: [] }]

  constructor(pool: LabelPool) {
    this.#pool = pool
  }

  add(set: number): void {
    this.#epochs.at(-1)!.sets.push(set)
  }

  /** A batch is on its way; to be called right after it was translated. Gives what to call when it is done. */
  hold(): () => void {
    const epoch = this.#epochs.at(-1)!
    epoch.batchCount++
    return () => {
      epoch.batchCount--
    }
  }

  /** To be called now and then, between batches. */
  release(): void {
    if (this.#epochs.at(-1)!.sets.length > 0) this.#epochs.push({ batchCount: 0, sets: [] })
    while (this.#epochs.length > 1 && this.#epochs[0].batchCount === 0) {
      for (const set of this.#epochs.shift()!.sets) this.#pool.release(set)
    }
  }
}
