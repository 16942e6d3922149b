import { decodeUtf8 } from './utf8.ts'
import { WireError } from './wire-error.ts'

export const wireType = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const

/** Groups inside groups are followed to this depth, as the official parsers do. */
export const groupDepthMax = 100

/**
 * Walks the fields of one message where they lie. Knows tags and lengths, not messages; which field means what is
 * decided in otlp/. Nothing is allocated per field: `next` moves the reader, its properties tell where it stands, and
 * the value methods decode what it stands on. A value method fits the wire type it is named for; the caller has looked
 * at `wireType`.
 */
export class FieldReader {
  bytes: Uint8Array
  /** Where the message ends: no field may run past it. */
  limit: number
  field = 0
  wireType = 0
  /** First byte of the current field, its tag. */
  fieldStart: number
  /** First byte of the current value, after its length if it has one. */
  start: number
  /** One past the current value: where the next field begins. */
  end: number
  /** The halves of the 64-bit value that `readHalves` decoded last, both unsigned. */
  low = 0
  high = 0

  constructor(bytes: Uint8Array, start = 0, limit = bytes.length) {
    this.bytes = bytes
    this.limit = limit
    this.fieldStart = start
    this.start = start
    this.end = start
  }

  /** Begins anew with another message, so that one reader serves many. */
  reset(bytes: Uint8Array, start: number, limit: number): void {
    this.bytes = bytes
    this.limit = limit
    this.fieldStart = start
    this.start = start
    this.end = start
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    const bytes = this.bytes
    const limit = this.limit
    let position = this.end
    if (position >= limit) return false
    this.fieldStart = position
    let tag = bytes[position++]
    if (tag >= 0x80) {
      position = this.#readTag(position - 1)
      tag = this.low
    }
    const type = tag & 7
    this.field = tag >>> 3
    this.wireType = type
    if (tag < 8) throw new WireError('field number 0', this.fieldStart)
    if (type !== wireType.bytes) {
      this.start = position
      this.end = this.#skipScalar(type, position)
      return true
    }
    if (position >= limit) throw new WireError('a truncated length', position)
    const lengthAt = position
    let length = bytes[position++]
    if (length >= 0x80) {
      const second = position < limit ? bytes[position] : 0x80
      if (second < 0x80) {
        length = (length & 0x7f) | (second << 7)
        position++
      } else {
        position = this.#readVarint(position - 1)
        length = this.high === 0 ? this.low : Infinity
      }
    }
    if (length > limit - position) {
      throw new WireError('a length that runs past its message', lengthAt)
    }
    this.start = position
    this.end = position + length
    return true
  }

  /** True when the current value is length-delimited and has this field number. */
  is(field: number): boolean {
    return this.field === field && this.wireType === wireType.bytes
  }

  /** The current value's bytes, sharing the memory that is read. */
  view(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  /** The current length-delimited value as text; what is not UTF-8 becomes U+FFFD. */
  string(): string {
    return decodeUtf8(this.bytes, this.start, this.end)
  }

  /** Puts the 64 bits of the current varint or fixed64 into `low` and `high`. */
  readHalves(): void {
    if (this.wireType === wireType.varint) {
      this.#readVarint(this.start)
      return
    }
    this.low = this.#fixed32At(this.start)
    this.high = this.#fixed32At(this.start + 4)
  }

  /** Also right for bool and enum fields, whose writers may use more than 32 bits: the low 32 count. */
  uint32(): number {
    const first = this.bytes[this.start]
    if (first < 0x80) return first
    this.#readVarint(this.start)
    return this.low
  }

  int32(): number {
    return this.uint32() | 0
  }

  sint32(): number {
    const zigzag = this.uint32()
    return (zigzag >>> 1) ^ -(zigzag & 1)
  }

  bool(): boolean {
    this.#readVarint(this.start)
    return (this.low | this.high) !== 0
  }

  /** The current varint or fixed64, unsigned, every bit of it. */
  uint64(): bigint {
    this.readHalves()
    return (BigInt(this.high) << 32n) | BigInt(this.low)
  }

  /** The current varint or sfixed64, signed, every bit of it. */
  int64(): bigint {
    this.readHalves()
    return (BigInt(this.high | 0) << 32n) | BigInt(this.low)
  }

  /** The current varint or fixed64 as the nearest double: exact to 2^53, meant for arithmetic. */
  uint64Nearest(): number {
    this.readHalves()
    return this.high * 0x1_0000_0000 + this.low
  }

  /** The current varint or sfixed64 as the nearest double. */
  int64Nearest(): number {
    this.readHalves()
    return (this.high | 0) * 0x1_0000_0000 + this.low
  }

  fixed32(): number {
    return this.#fixed32At(this.start)
  }

  double(): number {
    return doubleAt(this.bytes, this.start)
  }

  #fixed32At(position: number): number {
    const bytes = this.bytes
    return (
      (bytes[position] |
        (bytes[position + 1] << 8) |
        (bytes[position + 2] << 16) |
        (bytes[position + 3] << 24)) >>>
      0
    )
  }

  #readTag(position: number): number {
    const end = this.#readVarint(position)
    if (this.high !== 0) throw new WireError('a field number out of range', position)
    return end
  }

  /** Decodes into `low` and `high`, returns one past it. Bits beyond the 64th are ignored, as the parsers in use do. */
  #readVarint(position: number): number {
    const bytes = this.bytes
    const end = this.#skipVarint(position)
    let low = 0
    let high = 0
    for (let index = position, shift = 0; index < end; index++, shift += 7) {
      const bits = bytes[index] & 0x7f
      if (shift < 32) low |= bits << shift
      // The fifth byte straddles the halves: bits 28 to 31 are low, 32 to 34 high.
      if (shift === 28) high |= bits >>> 4
      if (shift > 28 && shift < 64) high |= bits << (shift - 32)
    }
    this.low = low >>> 0
    this.high = high >>> 0
    return end
  }

  #skipVarint(position: number): number {
    const bytes = this.bytes
    const limit = Math.min(this.limit, position + 10)
    let index = position
    while (index < limit) if (bytes[index++] < 0x80) return index
    throw new WireError(
      index === position + 10 ? 'a varint longer than ten bytes' : 'a truncated varint',
      position,
    )
  }

  #skipScalar(type: number, position: number): number {
    switch (type) {
      case wireType.varint:
        return this.#skipVarint(position)
      case wireType.fixed64:
        return this.#skipFixed(position, 8)
      case wireType.fixed32:
        return this.#skipFixed(position, 4)
      case wireType.groupStart:
        return this.#skipGroup(position)
      case wireType.groupEnd:
        throw new WireError('the end of a group that was not begun', this.fieldStart)
      default:
        throw new WireError(`unknown wire type ${type}`, this.fieldStart)
    }
  }

  #skipFixed(position: number, byteLength: number): number {
    if (byteLength > this.limit - position) throw new WireError('a truncated value', position)
    return position + byteLength
  }

  /** Passes over a group's fields to one past its end tag, with a list of open groups in place of recursion. */
  #skipGroup(position: number): number {
    const open = [this.field]
    let index = position
    while (open.length > 0) {
      const fieldStart = index
      if (index >= this.limit) throw new WireError('a group without an end', fieldStart)
      index = this.#readTag(index)
      const field = this.low >>> 3
      const type = this.low & 7
      if (field === 0) throw new WireError('field number 0', fieldStart)
      if (type === wireType.groupStart) {
        if (open.length === groupDepthMax)
          throw new WireError(`groups nested deeper than ${groupDepthMax}`, fieldStart)
        open.push(field)
      } else if (type === wireType.groupEnd) {
        if (open.pop() !== field) throw new WireError('the end of another group', fieldStart)
      } else if (type === wireType.bytes) {
        const lengthAt = index
        index = this.#readVarint(index)
        if (this.high !== 0 || this.low > this.limit - index) {
          throw new WireError('a length that runs past its message', lengthAt)
        }
        index += this.low
      } else {
        index = this.#skipScalar(type, index)
      }
    }
    return index
  }
}

const doubleBytes = new Uint8Array(8)
const doubleView = new DataView(doubleBytes.buffer)

/** The little-endian double at `position`. Copied out: a DataView for each message costs far more than eight stores. */
function doubleAt(bytes: Uint8Array, position: number): number {
  for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[position + index]
  return doubleView.getFloat64(0, true)
}
