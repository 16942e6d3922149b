import type { Batch } from '../otlp/batch.ts'
import { Refusal } from '../otlp/refusal.ts'
import type { Consumer } from '../pipeline/consumer.ts'

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
    const refusals: Refusal[] = []
    const waiting: Promise<void>[] = []
    for (const consumer of this.#consumers) {
      try {
        const result = consumer.consume(batch)
        if (result !== undefined) {
          waiting.push(result.catch((error: unknown) => void refusals.push(Refusal.from(error))))
        }
      } catch (error) {
        refusals.push(Refusal.from(error))
      }
    }
    if (waiting.length > 0) return Promise.all(waiting).then(() => throwWorst(refusals))
    throwWorst(refusals)
  }

  admit(byteLength: number): Refusal | undefined {
    for (const consumer of this.#consumers) {
      const refusal = consumer.admit?.(byteLength)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}

// A refusal for now outranks one for good: the client sends again, and those who took the batch see it twice rather
// than those who did not take it never.
function throwWorst(refusals: readonly Refusal[]): void {
  if (refusals.length === 0) return
  throw refusals.find((refusal) => refusal.retryable) ?? refusals[0]
}
