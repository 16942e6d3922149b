import type { Refusal } from '../../../otlp/refusal.ts'

/** A batch on its way: it is done when each of its samples is, whatever shard it went through. */
export class Parcel {
  #samplesLeft: number
  readonly #onDone: (failure: Refusal | undefined) => void
  /** The first failure among its samples, for a caller that waits. */
  failure: Refusal | undefined

  constructor(sampleCount: number, onDone: (failure: Refusal | undefined) => void) {
    this.#samplesLeft = sampleCount
    this.#onDone = onDone
  }

  finish(sampleCount: number): void {
    this.#samplesLeft -= sampleCount
    if (this.#samplesLeft === 0) this.#onDone(this.failure)
  }
}
