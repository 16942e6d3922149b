/**
 * Pieces of one message behind each other. Its memory doubles as it grows, so that a message in a million pieces costs
 * no more than one in a few large ones.
 */
export class GrowingBytes {
  /** Longer than what is in it. Replaced as it grows. */
  bytes: Uint8Array = new Uint8Array(0)
  length = 0

  add(from: Uint8Array, start: number, end: number): void {
    const needed = this.length + end - start
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(64, needed * 2))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    this.bytes.set(from.subarray(start, end), this.length)
    this.length = needed
  }
}
