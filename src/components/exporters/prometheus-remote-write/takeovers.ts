import { pushEnds } from './push-ends.ts'
import type { Source } from './row.ts'
import type { RowOwners } from './row-owners.ts'
import type { SampleList } from './sample-list.ts'
import type { StateSlots } from './state-slots.ts'

interface TakeoverOptions {
  readonly owners: RowOwners
  readonly slots: StateSlots
  readonly stage: SampleList
  /** Whether histograms are sent as native ones with custom buckets. */
  readonly takesCustomBuckets: () => boolean
}

/**
 * Sources that were over as the point at hand began, which takes series of theirs. Its source may have other buckets:
 * the series that it does not go on with are ended, as they are when a source itself has other ones.
 */
export class Takeovers {
  readonly #options: TakeoverOptions
  readonly #ousted: Source[] = []

  constructor(options: TakeoverOptions) {
    this.#options = options
  }

  /** It is taken down but has its slot still, which says the shard where its last samples are. */
  add(ousted: Source): void {
    this.#ousted.push(ousted)
  }

  /** The point at hand was taken. */
  complete({ newestMs }: Source): void {
    if (this.#ousted.length === 0) return
    const { owners, stage, takesCustomBuckets } = this.#options
    // A source that has sent nothing yet is half a millisecond beyond the one before it.
    const timeMs = Math.floor(newestMs)
    for (const ousted of this.#ousted) {
      pushEnds(stage, ousted, {
        timeMs,
        takesCustomBuckets: takesCustomBuckets(),
        isOver: (row) => owners.end(row, timeMs),
      })
    }
  }

  /** The point at hand is done with, whether it was taken or not. */
  clear(): void {
    if (this.#ousted.length === 0) return
    for (const ousted of this.#ousted) ousted.leaveSlot(this.#options.slots)
    this.#ousted.length = 0
  }
}
