import type { Batch } from '../otlp/batch.ts'
import type { Refusal } from '../otlp/refusal.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import { worseFailure } from '../pipeline/worse-failure.ts'

/**
 * Hands each batch to all of `consumers`. Batches are immutable, so all get the same one. One that comes again, because
 * some did not take it, goes to those alone: who waits out a refusal with the batch in hand, as `batch` does, must not
 * send it many times over to the others.
 */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  return consumers.length === 1 ? consumers[0] : new FanOut(consumers)
}

class FanOut implements Consumer {
  readonly #consumers: readonly Consumer[]
  /** Who has not taken a batch that others have; forgotten with the batch. */
  readonly #refusers = new WeakMap<Batch, readonly Consumer[]>()

  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers
  }

  consume(batch: Batch): void | Promise<void> {
    let failure: unknown
    const refusers: Consumer[] = []
    const refuse = (consumer: Consumer, error: unknown) => {
      failure = worseFailure(failure, error)
      refusers.push(consumer)
    }
    const waiting: Promise<void>[] = []
    const before = this.#refusers.get(batch)
    for (const consumer of before ?? this.#consumers) {
      try {
        const result = consumer.consume(batch)
        if (result !== undefined) {
          waiting.push(result.catch((error: unknown) => refuse(consumer, error)))
        }
      } catch (error) {
        refuse(consumer, error)
      }
    }
    const finish = () => {
      if (failure === undefined) {
        if (before !== undefined) this.#refusers.delete(batch)
        return
      }
      this.#refusers.set(batch, refusers)
      throw failure
    }
    if (waiting.length > 0) return Promise.all(waiting).then(finish)
    finish()
  }

  admit(byteLength: number): Refusal | undefined {
    for (const consumer of this.#consumers) {
      const refusal = consumer.admit?.(byteLength)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}
