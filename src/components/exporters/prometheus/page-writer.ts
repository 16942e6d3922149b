/**
 * The page as bytes. Labels of a series are copied from where they lie, so that a line costs no text to be made, joined
 * and encoded; buffers are used again once they were sent, so that a page of any length costs the memory of a few.
 */
import { copyBytes } from '../../../wire/copy-bytes.ts'
import { writeUtf8 } from '../../../wire/utf8.ts'

/** Long enough that what surrounds a write or a call of zlib costs little, short enough to stay in a cache. */
export const pieceBytes = 1 << 18

const minus = 0x2d
const point = 0x2e

/** Buffers of the pieces of one page. */
export class PieceBuffers {
  readonly #free: ArrayBuffer[] = []
  // Weak: one that a long line outgrew is given up.
  readonly #own = new WeakSet<ArrayBufferLike>()

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
  #view: DataView
  #length = 0

  constructor(buffers: PieceBuffers) {
    this.#buffers = buffers
    this.#bytes = buffers.take()
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** Whether there is enough for a piece. */
  get isDue(): boolean {
    return this.#length >= pieceBytes
  }

  /** What was written since the last piece. */
  piece(): Uint8Array<ArrayBuffer> {
    const piece = this.#bytes.subarray(0, this.#length)
    this.#bytes = this.#buffers.take()
    this.#view = new DataView(this.#bytes.buffer)
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

  copy(from: DataView, start: number, end: number): void {
    this.#reserve(end - start)
    copyBytes(this.#view, this.#length, from, { start, end })
    this.#length += end - start
  }

  /** The shortest digits of a number below a million with no more than six decimals; else false, and nothing. */
  decimal(value: number): boolean {
    const magnitude = Math.abs(value)
    if (!(magnitude < 1e6)) return false
    const whole = Math.trunc(magnitude)
    let fraction = Math.round((magnitude - whole) * 1e6)
    // No two decimals of up to 15 digits are one double: if this one is the value, none is shorter.
    if ((whole * 1e6 + fraction) / 1e6 !== magnitude) return false
    if (value < 0) this.byte(minus)
    this.digits(whole)
    if (fraction === 0) return true
    let width = 6
    for (; fraction % 10 === 0; fraction /= 10) width--
    this.byte(point)
    this.digits(fraction, width)
    return true
  }

  /** A whole number that is not negative, below 2^31, in decimal digits, at least `width` of them. */
  digits(value: number, width = 1): void {
    let count = 1
    for (let rest = value; rest >= 10; rest = (rest / 10) | 0) count++
    if (count < width) count = width
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
    this.#view = new DataView(grown.buffer)
  }
}
