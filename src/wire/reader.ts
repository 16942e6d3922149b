/** Reads protobuf wire format. Knows tags and lengths, not messages; which field means what is decided in otlp/. */
import { Malformed } from './malformed.ts'

export const wireVarint = 0
export const wireFixed64 = 1
export const wireBytes = 2
export const wireGroupStart = 3
export const wireGroupEnd = 4
export const wireFixed32 = 5

const groupDepthMax = 100

/**
 * A cursor over encoded fields. Every method takes the end of the message it reads in, and none reads past it: lengths
 * are checked against their parent. Throws Malformed. One reader walks all levels; nothing is allocated a field.
 */
export class WireReader {
  readonly bytes: Uint8Array
  offset: number

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes
    this.offset = offset
  }

  /** The next tag: field number << 3 | wire type, unsigned. Field number 0 is malformed. */
  tag(end: number): number {
    const first = this.bytes[this.offset]
    if (first < 0x80 && this.offset < end) {
      if (first < 8) throw new Malformed('field number 0', this.offset)
      this.offset++
      return first
    }
    const start = this.offset
    const tag = this.varint32(end)
    if (tag >>> 3 === 0) throw new Malformed('field number 0', start)
    return tag
  }

  /** The low 32 bits of a varint, unsigned. */
  varint32(end: number): number {
    const { bytes } = this
    let { offset } = this
    let value = 0
    const last = offset + 10 < end ? offset + 10 : end
    for (let shift = 0; offset < last; shift += 7) {
      const byte = bytes[offset++]
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.offset = offset
        return value >>> 0
      }
    }
    throw this.#badVarint(end)
  }

  /** All 64 bits, unsigned; `BigInt.asIntN(64, ...)` makes an int64 of it. */
  varint64(end: number): bigint {
    let value = 0n
    const last = Math.min(this.offset + 10, end)
    let { offset } = this
    for (let shift = 0n; offset < last; shift += 7n) {
      const byte = this.bytes[offset++]
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        this.offset = offset
        return BigInt.asUintN(64, value)
      }
    }
    throw this.#badVarint(end)
  }

  /** Reads a length and gives the end of what it covers, which is where the caller's value stops. */
  lengthEnd(end: number): number {
    const { offset } = this
    const first = this.bytes[offset]
    let length = first
    if (first < 0x80 && offset < end) this.offset = offset + 1
    else length = this.#longLength(end)
    const valueEnd = this.offset + length
    if (valueEnd > end) throw new Malformed('a length that runs past its message', offset)
    return valueEnd
  }

  /** Passes over the value of a field whose tag was just read. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case wireVarint:
        this.varint32(end)
        return
      case wireFixed64:
        this.#advance(8, end)
        return
      case wireBytes:
        this.offset = this.lengthEnd(end)
        return
      case wireFixed32:
        this.#advance(4, end)
        return
      case wireGroupStart:
        this.#skipGroup(tag >>> 3, end)
        return
      default:
        throw new Malformed(
          (tag & 7) === wireGroupEnd
            ? 'the end of a group that was not begun'
            : 'an unknown wire type',
          this.offset,
        )
    }
  }

  #skipGroup(fieldNumber: number, end: number): void {
    const open = [fieldNumber]
    while (open.length > 0) {
      const tag = this.tag(end)
      const wireType = tag & 7
      if (wireType === wireGroupEnd) {
        if (open.pop() !== tag >>> 3) throw new Malformed('the end of another group', this.offset)
      } else if (wireType === wireGroupStart) {
        if (open.push(tag >>> 3) > groupDepthMax) {
          throw new Malformed(`groups nested deeper than ${groupDepthMax}`, this.offset)
        }
      } else this.skip(tag, end)
    }
  }

  // Above 2^31 no length can fit its message, so that only four bytes and a few bits of a fifth are of interest.
  #longLength(end: number): number {
    const start = this.offset
    const length = this.varint32(end)
    if (length > 0x7fffffff || this.offset - start > 5) {
      throw new Malformed('a length that runs past its message', start)
    }
    return length
  }

  #advance(byteLength: number, end: number): void {
    if (this.offset + byteLength > end) throw new Malformed('a truncated field', this.offset)
    this.offset += byteLength
  }

  #badVarint(end: number): Malformed {
    return this.offset + 10 < end
      ? new Malformed('a varint longer than ten bytes', this.offset)
      : new Malformed('a truncated varint', this.offset)
  }
}
