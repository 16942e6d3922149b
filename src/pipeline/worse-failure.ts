import { Refusal } from '../otlp/refusal.ts'

/**
 * Which of two failures of one batch to answer with; undefined is none. A refusal for now comes first: the client sends
 * again, and those who took the batch see it twice rather than those who did not take it never. A fault comes before a
 * refusal for good, so that it reaches the edge that reports it.
 */
export function worseFailure(one: unknown, other: unknown): unknown {
  return rank(other) > rank(one) ? other : one
}

function rank(failure: unknown): number {
  if (failure === undefined) return 0
  if (!(failure instanceof Refusal)) return 2
  return failure.retryable ? 3 : 1
}
