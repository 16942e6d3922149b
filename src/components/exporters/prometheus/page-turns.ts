/** Pages under way each have a turn of the event loop of their own, so that many hold others up no longer than one does. */
export class PageTurns {
  readonly #waiting: (() => void)[] = []

  /** Settles in a turn of the event loop in which no other page goes on. */
  next(): Promise<void> {
    return new Promise((done) => {
      if (this.#waiting.push(done) === 1) setImmediate(this.#run)
    })
  }

  readonly #run = (): void => {
    this.#waiting.shift()?.()
    if (this.#waiting.length > 0) setImmediate(this.#run)
  }
}
