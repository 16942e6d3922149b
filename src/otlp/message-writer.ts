/** Writes nested messages front to back in one growing buffer: a length is filled in when its message is closed. */

import { wireBytes, wireFixed32, wireFixed64, wireVarint } from './field-cursor.ts'

export class MessageWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(byteLengthGuess = 256) {
    this.#bytes = new Uint8Array(byteLengthGuess)
    this.#view = new DataView(this.#bytes.buffer)
  }

  /** The bytes written so far, sharing memory with the writer. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  get byteLength(): number {
    return this.#length
  }

  /** Begins a message or packed list; what it returns is for close(). */
  open(field: number): number {
    this.tag(field, wireBytes)
    // One byte is enough for nearly all; close() makes room where it is not.
    this.#reserve(1)
    this.#length += 1
    return this.#length
  }

  close(start: number): void {
    const byteLength = this.#length - start
    const extra = varintByteLength(byteLength) - 1
    if (extra > 0) {
      this.#reserve(extra)
      this.#bytes.copyWithin(start + extra, start, this.#length)
    }
    this.#length = start - 1
    this.varint32(byteLength)
    this.#length += byteLength
  }

  /** Takes back what open(field) began, as long as nothing was written since. */
  abandon(start: number, field: number): void {
    this.#length = start - 1 - varintByteLength((field << 3) | wireBytes)
  }

  tag(field: number, wireType: number): void {
    this.varint32(((field << 3) | wireType) >>> 0)
  }

  varint32(value: number): void {
    this.#reserve(5)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#length++] = rest
  }

  /** Negative values as protobuf has them: 64 bits of two's complement, ten bytes. */
  varint64(value: bigint): void {
    this.#reserve(10)
    let low = Number(value & 0xffffffffn)
    let high = Number((value >> 32n) & 0xffffffffn)
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#length++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.#bytes[this.#length++] = low
  }

  fixed32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  fixed64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.#length, BigInt.asUintN(64, value), true)
    this.#length += 8
  }

  double(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#length, value, true)
    this.#length += 8
  }

  /** Only the bytes, without a length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  varint32Field(field: number, value: number): void {
    this.tag(field, wireVarint)
    this.varint32(value)
  }

  varint64Field(field: number, value: bigint): void {
    this.tag(field, wireVarint)
    this.varint64(value)
  }

  fixed32Field(field: number, value: number): void {
    this.tag(field, wireFixed32)
    this.fixed32(value)
  }

  fixed64Field(field: number, value: bigint): void {
    this.tag(field, wireFixed64)
    this.fixed64(value)
  }

  doubleField(field: number, value: number): void {
    this.tag(field, wireFixed64)
    this.double(value)
  }

  bytesField(field: number, value: Uint8Array): void {
    this.tag(field, wireBytes)
    this.varint32(value.length)
    this.raw(value)
  }

  textField(field: number, value: string): void {
    this.bytesField(field, textEncoder.encode(value))
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

const textEncoder = new TextEncoder()

function varintByteLength(value: number): number {
  let byteLength = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) byteLength++
  return byteLength
}
