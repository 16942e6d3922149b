/** How messages are described to code that treats all of them alike: JSON in, JSON out, lazy views. */

import { wireType } from '../wire/field-reader.ts'

export type ScalarKind =
  | 'string'
  | 'bytes'
  | 'traceId'
  | 'spanId'
  | 'bool'
  | 'int32'
  | 'sint32'
  | 'uint32'
  | 'fixed32'
  | 'int64'
  | 'uint64'
  | 'fixed64'
  | 'sfixed64'
  | 'double'

export interface EnumTable {
  readonly numbers: ReadonlyMap<string, number>
  readonly names: ReadonlyMap<number, string>
}

export interface FieldTable {
  readonly number: number
  readonly kind: ScalarKind | 'enum' | 'message'
  /** Of one value; repeated numbers are packed, which is length-delimited. */
  readonly wireType: number
  readonly repeated: boolean
  /** Whether absent and default are two things: optional scalars, members of a oneof. */
  readonly hasPresence: boolean
  /** Name of the oneof it belongs to. */
  readonly oneof: string | undefined
  /** Of kind enum only. */
  readonly values: EnumTable | undefined
  /** Of kind message only. A function, since messages contain each other. */
  readonly message: () => MessageTable
}

/** A field with its JSON name. */
export interface NamedField extends FieldTable {
  readonly name: string
}

export interface MessageTable {
  /** In the order they are written in JSON. */
  readonly list: readonly NamedField[]
  /** By field number; holes where there is none. */
  readonly byNumber: readonly (NamedField | undefined)[]
  /** By lowerCamelCase and by snake_case name. */
  readonly byKey: ReadonlyMap<string, NamedField>
}

export type FieldKind = ScalarKind | EnumTable | (() => MessageTable)

/** A message from its fields by JSON name; `fields` gives typed access to them. */
export function message<Fields extends Readonly<Record<string, FieldTable>>>(
  fields: Fields,
): MessageTable & { readonly fields: Fields } {
  const list = Object.entries(fields).map(([name, field]) => ({ ...field, name }))
  const byNumber: (NamedField | undefined)[] = []
  const byKey = new Map<string, NamedField>()
  for (const field of list) {
    byNumber[field.number] = field
    byKey.set(field.name, field)
    byKey.set(snakeCase(field.name), field)
  }
  return { list, byNumber, byKey, fields }
}

export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** A field that is not told from its default, unless it is a message. */
export function one(number: number, kind: FieldKind): FieldTable {
  return field(number, kind, {})
}

export function many(number: number, kind: FieldKind): FieldTable {
  return field(number, kind, { repeated: true })
}

/** A scalar whose presence counts even when it is 0. */
export function optional(number: number, kind: FieldKind): FieldTable {
  return field(number, kind, { hasPresence: true })
}

/** A member of a oneof: the last on the wire wins. */
export function choice(oneof: string, number: number, kind: FieldKind): FieldTable {
  return field(number, kind, { hasPresence: true, oneof })
}

/** An enum of protobuf, whose JSON names carry its own name as prefix. */
export function enumeration(prefix: string, names: Readonly<Record<string, number>>): EnumTable {
  const entries = Object.entries(names)
  return {
    numbers: new Map(entries.map(([name, number]) => [prefix + name, number])),
    names: new Map(entries.map(([name, number]) => [number, prefix + name])),
  }
}

function field(
  number: number,
  kind: FieldKind,
  rest: { readonly repeated?: boolean; readonly hasPresence?: boolean; readonly oneof?: string },
): FieldTable {
  const name = typeof kind === 'string' ? kind : typeof kind === 'function' ? 'message' : 'enum'
  return {
    number,
    kind: name,
    wireType: wireTypes[name],
    repeated: rest.repeated ?? false,
    hasPresence: rest.hasPresence ?? false,
    oneof: rest.oneof,
    values: typeof kind === 'object' ? kind : undefined,
    message: typeof kind === 'function' ? kind : noMessage,
  }
}

const wireTypes: Readonly<Record<FieldTable['kind'], number>> = {
  string: wireType.bytes,
  bytes: wireType.bytes,
  traceId: wireType.bytes,
  spanId: wireType.bytes,
  message: wireType.bytes,
  bool: wireType.varint,
  enum: wireType.varint,
  int32: wireType.varint,
  sint32: wireType.varint,
  uint32: wireType.varint,
  int64: wireType.varint,
  uint64: wireType.varint,
  fixed32: wireType.fixed32,
  fixed64: wireType.fixed64,
  sfixed64: wireType.fixed64,
  double: wireType.fixed64,
}

function noMessage(): never {
  throw new Error('only fields of kind message have one')
}
