import type { FieldReader } from '../../wire/field-reader.ts'

/** Field number and wire type in one, as on the wire: a field of another wire type than ours is an unknown one. */
export function tagOf(reader: FieldReader): number {
  return (reader.field << 3) | reader.wireType
}
