/**
 * When others have their turn while a page is made, besides after each piece: a series whose labels are escaped takes some
 * microseconds, and one that is left out brings no piece nearer.
 */
export class PagePauses {
  #count = 0

  /** Whether there is to be one after one more of them. */
  isDue(): boolean {
    return ++this.#count % seriesAtOnce === 0
  }
}

/** Two milliseconds or three. */
const seriesAtOnce = 512
