/** Steps through the fields of one encoded message, and reads the values of those that are wanted. */

import { Refusal } from './refusal.ts'

/** Wire types as numbers on the wire. */
export const wireVarint = 0
export const wireFixed64 = 1
export const wireBytes = 2
export const wireFixed32 = 5

const wireGroupStart = 3
const wireGroupEnd = 4
const groupDepthMax = 100

export class FieldCursor {
  readonly bytes: Uint8Array
  readonly #end: number
  #next: number
  /** Of the current field, as the next three. */
  number = 0
  wireType = 0
  /** Where its value lies; for length-delimited fields without the length, for groups without either tag. */
  start = 0
  end = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#next = 0
    this.#end = bytes.length
  }

  /** False at the end. Throws a Refusal on bytes that are no message. */
  next(): boolean {
    if (this.#next >= this.#end) return false
    this.#readTag()
    if (this.wireType === wireGroupStart) this.#skipGroup()
    else this.#readExtent()
    return true
  }

  /** Where the next field begins. */
  get position(): number {
    return this.#next
  }

  /** The value of a length-delimited field, sharing memory. */
  slice(): Uint8Array {
    return this.bytes.subarray(this.start, this.end)
  }

  #readTag(): void {
    const tag = this.#varint32()
    this.number = tag >>> 3
    this.wireType = tag & 7
    if (this.number === 0) throw malformed(this.#next, 'field number 0')
  }

  #readExtent(): void {
    let start = this.#next
    let end: number
    switch (this.wireType) {
      case wireVarint:
        end = varintEnd(this.bytes, this.#next, this.#end)
        break
      case wireFixed64:
        end = start + 8
        break
      case wireFixed32:
        end = start + 4
        break
      case wireBytes: {
        const length = this.#varint32()
        start = this.#next
        end = start + length
        break
      }
      default:
        throw malformed(this.#next, `wire type ${this.wireType}`)
    }
    if (end > this.#end) throw malformed(this.#next, 'field runs past its message')
    this.start = start
    this.end = end
    this.#next = end
  }

  #skipGroup(): void {
    const start = this.#next
    const open = [this.number]
    while (open.length > 0) {
      if (this.#next >= this.#end) throw malformed(this.#next, 'group without an end')
      const end = this.#next
      this.#readTag()
      if (this.wireType === wireGroupEnd) {
        if (open.pop() !== this.number) throw malformed(this.#next, 'end of another group')
        this.end = end
      } else if (this.wireType === wireGroupStart) {
        if (open.push(this.number) > groupDepthMax)
          throw malformed(this.#next, 'groups nest too deep')
      } else this.#readExtent()
    }
    this.wireType = wireGroupStart
    this.start = start
  }

  /** Of a longer varint the low 32 bits, as protobuf truncates. */
  #varint32(): number {
    const end = varintEnd(this.bytes, this.#next, this.#end)
    const value = readVarint32(this.bytes, this.#next)
    this.#next = end
    return value
  }
}

/** Where the varint at `start` ends. Throws a Refusal when that is past `limit`, or over ten bytes away. */
export function varintEnd(bytes: Uint8Array, start: number, limit: number): number {
  const stop = Math.min(limit, start + 10)
  for (let index = start; index < stop; index++) if (bytes[index] < 0x80) return index + 1
  throw malformed(start, 'varint without an end')
}

export function malformed(offset: number, what: string): Refusal {
  return new Refusal('invalid', `malformed protobuf at byte ${offset}: ${what}`)
}

/** The low 32 bits, unsigned. */
export function readVarint32(bytes: Uint8Array, start: number): number {
  let value = 0
  let shift = 0
  for (let index = start; ; index++) {
    const byte = bytes[index]
    if (shift < 32) value |= (byte & 0x7f) << shift
    if (byte < 0x80) return value >>> 0
    shift += 7
  }
}

/** All 64 bits, unsigned; `BigInt.asIntN(64, ...)` makes an int64 of it. */
export function readVarint64(bytes: Uint8Array, start: number): bigint {
  let low = 0
  let high = 0
  let shift = 0
  for (let index = start; ; index++) {
    const byte = bytes[index]
    const bits = byte & 0x7f
    if (shift < 28) low |= bits << shift
    else if (shift === 28) {
      low |= (bits & 0xf) << 28
      high |= bits >>> 4
    } else if (shift < 64) high |= bits << (shift - 32)
    if (byte < 0x80) break
    shift += 7
  }
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
