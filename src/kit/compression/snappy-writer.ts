/**
 * Writes a snappy block for who knows by himself what repeats: literals as they come, copies of what was written before.
 * No table of matches, and what repeats is never looked at.
 */
import { writeCopy } from './snappy-block.ts'

/** So far back a repetition may begin: the offset of a copy has two bytes. */
export const snappyWindowBytes = 65_535

// In front of the elements there is room for the length of it all.
const headBytes = 5
const none = -1

export class SnappyWriter {
  /** Where literals() put what follows; replaced as it grows. */
  output = new Uint8Array(64 * 1024)
  #at = headBytes
  /** Tag of the literal that is open; its length is not known yet. */
  #literalAt = none
  #copyOffset = 0
  /** Of the copy that may still grow; 0 when there is none. */
  #copyLength = 0
  #position = 0

  /** How many bytes were written, uncompressed. */
  get position(): number {
    return this.#position
  }

  /** Begins a new block. */
  clear(): void {
    this.#at = headBytes
    this.#literalAt = none
    this.#copyLength = this.#position = 0
  }

  /** Room for that many bytes, which the caller writes to `output` from the index it gets. */
  literals(byteLength: number): number {
    if (this.#copyLength > 0) this.#endCopy()
    this.#reserve(byteLength)
    if (this.#literalAt === none) this.#literalAt = this.#at++
    const at = this.#at
    this.#at += byteLength
    this.#position += byteLength
    return at
  }

  /** From where a repetition would only make the last one longer; -1 when something else was written since. */
  get sourceEnd(): number {
    return this.#copyLength > 0 ? this.#position - this.#copyOffset : -1
  }

  /** Writes `byteLength` bytes as they stand at an earlier position, at most snappyWindowBytes back. */
  repeat(from: number, byteLength: number): void {
    const offset = this.#position - from
    this.#position += byteLength
    if (this.#copyLength > 0) {
      if (offset === this.#copyOffset) {
        this.#copyLength += byteLength
        return
      }
      this.#endCopy()
    } else if (this.#literalAt !== none) this.#endLiteral()
    this.#copyOffset = offset
    this.#copyLength = byteLength
  }

  /** The block; it holds until the next one is begun. */
  finish(): Uint8Array {
    if (this.#copyLength > 0) this.#endCopy()
    if (this.#literalAt !== none) this.#endLiteral()
    const head: number[] = []
    for (let rest = this.#position; head.length === 0 || rest > 0; rest = Math.floor(rest / 0x80)) {
      head.push(rest >= 0x80 ? (rest % 0x80) | 0x80 : rest)
    }
    this.output.set(head, headBytes - head.length)
    return this.output.subarray(headBytes - head.length, this.#at)
  }

  #endCopy(): void {
    // At most three bytes for every sixty of it.
    this.#reserve(3 + Math.ceil(this.#copyLength / 60) * 3)
    this.#at = writeCopy(this.output, this.#at, this.#copyOffset, this.#copyLength)
    this.#copyLength = 0
  }

  #endLiteral(): void {
    const { output } = this
    const tagAt = this.#literalAt
    this.#literalAt = none
    const code = this.#at - tagAt - 2
    if (code < 60) {
      output[tagAt] = code << 2
      return
    }
    // One byte was kept for the tag, enough for nearly all.
    const lengthBytes = code < 0x100 ? 1 : code < 0x1_0000 ? 2 : code < 0x100_0000 ? 3 : 4
    output.copyWithin(tagAt + 1 + lengthBytes, tagAt + 1, this.#at)
    this.#at += lengthBytes
    output[tagAt] = (59 + lengthBytes) << 2
    for (let index = 0; index < lengthBytes; index++) {
      output[tagAt + 1 + index] = code >>> (8 * index)
    }
  }

  /** With room for a tag and for the length that a literal may still get. */
  #reserve(byteLength: number): void {
    const needed = this.#at + byteLength + 8
    if (needed <= this.output.length) return
    const grown = new Uint8Array(Math.max(needed, this.output.length * 2))
    grown.set(this.output.subarray(0, this.#at))
    this.output = grown
  }
}
