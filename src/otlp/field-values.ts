/**
 * Fields of one message, read where they lie. Each call looks through the whole message, because the last occurrence
 * counts and fields come in any order: right for a few fields of many messages, which is what views are for.
 */

import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader, wireType } from '../wire/field-reader.ts'
import { asRefusal } from './malformed.ts'
import type { FieldTable } from './message-table.ts'
import { readPacked, readScalar, type ScalarValue } from './scalar.ts'

/** Of the kinds string; '' when absent. */
export function textOf(bytes: Uint8Array, field: FieldTable): string {
  return (lastOf(bytes, field) as string | undefined) ?? ''
}

/** Of all numeric kinds up to 32 bits, enum and double; 0 when absent. */
export function numberOf(bytes: Uint8Array, field: FieldTable): number {
  return (lastOf(bytes, field) as number | undefined) ?? 0
}

/** Of the 64-bit kinds; 0 when absent. */
export function bigintOf(bytes: Uint8Array, field: FieldTable): bigint {
  return (lastOf(bytes, field) as bigint | undefined) ?? 0n
}

export function booleanOf(bytes: Uint8Array, field: FieldTable): boolean {
  return (lastOf(bytes, field) as boolean | undefined) ?? false
}

/** Of bytes and ids, sharing memory; none when absent. */
export function bytesOf(bytes: Uint8Array, field: FieldTable): Uint8Array {
  return (lastOf(bytes, field) as Uint8Array | undefined) ?? noBytes
}

/** Of a scalar that is not repeated. Undefined when absent, which for optional fields is not 0. */
export function lastOf(bytes: Uint8Array, field: FieldTable): ScalarValue | undefined {
  let start = -1
  let end = -1
  visitFields(bytes, (reader) => {
    if (reader.field !== field.number || reader.wireType !== field.wireType) return
    start = reader.start
    end = reader.end
  })
  if (start < 0) return undefined
  const reader = new FieldReader(bytes)
  reader.wireType = field.wireType
  reader.start = start
  reader.end = end
  return readScalar(field, reader)
}

/** A singular message, its pieces joined; undefined when absent. */
export function messageOf(bytes: Uint8Array, field: FieldTable): Uint8Array | undefined {
  const pieces = messagesOf(bytes, field)
  return pieces.length > 1 ? joined(pieces) : pieces[0]
}

/** The elements of a repeated message, sharing memory. */
export function messagesOf(bytes: Uint8Array, field: FieldTable): Uint8Array[] {
  const found: Uint8Array[] = []
  visitFields(bytes, (reader) => {
    if (reader.is(field.number)) found.push(reader.view())
  })
  return found
}

/** The elements of a repeated scalar, packed or not. */
export function valuesOf(bytes: Uint8Array, field: FieldTable): ScalarValue[] {
  const values: ScalarValue[] = []
  visitFields(bytes, (reader) => {
    if (reader.field !== field.number) return
    if (reader.wireType === field.wireType) values.push(readScalar(field, reader))
    else if (reader.wireType === wireType.bytes) readPacked(field, reader, values)
  })
  return values
}

/** The member of a oneof that holds: the last one on the wire. */
export function chosenOf<Field extends FieldTable>(
  bytes: Uint8Array,
  members: readonly Field[],
): Field | undefined {
  let chosen: Field | undefined
  visitFields(bytes, (reader) => {
    chosen = memberAt(reader, members) ?? chosen
  })
  return chosen
}

/** The pieces of a oneof's message since the last time another member came, joined. */
export function chosenMessageOf(
  bytes: Uint8Array,
  members: readonly FieldTable[],
  chosen: FieldTable,
): Uint8Array {
  let pieces: Uint8Array[] = []
  visitFields(bytes, (reader) => {
    const member = memberAt(reader, members)
    if (member === chosen) pieces.push(reader.view())
    else if (member !== undefined) pieces = []
  })
  return pieces.length === 1 ? pieces[0] : joined(pieces)
}

function memberAt<Field extends FieldTable>(
  reader: FieldReader,
  members: readonly Field[],
): Field | undefined {
  return members.find((one) => one.number === reader.field && one.wireType === reader.wireType)
}

/** Throws a Refusal on malformed bytes, which nobody has looked at before. */
function visitFields(bytes: Uint8Array, visit: (reader: FieldReader) => void): void {
  try {
    const reader = new FieldReader(bytes)
    while (reader.next()) visit(reader)
  } catch (error) {
    throw asRefusal(error)
  }
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const chunks = new ChunkList()
  for (const piece of pieces) chunks.add(piece, 0, piece.length)
  return chunks.toBytes()
}

const noBytes = new Uint8Array(0)
