/** Values of scalar fields, from the bytes that hold them. */

import {
  malformed,
  readVarint32,
  readVarint64,
  varintEnd,
  wireFixed32,
  wireFixed64,
} from './field-cursor.ts'
import type { FieldTable } from './message-table.ts'

/** Bytes and ids share memory; 64-bit kinds are bigints; enums are numbers. */
export type ScalarValue = string | number | bigint | boolean | Uint8Array

/** `end` is where the value ends, which only length-delimited kinds look at. */
export function readScalar(
  field: FieldTable,
  bytes: Uint8Array,
  start: number,
  end: number,
): ScalarValue {
  switch (field.kind) {
    case 'string':
      return readText(bytes, start, end)
    case 'bool':
      return readVarint64(bytes, start) !== 0n
    case 'int32':
    case 'enum':
      return readVarint32(bytes, start) | 0
    case 'sint32': {
      const zigzag = readVarint32(bytes, start)
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case 'uint32':
      return readVarint32(bytes, start)
    case 'int64':
      return BigInt.asIntN(64, readVarint64(bytes, start))
    case 'uint64':
      return readVarint64(bytes, start)
    case 'fixed32':
      return viewOf(bytes).getUint32(start, true)
    case 'fixed64':
      return viewOf(bytes).getBigUint64(start, true)
    case 'sfixed64':
      return viewOf(bytes).getBigInt64(start, true)
    case 'double':
      return viewOf(bytes).getFloat64(start, true)
    default:
      return bytes.subarray(start, end)
  }
}

/** Appends what one packed field holds between `start` and `end`. */
export function readPacked(
  field: FieldTable,
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  values: ScalarValue[],
): void {
  let position = range.start
  while (position < range.end) {
    const next = valueEnd(field.wireType, bytes, position)
    if (next > range.end) throw malformed(position, 'number runs past its list')
    values.push(readScalar(field, bytes, position, next))
    position = next
  }
}

function valueEnd(wireType: number, bytes: Uint8Array, start: number): number {
  if (wireType === wireFixed64) return start + 8
  if (wireType === wireFixed32) return start + 4
  return varintEnd(bytes, start, bytes.length)
}

/** What is not UTF-8 becomes U+FFFD: it is too late to refuse. */
export function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < 16) {
    let text = ''
    let index = start
    for (; index < end && bytes[index] < 0x80; index++) text += String.fromCharCode(bytes[index])
    if (index === end) return text
  }
  return textDecoder.decode(bytes.subarray(start, end))
}

const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true })

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
