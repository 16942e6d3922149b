import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader, wireType } from '../wire/field-reader.ts'
import { WireError } from '../wire/wire-error.ts'
import { WireWriter } from '../wire/wire-writer.ts'

/** What an AnyValue holds: an int is a bigint, a double a number, an empty value null. */
export type AttributeValue =
  | string
  | boolean
  | bigint
  | number
  | Uint8Array
  | readonly AttributeValue[]
  | ReadonlyMap<string, AttributeValue>
  | null

/** Field numbers of KeyValue, and of AnyValue's oneof `value`. */
export const keyValueFields = { key: 1, value: 2 } as const
const valueFields = { string: 1, bool: 2, int: 3, double: 4, array: 5, map: 6, bytes: 7 } as const
/** Of ArrayValue and of KeyValueList. */
const elementsField = 1

/** Arrays and maps inside each other are followed to this depth, as the official parsers do. */
export const valueDepthMax = 100

/** Decodes an AnyValue that lies from `start` to `end`. Throws a WireError on malformed bytes. */
export function decodeValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth = 0,
): AttributeValue {
  if (depth > valueDepthMax) {
    throw new WireError(`values nested deeper than ${valueDepthMax}`, start)
  }
  let value: AttributeValue = null
  let member = 0
  const fields = new FieldReader(bytes, start, end)
  while (fields.next()) {
    const field = fields.field
    if (fields.wireType !== valueWireTypes[field]) continue
    // Of a oneof the last member wins; a message that comes again is the same one, continued.
    const earlier = field === member ? value : null
    member = field
    value = decodeMember(fields, earlier, depth)
  }
  return value
}

const valueWireTypes = [
  -1,
  wireType.bytes,
  wireType.varint,
  wireType.varint,
  wireType.fixed64,
  wireType.bytes,
  wireType.bytes,
  wireType.bytes,
] as const

function decodeMember(fields: FieldReader, earlier: AttributeValue, depth: number): AttributeValue {
  switch (fields.field) {
    case valueFields.string:
      return fields.string()
    case valueFields.bool:
      return fields.bool()
    case valueFields.int:
      return fields.int64()
    case valueFields.double:
      return fields.double()
    case valueFields.array:
      return decodeArray(fields, (earlier ?? []) as AttributeValue[], depth)
    case valueFields.map:
      return decodeMap(fields, (earlier ?? new Map()) as Map<string, AttributeValue>, depth)
    default:
      return fields.view()
  }
}

function decodeArray(
  outer: FieldReader,
  values: AttributeValue[],
  depth: number,
): readonly AttributeValue[] {
  const fields = new FieldReader(outer.bytes, outer.start, outer.end)
  while (fields.next()) {
    if (fields.is(elementsField)) {
      values.push(decodeValue(fields.bytes, fields.start, fields.end, depth + 1))
    }
  }
  return values
}

function decodeMap(
  outer: FieldReader,
  values: Map<string, AttributeValue>,
  depth: number,
): ReadonlyMap<string, AttributeValue> {
  const fields = new FieldReader(outer.bytes, outer.start, outer.end)
  while (fields.next()) {
    if (!fields.is(elementsField)) continue
    const key = decodeKey(fields.bytes, fields.start, fields.end)
    const value = decodeKeyedValue(fields.bytes, fields.start, fields.end, depth + 1)
    if (!values.has(key)) values.set(key, value)
  }
  return values
}

/** The key of the KeyValue that lies from `start` to `end`; the last one counts, if there are several. */
export function decodeKey(bytes: Uint8Array, start: number, end: number): string {
  let key = ''
  const fields = new FieldReader(bytes, start, end)
  while (fields.next()) if (fields.is(keyValueFields.key)) key = fields.string()
  return key
}

/** The value of the KeyValue that lies from `start` to `end`; its pieces merge, if there are several. */
export function decodeKeyedValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  depth = 0,
): AttributeValue {
  let count = 0
  let valueStart = 0
  let valueEnd = 0
  const fields = new FieldReader(bytes, start, end)
  while (fields.next()) {
    if (!fields.is(keyValueFields.value)) continue
    count++
    valueStart = fields.start
    valueEnd = fields.end
  }
  if (count < 2) return decodeValue(bytes, valueStart, valueEnd, depth)
  const pieces = new ChunkList()
  fields.reset(bytes, start, end)
  while (fields.next()) {
    if (fields.is(keyValueFields.value)) pieces.add(bytes, fields.start, fields.end)
  }
  const merged = pieces.toBytes()
  return decodeValue(merged, 0, merged.length, depth)
}

/** Writes one KeyValue's fields. An empty value has no `value` field. */
export function writeKeyValue(writer: WireWriter, key: string, value: AttributeValue): void {
  writer.string(keyValueFields.key, key)
  if (value === null) return
  writer.message(keyValueFields.value, () => writeValue(writer, value))
}

/** Writes the one field of an AnyValue, or none for the empty value. */
export function writeValue(writer: WireWriter, value: AttributeValue): void {
  if (typeof value === 'string') writer.string(valueFields.string, value)
  else if (typeof value === 'boolean') writer.bool(valueFields.bool, value)
  else if (typeof value === 'bigint') writer.int64(valueFields.int, value)
  else if (typeof value === 'number') writer.double(valueFields.double, value)
  else if (value instanceof Uint8Array) writer.bytes(valueFields.bytes, value)
  else if (value instanceof Map) writeMap(writer, value)
  else if (value !== null) writeArray(writer, value as readonly AttributeValue[])
}

function writeArray(writer: WireWriter, values: readonly AttributeValue[]): void {
  writer.message(valueFields.array, () => {
    for (const value of values) writer.message(elementsField, () => writeValue(writer, value))
  })
}

function writeMap(writer: WireWriter, values: ReadonlyMap<string, AttributeValue>): void {
  writer.message(valueFields.map, () => {
    for (const [key, value] of values) {
      writer.message(elementsField, () => writeKeyValue(writer, key, value))
    }
  })
}
