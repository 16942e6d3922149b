/**
 * What protobufjs makes of our messages: the independent judge in tests of everything that reads or writes wire bytes.
 */

import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

import type { Signal } from '../../src/otlp/signal.ts'

/**
 * A message as plain data, comparable by deepStrictEqual (which knows NaN and tells -0 from 0). 64-bit numbers are
 * bigints, bytes are `hex:` text, enums numbers. Fields without presence are left out when they have their default.
 */
export type Plain =
  | string
  | number
  | bigint
  | boolean
  | readonly Plain[]
  | { readonly [name: string]: Plain }

export interface PlainMessage {
  readonly [name: string]: Plain
}

const protoFolder = fileURLToPath(new URL('../../proto/', import.meta.url))

/** Every message and service under proto/, by their official full names. */
export const protoRoot: protobuf.Root = loadProtos()

const requestNames: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
}

export function requestType(signal: Signal): protobuf.Type {
  return protoRoot.lookupType(requestNames[signal])
}

export function responseType(signal: Signal): protobuf.Type {
  return protoRoot.lookupType(requestNames[signal].replace(/Request$/, 'Response'))
}

/** With `unknown`, what no definition names is kept as well, as raw fields in hex under `$unknown`. */
export interface DecodeOptions {
  readonly unknown?: boolean
}

/** A whole Export*ServiceRequest. Throws on whatever protobuf calls malformed. */
export function decodeRequest(
  signal: Signal,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): PlainMessage {
  return decodeMessage(requestType(signal), bytes, options)
}

/** The type is one of protoRoot or its full name, such as google.rpc.Status. */
export function decodeMessage(
  type: protobuf.Type | string,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): PlainMessage {
  const known = typeof type === 'string' ? protoRoot.lookupType(type) : type
  const reader = protobuf.Reader.create(bytes)
  reader.discardUnknown = options.unknown !== true
  return plainMessage(known, known.decode(reader))
}

/** Encodes plain data (as decoded above, or with numbers for small 64-bit values) in ascending field order. */
export function encodeMessage(type: protobuf.Type | string, message: PlainMessage): Uint8Array {
  const known = typeof type === 'string' ? protoRoot.lookupType(type) : type
  return known.encode(known.fromObject(forProtobuf(known, message))).finish()
}

export function encodeRequest(signal: Signal, message: PlainMessage): Uint8Array {
  return encodeMessage(requestType(signal), message)
}

function loadProtos(): protobuf.Root {
  const root = new protobuf.Root()
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : protoFolder + target
  const files = readdirSync(protoFolder, { recursive: true, encoding: 'utf8' })
  root.loadSync(files.filter((file) => file.endsWith('.proto')).sort())
  return root.resolveAll() as protobuf.Root
}

function plainMessage(type: protobuf.Type, message: object): PlainMessage {
  const values = message as Readonly<Record<string, unknown>>
  const plain: Record<string, Plain> = {}
  for (const field of type.fieldsArray) {
    if (!Object.hasOwn(values, field.name)) continue
    const value = values[field.name]
    if (!field.repeated) plain[field.name] = plainValue(field, value)
    else if (Array.isArray(value) && value.length > 0)
      plain[field.name] = value.map((element) => plainValue(field, element))
  }
  const unknown = values.$unknowns as readonly Uint8Array[] | undefined
  if (unknown !== undefined && unknown.length > 0) plain.$unknown = unknown.map(hexText)
  return plain
}

function plainValue(field: protobuf.Field, value: unknown): Plain {
  if (field.resolvedType instanceof protobuf.Type)
    return plainMessage(field.resolvedType, value as object)
  if (value instanceof Uint8Array) return hexText(value)
  if (is64Bit(field)) return wholeNumber(value as HalfWords)
  return value as Plain
}

/** How protobufjs holds 64 bits. */
interface HalfWords {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

function wholeNumber({ low, high, unsigned }: HalfWords): bigint {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  return unsigned ? bits : BigInt.asIntN(64, bits)
}

export function is64Bit(field: protobuf.Field): boolean {
  return field.type.endsWith('64')
}

/** protobufjs takes 64-bit numbers as text and bytes as Uint8Array. */
function forProtobuf(type: protobuf.Type, message: PlainMessage): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(message)) {
    const field = type.fields[name]
    if (field === undefined) throw new Error(`${type.fullName} has no field ${name}`)
    result[name] = Array.isArray(value)
      ? value.map((element: Plain) => valueForProtobuf(field, element))
      : valueForProtobuf(field, value)
  }
  return result
}

/** What protobufjs's writers and fromObject take for one plain value. */
export function valueForProtobuf(field: protobuf.Field, value: Plain): unknown {
  if (field.resolvedType instanceof protobuf.Type)
    return forProtobuf(field.resolvedType, value as PlainMessage)
  if (field.type === 'bytes') return hexBytes((value as string).slice('hex:'.length))
  if (is64Bit(field)) return (value as bigint).toString()
  return value
}

/** The text that stands for bytes in plain data. */
export function hexText(bytes: Uint8Array): string {
  return `hex:${Buffer.from(bytes).toString('hex')}`
}

export function hexBytes(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}
