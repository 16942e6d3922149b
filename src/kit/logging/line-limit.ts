import type { Clock, Timer } from '../../platform/platform.ts'

/**
 * Lets one line a second through for failures that come by the thousand; the items of those held back are added to
 * the next, so that the lines still sum up to the truth. A line says what was the last of its failures.
 */
export class LineLimit<What = string> {
  readonly #clock: Clock
  readonly #write: (itemCount: number, what: What) => void
  #quiet: Timer | undefined
  #isClosed = false
  #heldItems = 0
  #last: What | undefined

  constructor(clock: Clock, write: (itemCount: number, what: What) => void) {
    this.#clock = clock
    this.#write = write
  }

  add(itemCount: number, what: What): void {
    this.#heldItems += itemCount
    this.#last = what
    if (this.#quiet === undefined) this.#flush()
  }

  /** Writes what is held back; from now on nothing is, for no timer may be left behind. */
  close(): void {
    this.#isClosed = true
    this.#quiet?.cancel()
    this.#flush()
  }

  #flush(): void {
    this.#quiet = undefined
    if (this.#heldItems === 0) return
    this.#write(this.#heldItems, this.#last!)
    this.#heldItems = 0
    if (!this.#isClosed) this.#quiet = this.#clock.after(1000, () => this.#flush())
  }
}
