import { worseFailure } from '../../../pipeline/worse-failure.ts'

/** What one sender waits for: the outcome of every outgoing batch that holds items of its own. */
export class Ticket {
  #openCount = 1
  #failure: unknown
  #waiting: PromiseWithResolvers<void> | undefined

  /** Its items were cut in two: one more outcome to wait for. */
  split(): void {
    this.#openCount++
  }

  settle(failure?: unknown): void {
    this.#openCount--
    this.#failure = worseFailure(this.#failure, failure)
    if (this.#openCount > 0 || this.#waiting === undefined) return
    if (this.#failure === undefined) this.#waiting.resolve()
    else this.#waiting.reject(this.#failure)
  }

  /** Returns or throws when all is settled already, else a promise of it. Asked once. */
  outcome(): void | Promise<void> {
    if (this.#openCount > 0) {
      this.#waiting = Promise.withResolvers()
      return this.#waiting.promise
    }
    if (this.#failure !== undefined) throw this.#failure
  }
}
