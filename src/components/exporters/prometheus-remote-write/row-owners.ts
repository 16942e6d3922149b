/** Who feeds which series: of several sources that come to one, the first, until it lets go. */
import type { LabelPool } from './label-pool.ts'
import type { RetiredLabels } from './retired-labels.ts'
import type { Row, Source } from './row.ts'

export class RowOwners {
  readonly #pool: LabelPool
  readonly #retired: RetiredLabels
  /** By the number of the labels. */
  readonly #owners: (Source | undefined)[] = []

  constructor(pool: LabelPool, retired: RetiredLabels) {
    this.#pool = pool
    this.#retired = retired
  }

  of(set: number): Source | undefined {
    return this.#owners[this.#pool.index(set)]
  }

  give(set: number, owner: Source): void {
    this.#pool.joinShard(set, owner.shard)
    this.#set(set, owner)
  }

  /** These rows are over: their last samples, of that time or before, are on their way. */
  letGo(rows: Iterable<Row>, endMs: number): void {
    for (const { labels, owner } of rows) {
      if (this.of(labels) === owner) this.#set(labels, undefined)
      this.#retired.add(labels, owner, endMs)
    }
  }

  /** Time of the last sample on its way to this series of a row that is over, -1 when there is none. */
  endMs(set: number): number {
    return this.#retired.past(set)?.endMs ?? -1
  }

  /**
   * Whether a row that is over is to be ended at that time, which is that of its last sample from then on: nobody has
   * its series now, and all on its way there is older. To be asked in the batch that it was let go in.
   */
  end({ labels, owner }: Row, timeMs: number): boolean {
    if (this.of(labels) !== undefined || this.endMs(labels) >= timeMs) return false
    this.#retired.extend(labels, owner, timeMs)
    return true
  }

  /** Whether a sample of this source and that time would come behind one on its way, or be a second one of its time. */
  comesLate(set: number, source: Source, timeMs: number): boolean {
    const past = this.#retired.past(set)
    if (past === undefined || past.endMs < timeMs) return false
    // Within one batch its own samples are sorted, and of two at one time one is sent.
    return past.owner !== source || timeMs <= source.committedMs
  }

  #set(set: number, owner: Source | undefined): void {
    const index = this.#pool.index(set)
    // Not written far beyond its end, which would make a slow kind of array of it.
    while (this.#owners.length < index) this.#owners.push(undefined)
    this.#owners[index] = owner
  }
}
