import { copyBytes } from './copy-bytes.ts'
import { wireType } from './field-reader.ts'
import { writeUtf8 } from './utf8.ts'
import { varintLength, writeVarint } from './varint.ts'

/**
 * Builds a message field by field in a buffer that grows. Every method writes its field whatever the value is: what
 * proto3 leaves out (zero, the empty string) is left out by the caller, who knows which fields have presence.
 */
export class WireWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  get byteLength(): number {
    return this.#length
  }

  /** An unsigned whole number up to 2^53 - 1: uint32, enum, or a 64-bit count that is known to be small. */
  uint(field: number, value: number): void {
    this.#tag(field, wireType.varint, 10)
    this.#length = writeVarint(this.#bytes, this.#length, value)
  }

  bool(field: number, value: boolean): void {
    this.uint(field, value ? 1 : 0)
  }

  /** int32 or an enum: a negative one takes ten bytes. */
  int32(field: number, value: number): void {
    if (value < 0) this.int64(field, BigInt(value | 0))
    else this.uint(field, value)
  }

  sint32(field: number, value: number): void {
    this.uint(field, ((value << 1) ^ (value >> 31)) >>> 0)
  }

  /** int64 or uint64, taken modulo 2^64. */
  int64(field: number, value: bigint): void {
    this.#tag(field, wireType.varint, 10)
    this.#varint64(value)
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, wireType.fixed32, 4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  /** fixed64 or sfixed64, taken modulo 2^64. */
  fixed64(field: number, value: bigint): void {
    this.#tag(field, wireType.fixed64, 8)
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true)
    this.#length += 8
  }

  double(field: number, value: number): void {
    this.#tag(field, wireType.fixed64, 8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  string(field: number, text: string): void {
    this.message(field, () => {
      this.#reserve(text.length * 3)
      this.#length = writeUtf8(this.#bytes, this.#length, text)
    })
  }

  bytes(field: number, value: Uint8Array): void {
    this.#tag(field, wireType.bytes, value.length + 10)
    this.#length = writeVarint(this.#bytes, this.#length, value.length)
    this.raw(value)
  }

  /** A message field, or any other length-delimited one; `write` writes its body with this same writer. */
  message(field: number, write: () => void): void {
    // One byte for the length, as most messages are small.
    const body = this.begin(field, 1)
    write()
    this.end(body, 1)
  }

  /** As `message`, where the body is written between this and `end`, and its length probably takes `lengthBytes`. */
  begin(field: number, lengthBytes: number): number {
    this.#tag(field, wireType.bytes, lengthBytes)
    this.#length += lengthBytes
    return this.#length
  }

  /** Of the message whose `begin` gave `body`, and took the same `lengthBytes`. */
  end(body: number, lengthBytes: number): void {
    const byteLength = this.#length - body
    const lengthAt = body - lengthBytes
    const headerLength = varintLength(byteLength)
    if (headerLength !== lengthBytes) {
      this.#reserve(10)
      this.#bytes.copyWithin(lengthAt + headerLength, body, this.#length)
      this.#length += headerLength - lengthBytes
    }
    writeVarint(this.#bytes, lengthAt, byteLength)
  }

  /** A packed field of 64-bit varints, taken modulo 2^64. */
  packedVarints(field: number, values: readonly bigint[]): void {
    this.message(field, () => {
      for (const value of values) {
        this.#reserve(10)
        this.#varint64(value)
      }
    })
  }

  /** A packed field of fixed64 or sfixed64, taken modulo 2^64. */
  packedFixed64(field: number, values: readonly bigint[]): void {
    this.message(field, () => {
      this.#reserve(values.length * 8)
      for (const value of values) {
        this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true)
        this.#length += 8
      }
    })
  }

  packedDoubles(field: number, values: readonly number[]): void {
    this.message(field, () => {
      this.#reserve(values.length * 8)
      for (const value of values) {
        this.#view.setFloat64(this.#length, value, true)
        this.#length += 8
      }
    })
  }

  /** Fields that are encoded already. */
  raw(encoded: Uint8Array): void {
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  /** As `raw`, from `start` to `end` of another array; for the few hundred bytes at most of one field. */
  copy(from: DataView, start: number, end: number): void {
    this.#reserve(end - start)
    copyBytes(this.#view, this.#length, from, { start, end })
    this.#length += end - start
  }

  /** What was written, where it lies; the writer, empty again, goes on in another array. */
  moveTo(bytes: Uint8Array): Uint8Array {
    const encoded = this.#bytes.subarray(0, this.#length)
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#length = 0
    return encoded
  }

  /** What was written, in an array of its own; the writer is empty again. */
  finish(): Uint8Array {
    const encoded = this.#bytes.slice(0, this.#length)
    this.#length = 0
    return encoded
  }

  #tag(field: number, type: number, valueLength: number): void {
    this.#reserve(5 + valueLength)
    this.#length = writeVarint(this.#bytes, this.#length, field * 8 + type)
  }

  #varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value)
    while (rest >= 0x80n) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#length++] = Number(rest)
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}
