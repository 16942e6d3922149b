import type { Refusal } from '../../../otlp/refusal.ts'
import type { Fate, Repeats } from './repeats.ts'
import type { RowOwner } from './row.ts'

/** A batch on its way: it is done when each of its samples is, whatever shard it went through. */
export class Parcel {
  #samplesLeft: number
  readonly #onDone: (failure: Refusal | undefined) => void
  /** The first failure among its samples, for a caller that waits. */
  failure: Refusal | undefined
  /** Points that are dealt with, for a caller that waits. */
  readonly #owners: RowOwner[] = []
  readonly #timesMs: number[] = []
  readonly #fates: Fate[] = []

  constructor(sampleCount: number, onDone: (failure: Refusal | undefined) => void) {
    this.#samplesLeft = sampleCount
    this.#onDone = onDone
  }

  finish(sampleCount: number): void {
    this.#samplesLeft -= sampleCount
    if (this.#samplesLeft === 0) this.#onDone(this.failure)
  }

  /** A point that is dealt with. */
  note(owner: RowOwner, timeMs: number, fate: Fate): void {
    this.#owners.push(owner)
    this.#timesMs.push(timeMs)
    this.#fates.push(fate)
  }

  /** The caller will repeat these too. */
  tell(repeats: Repeats): void {
    for (const [place, owner] of this.#owners.entries()) {
      repeats.add(owner, this.#timesMs[place], this.#fates[place])
    }
  }
}
