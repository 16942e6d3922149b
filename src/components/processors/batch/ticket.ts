import type { Refusal } from '../../../otlp/refusal.ts'

/** What one sender waits for: the outcome of every outgoing batch that holds items of its own. */
export class Ticket {
  #openCount = 1
  #refusal: Refusal | undefined
  #waiting: PromiseWithResolvers<void> | undefined

  /** Its items were cut in two: one more outcome to wait for. */
  split(): void {
    this.#openCount++
  }

  settle(refusal?: Refusal): void {
    this.#openCount--
    // A retryable answer outweighs a permanent one: the sender must not discard what another attempt can deliver.
    if (refusal !== undefined && (this.#refusal === undefined || refusal.retryable)) {
      this.#refusal = refusal
    }
    if (this.#openCount > 0 || this.#waiting === undefined) return
    if (this.#refusal === undefined) this.#waiting.resolve()
    else this.#waiting.reject(this.#refusal)
  }

  /** Returns or throws when all is settled already, else a promise of it. Asked once. */
  outcome(): void | Promise<void> {
    if (this.#openCount > 0) {
      this.#waiting = Promise.withResolvers()
      return this.#waiting.promise
    }
    if (this.#refusal !== undefined) throw this.#refusal
  }
}
