/** Values of scalar fields as their kind says, from a reader that stands on them. */

import { type FieldReader, wireType } from '../wire/field-reader.ts'
import { WireError } from '../wire/wire-error.ts'
import type { FieldTable } from './message-table.ts'

/** Bytes and ids share memory; 64-bit kinds are bigints; enums are numbers. */
export type ScalarValue = string | number | bigint | boolean | Uint8Array

/** The reader's wire type must be the field's. */
export function readScalar(field: FieldTable, reader: FieldReader): ScalarValue {
  switch (field.kind) {
    case 'string':
      return reader.string()
    case 'bool':
      return reader.bool()
    case 'int32':
    case 'enum':
      return reader.int32()
    case 'sint32':
      return reader.sint32()
    case 'uint32':
      return reader.uint32()
    case 'fixed32':
      return reader.fixed32()
    case 'int64':
    case 'sfixed64':
      return reader.int64()
    case 'uint64':
    case 'fixed64':
      return reader.uint64()
    case 'double':
      return reader.double()
    default:
      return reader.view()
  }
}

/** Appends the numbers of the packed field that the reader stands on. */
export function readPacked(field: FieldTable, reader: FieldReader, values: ScalarValue[]): void {
  const { start, end } = reader
  reader.wireType = field.wireType
  while (reader.start < end) {
    const next = numberEnd(reader)
    if (next > end) throw new WireError('number runs past its list', reader.start)
    values.push(readScalar(field, reader))
    reader.start = next
  }
  // As it stood, so that next() and a look at the field see nothing of this.
  reader.start = start
  reader.wireType = wireType.bytes
}

function numberEnd({ wireType: type, bytes, start }: FieldReader): number {
  if (type === wireType.fixed64) return start + 8
  if (type === wireType.fixed32) return start + 4
  const limit = Math.min(bytes.length, start + 10)
  for (let index = start; index < limit; index++) if (bytes[index] < 0x80) return index + 1
  throw new WireError('number without an end', start)
}
