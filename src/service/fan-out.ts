import type { Batch } from '../otlp/batch.ts'
import type { Refusal } from '../otlp/refusal.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import { worseFailure } from '../pipeline/worse-failure.ts'

/** Hands each batch to all of `consumers`. Batches are immutable, so all get the same one. */
export function fanOut(consumers: readonly Consumer[]): Consumer {
  return consumers.length === 1 ? consumers[0] : new FanOut(consumers)
}

class FanOut implements Consumer {
  readonly #consumers: readonly Consumer[]

  constructor(consumers: readonly Consumer[]) {
    this.#consumers = consumers
  }

  consume(batch: Batch): void | Promise<void> {
    let failure: unknown
    const fail = (error: unknown) => {
      failure = worseFailure(failure, error)
    }
    const waiting: Promise<void>[] = []
    for (const consumer of this.#consumers) {
      try {
        const result = consumer.consume(batch)
        if (result !== undefined) waiting.push(result.catch(fail))
      } catch (error) {
        fail(error)
      }
    }
    if (waiting.length > 0) return Promise.all(waiting).then(() => throwAny(failure))
    throwAny(failure)
  }

  admit(byteLength: number): Refusal | undefined {
    for (const consumer of this.#consumers) {
      const refusal = consumer.admit?.(byteLength)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}

function throwAny(failure: unknown): void {
  if (failure !== undefined) throw failure
}
