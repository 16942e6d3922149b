/**
 * Labels of rows that are over, until no sample on its way can need them any more. Batches and rows are told apart by
 * epochs: what retired in one goes once all batches of it, and of those before, are done.
 */
import type { LabelPool } from './label-pool.ts'
import type { RowOwner } from './row.ts'

interface Epoch {
  batchCount: number
  readonly sets: number[]
}

/** What may still be on its way of a row that is over. */
interface Past {
  readonly owner: RowOwner
  /** Time of its last sample. */
  readonly endMs: number
  readonly epoch: Epoch
}

export class RetiredLabels {
  readonly #pool: LabelPool
  readonly #epochs: Epoch[] = [{ batchCount: 0, sets: [] }]
  readonly #pasts = new Map<number, Past>()

  constructor(pool: LabelPool) {
    this.#pool = pool
  }

  /** `endMs` is the time of the last sample with these labels, -1 when there is none. */
  add(set: number, owner: RowOwner, endMs: number): void {
    this.#epochs.at(-1)!.sets.push(set)
    this.extend(set, owner, endMs)
  }

  /** A sample of that time follows; to be called before any batch after the one in which the labels were added. */
  extend(set: number, owner: RowOwner, endMs: number): void {
    const epoch = this.#epochs.at(-1)!
    if (endMs > (this.#pasts.get(set)?.endMs ?? -1)) this.#pasts.set(set, { owner, endMs, epoch })
  }

  /** What may still be on its way to the server with these labels. */
  past(set: number): { readonly owner: RowOwner; readonly endMs: number } | undefined {
    return this.#pasts.size === 0 ? undefined : this.#pasts.get(set)
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
      const epoch = this.#epochs.shift()!
      for (const set of epoch.sets) {
        if (this.#pasts.get(set)?.epoch === epoch) this.#pasts.delete(set)
        this.#pool.release(set)
      }
    }
  }
}
