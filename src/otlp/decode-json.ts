import { WireWriter } from '../wire/wire-writer.ts'
import { decodeBase64 } from './base64.ts'
import { decodeHex } from './hex.ts'
import { type JsonKind, JsonReader } from './json-reader.ts'
import { requests } from './message-fields.ts'
import type { MessageTable, NamedField } from './message-table.ts'
import type { Signal } from './signal.ts'

/**
 * OTLP/JSON to protobuf bytes, in one pass. As lenient as the Collector: camelCase and snake_case keys, enums by number
 * or name, 64-bit numbers as text or number, null for absent; unknown keys are ignored. Throws a Refusal naming the
 * JSON path on anything else.
 */
export function decodeJson(signal: Signal, text: string | Uint8Array): Uint8Array {
  const reader = new JsonReader(text)
  // Nearly always less than the text.
  const writer = new WireWriter(Math.max(64, text.length >> 1))
  readMessage(reader, writer, requests[signal], 1)
  reader.end()
  return writer.finish()
}

/** As protobuf's own decoders limit it. An array or map within a value takes two or three levels. */
export const messageDepthMax = 100

function readMessage(
  reader: JsonReader,
  writer: WireWriter,
  table: MessageTable,
  depth: number,
): void {
  if (depth > messageDepthMax) throw reader.invalid(`nests deeper than ${messageDepthMax} messages`)
  if (reader.kind() !== 'object') throw reader.invalid('must be an object', reader.kind())
  reader.object((key) => {
    const field = table.byKey.get(key)
    if (field === undefined) reader.skip()
    else if (reader.kind() === 'null') reader.null()
    else if (field.repeated) readRepeated(reader, writer, field, depth)
    else if (field.kind === 'message') readNested(reader, writer, field, depth)
    else readScalar(reader, writer, field)
  })
}

function readNested(
  reader: JsonReader,
  writer: WireWriter,
  field: NamedField,
  depth: number,
): void {
  const message = field.message()
  writer.message(field.number, () => readMessage(reader, writer, message, depth + 1))
}

function readRepeated(
  reader: JsonReader,
  writer: WireWriter,
  field: NamedField,
  depth: number,
): void {
  if (reader.kind() !== 'array') throw reader.invalid('must be an array', reader.kind())
  if (field.kind === 'message') {
    reader.array(() => {
      if (reader.kind() !== 'null') return readNested(reader, writer, field, depth)
      // Leaving it out would move the elements behind it.
      reader.null()
      writer.bytes(field.number, noBytes)
    })
  } else if (field.kind === 'string') {
    reader.array(() => writer.bytes(field.number, readString(reader)))
  } else {
    let values: (number | bigint)[] = []
    reader.array(() => {
      if (values.length === packedCountMax) {
        writePacked(writer, field, values)
        values = []
      }
      values.push(readNumber(reader, field))
    })
    if (values.length > 0) writePacked(writer, field, values)
  }
}

/** Longer lists are packed in several pieces, which join: each number held here takes sixteen times its text. */
const packedCountMax = 1024

const noBytes = new Uint8Array(0)

/** OTLP packs doubles and 64-bit counts, of either encoding. */
function writePacked(
  writer: WireWriter,
  field: NamedField,
  values: readonly (number | bigint)[],
): void {
  if (field.kind === 'double') writer.packedDoubles(field.number, values as readonly number[])
  else if (field.kind === 'fixed64') writer.packedFixed64(field.number, values as readonly bigint[])
  else writer.packedVarints(field.number, values.map(BigInt))
}

function readScalar(reader: JsonReader, writer: WireWriter, field: NamedField): void {
  switch (field.kind) {
    case 'string':
      return writeBytes(writer, field, readString(reader))
    case 'bytes':
      return writeBytes(writer, field, readBytes(reader))
    case 'traceId':
      return writeBytes(writer, field, readId(reader, 16))
    case 'spanId':
      return writeBytes(writer, field, readId(reader, 8))
    default: {
      const value = readNumber(reader, field)
      // Object.is, since -0 is not the default.
      if (!field.hasPresence && (Object.is(value, 0) || value === 0n)) return
      writeNumber(writer, field, value)
    }
  }
}

function writeBytes(writer: WireWriter, field: NamedField, bytes: Uint8Array): void {
  if (bytes.length > 0 || field.hasPresence) writer.bytes(field.number, bytes)
}

function readString(reader: JsonReader): Uint8Array {
  if (reader.kind() !== 'string') throw reader.invalid('must be a string', reader.kind())
  return reader.stringBytes()
}

function readBytes(reader: JsonReader): Uint8Array {
  if (reader.kind() !== 'string') throw reader.invalid('must be a base64 string', reader.kind())
  const text = reader.string()
  const bytes = decodeBase64(text)
  if (bytes === undefined) throw reader.invalid('must be base64', JSON.stringify(text))
  return bytes
}

function readId(reader: JsonReader, byteLength: number): Uint8Array {
  const rule = `must be ${byteLength * 2} hex digits or empty`
  if (reader.kind() !== 'string') throw reader.invalid(rule, reader.kind())
  const text = reader.string()
  const bytes = decodeHex(text)
  if (bytes === undefined || (bytes.length !== 0 && bytes.length !== byteLength))
    throw reader.invalid(rule, JSON.stringify(text))
  return bytes
}

/** A bigint for 64-bit kinds, a number for all others; bool is 0 or 1. */
function readNumber(reader: JsonReader, field: NamedField): number | bigint {
  switch (field.kind) {
    case 'bool':
      if (reader.kind() !== 'boolean') throw reader.invalid('must be a boolean', reader.kind())
      return reader.boolean() ? 1 : 0
    case 'double':
      return readDouble(reader)
    case 'enum':
      return readEnum(reader, field)
    case 'int32':
    case 'sint32':
      return Number(readInteger(reader, -(2n ** 31n), 2n ** 31n - 1n))
    case 'uint32':
    case 'fixed32':
      return Number(readInteger(reader, 0n, 2n ** 32n - 1n))
    case 'uint64':
    case 'fixed64':
      return readInteger(reader, 0n, 2n ** 64n - 1n)
    default:
      return readInteger(reader, -(2n ** 63n), 2n ** 63n - 1n)
  }
}

/** The text of a number, or of a string in its place. */
function readNumberText(reader: JsonReader, kind: JsonKind, rule: string): string {
  if (kind === 'number') return reader.numberText()
  if (kind === 'string') return reader.string()
  throw reader.invalid(rule, kind)
}

function readDouble(reader: JsonReader): number {
  const rule = 'must be a number, "NaN", "Infinity" or "-Infinity"'
  const kind = reader.kind()
  const text = readNumberText(reader, kind, rule)
  if (text === 'NaN') return Number.NaN
  if (text === 'Infinity') return Number.POSITIVE_INFINITY
  if (text === '-Infinity') return Number.NEGATIVE_INFINITY
  const value = numberPattern.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) throw reader.invalid(rule, asWritten(kind, text))
  return value
}

/** Quoted only where it was text. */
function asWritten(kind: JsonKind, text: string): string {
  return kind === 'string' ? JSON.stringify(text) : text
}

const numberPattern = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/

function readInteger(reader: JsonReader, min: bigint, max: bigint): bigint {
  const rule = 'must be an integer'
  const kind = reader.kind()
  const text = readNumberText(reader, kind, rule)
  const value = integerFrom(text)
  if (value === undefined) throw reader.invalid(rule, asWritten(kind, text))
  if (value < min || value > max) {
    throw reader.invalid(`must be within ${min} and ${max}`, asWritten(kind, text))
  }
  return value
}

function integerFrom(text: string): bigint | undefined {
  // Longer than any 64-bit number, and BigInt's cost grows with the square of it.
  if (text.length > 40) return undefined
  if (/^-?\d+$/.test(text)) return BigInt(text)
  // 1e3 and 5.0 are integers as well, as far as a double can tell.
  const value = numberPattern.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? BigInt(value) : undefined
}

function readEnum(reader: JsonReader, field: NamedField): number {
  if (reader.kind() !== 'string') return Number(readInteger(reader, -(2n ** 31n), 2n ** 31n - 1n))
  const name = reader.string()
  const value = field.values?.numbers.get(name)
  if (value === undefined) {
    throw reader.invalid('must be a number or a known name', JSON.stringify(name))
  }
  return value
}

function writeNumber(writer: WireWriter, field: NamedField, value: number | bigint): void {
  switch (field.kind) {
    case 'double':
      return writer.double(field.number, Number(value))
    case 'fixed64':
    case 'sfixed64':
      return writer.fixed64(field.number, BigInt(value))
    case 'fixed32':
      return writer.fixed32(field.number, Number(value))
    case 'sint32':
      return writer.sint32(field.number, Number(value))
    case 'int64':
    case 'uint64':
      return writer.int64(field.number, BigInt(value))
    case 'uint32':
      return writer.uint(field.number, Number(value))
    default:
      return writer.int32(field.number, Number(value))
  }
}
