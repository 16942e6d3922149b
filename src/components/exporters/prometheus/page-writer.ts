/**
 * The page as bytes. Labels of a series are copied from where they lie, so that a line costs no text to be made, joined
 * and encoded; buffers are used again once they were sent, so that a page of any length costs the memory of a few.
 */
import { writeUtf8 } from '../../../wire/utf8.ts'

/** Long enough that what surrounds a write costs little, short enough to hold a few hundred lines. */
export const pieceBytes = 1 << 16

/** Buffers of the pieces of one page. */
export class PieceBuffers {
  readonly #free: ArrayBuffer[] = []
  readonly #own = new Set<ArrayBufferLike>()

  take(): Uint8Array<ArrayBuffer> {
    const free = this.#free.pop()
    if (free !== undefined) return new Uint8Array(free)
    const buffer = new ArrayBuffer(pieceBytes + (pieceBytes >> 2))
    this.#own.add(buffer)
    return new Uint8Array(buffer)
  }

  /** Nobody may read the piece after this. */
  giveBack({ buffer }: Uint8Array): void {
    if (this.#own.has(buffer)) this.#free.push(buffer as ArrayBuffer)
  }
}

export class PageWriter {
  readonly #buffers: PieceBuffers
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  constructor(buffers: PieceBuffers) {
    this.#buffers = buffers
    this.#bytes = buffers.take()
  }

  /** Whether there is enough for a piece. */
  get isDue(): boolean {
    return this.#length >= pieceBytes
  }

  /** What was written since the last piece. */
  piece(): Uint8Array<ArrayBuffer> {
    const piece = this.#bytes.subarray(0, this.#length)
    this.#bytes = this.#buffers.take()
    this.#length = 0
    return piece
  }

  /** Text of characters below U+0080 alone. */
  ascii(text: string): void {
    this.#reserve(text.length)
    const bytes = this.#bytes
    let at = this.#length
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index)
    this.#length = at
  }

  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#length = writeUtf8(this.#bytes, this.#length, text)
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = byte
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    // Not a loop over the bytes: for the two hundred of usual labels this takes a fifth of its time.
    this.#bytes.set(from.subarray(start, end), this.#length)
    this.#length += end - start
  }

  /** A whole number that is not negative, below 2^31, in decimal digits. */
  digits(value: number): void {
    let count = 1
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++
    this.#reserve(count)
    let rest = value
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const next = (rest / 10) | 0
      this.#bytes[at] = 0x30 + rest - next * 10
      rest = next
    }
    this.#length += count
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#buffers.giveBack(this.#bytes)
    this.#bytes = grown
  }
}
