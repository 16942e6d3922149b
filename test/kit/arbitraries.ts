/**
 * fast-check's source of OTLP: whole requests with every field of every definition, written in ways that are legal but
 * that no ordinary encoder chooses.
 */

import * as fc from 'fast-check'
import protobuf from 'protobufjs'

import type { Signal } from '../../src/otlp/signal.ts'
import {
  hexText,
  is64Bit,
  type Plain,
  type PlainMessage,
  protoRoot,
  requestType,
  valueForProtobuf,
} from './oracle.ts'

export interface GeneratedMessage {
  /** What was meant. Decoding `bytes` gives the same, without defaults. */
  readonly plain: PlainMessage
  /** Fields in shuffled order, singular messages in pieces, unknown fields at every level. */
  readonly bytes: Uint8Array
}

export interface EncodingOptions {
  /** Whether to sprinkle fields that no definition names; true unless said otherwise. */
  readonly unknown?: boolean
}

export function arbitraryRequest(
  signal: Signal,
  options: EncodingOptions = {},
): fc.Arbitrary<GeneratedMessage> {
  return arbitraryMessage(requestType(signal), options)
}

/** The type is one of protoRoot or its full name, such as opentelemetry.proto.common.v1.AnyValue. */
export function arbitraryMessage(
  type: protobuf.Type | string,
  options: EncodingOptions = {},
): fc.Arbitrary<GeneratedMessage> {
  const known = typeof type === 'string' ? protoRoot.lookupType(type) : type
  return fc
    .tuple(plainMessages(known, nestingMax), fc.integer())
    .map(([plain, seed]) => ({ plain, bytes: encodeShuffled(known, plain, seed, options) }))
}

/** Writes a message as `seed` decides. Elements of one repeated field keep their order. */
export function encodeShuffled(
  type: protobuf.Type,
  message: PlainMessage,
  seed: number,
  options: EncodingOptions = {},
): Uint8Array {
  return new ShuffledEncoder(seed, options.unknown !== false).encode(type, message)
}

// --- what to write ---

/** How deep arrays and maps nest in a generated AnyValue. */
const nestingMax = 3

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

const texts = fc.oneof(
  fc.constantFrom('', 'a', 'service.name', 'http.request.method', 'hex:00', '"\\\n\t/\0\u2028é💧'),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 100, maxLength: 300 }),
)

const scalars: Readonly<Record<string, fc.Arbitrary<Plain>>> = {
  string: texts,
  bytes: fc.uint8Array({ maxLength: 9 }).map(hexText),
  bool: fc.boolean(),
  double: fc.oneof(fc.constantFrom(-0, NaN, -Infinity, 1e21, 5e-324), fc.double()),
  int32: fc.integer(),
  sint32: fc.integer(),
  uint32: fc.nat(0xffffffff),
  fixed32: fc.nat(0xffffffff),
  int64: fc.bigInt(int64Min, int64Max),
  sint64: fc.bigInt(int64Min, int64Max),
  sfixed64: fc.bigInt(int64Min, int64Max),
  uint64: fc.oneof(fc.constantFrom(2n ** 53n + 1n, 2n ** 63n), fc.bigInt(0n, uint64Max)),
  fixed64: fc.oneof(fc.constantFrom(2n ** 53n + 1n, 2n ** 63n), fc.bigInt(0n, uint64Max)),
}

function identifiers(byteLength: number): fc.Arbitrary<Plain> {
  const whole = fc.uint8Array({ minLength: byteLength, maxLength: byteLength })
  return fc.oneof(fc.constant(new Uint8Array(0)), whole).map(hexText)
}

const traceIds = identifiers(16)
const spanIds = identifiers(8)

const spine = /^(resource|scope)(Spans|Metrics|Logs)$|^(spans|metrics|logRecords|dataPoints)$/

const messageCache = new Map<string, fc.Arbitrary<PlainMessage>>()

/** Any fields, `nesting` levels of AnyValue at most. */
function plainMessages(type: protobuf.Type, nesting: number): fc.Arbitrary<PlainMessage> {
  const key = `${type.fullName} ${nesting}`
  let arbitrary = messageCache.get(key)
  if (arbitrary === undefined) messageCache.set(key, (arbitrary = buildMessages(type, nesting)))
  return arbitrary
}

function buildMessages(type: protobuf.Type, nesting: number): fc.Arbitrary<PlainMessage> {
  const members: Record<string, fc.Arbitrary<Plain>> = {}
  const choices: fc.Arbitrary<PlainMessage>[] = []
  const within = type.name === 'AnyValue' ? nesting - 1 : nesting
  for (const oneof of type.oneofsArray) {
    if (oneof.isProto3Optional) continue
    const fields = oneof.fieldsArray.filter((field) => within > 0 || isLeaf(field))
    const choice = fields.map((field) =>
      fieldValues(field, within).map((v) => ({ [field.name]: v })),
    )
    choices.push(fc.oneof(fc.constant({}), ...choice))
  }
  for (const field of type.fieldsArray)
    if (field.partOf === null || field.partOf.isProto3Optional)
      members[field.name] = fieldValues(field, within)
  // The way down to the items is seldom cut short; anything else may be absent.
  const requiredKeys = Object.keys(members).filter((name) => spine.test(name))
  return fc
    .tuple(fc.record(members, { requiredKeys }), ...choices)
    .map((parts) => Object.assign({}, ...parts) as PlainMessage)
}

function isLeaf(field: protobuf.Field): boolean {
  return !(field.resolvedType instanceof protobuf.Type)
}

function fieldValues(field: protobuf.Field, nesting: number): fc.Arbitrary<Plain> {
  const value = singleValues(field, nesting)
  if (!field.repeated) return value
  if (spine.test(field.name)) return fc.array(value, { maxLength: 3, size: 'max' })
  // Few of each: a request is five levels deep.
  return fc.array(value, { maxLength: isLeaf(field) ? 5 : 2 })
}

function singleValues(field: protobuf.Field, nesting: number): fc.Arbitrary<Plain> {
  if (field.resolvedType instanceof protobuf.Type) return plainMessages(field.resolvedType, nesting)
  if (field.resolvedType instanceof protobuf.Enum)
    return fc.constantFrom(...Object.values(field.resolvedType.values), 77, -1)
  if (field.name === 'traceId') return traceIds
  if (field.name === 'spanId' || field.name === 'parentSpanId') return spanIds
  const arbitrary = scalars[field.type]
  if (arbitrary === undefined) throw new Error(`nothing generates a ${field.type}`)
  return arbitrary
}

// --- how to write it ---

const wireTypes: Readonly<Record<string, number>> = {
  bool: 0,
  int32: 0,
  sint32: 0,
  uint32: 0,
  int64: 0,
  sint64: 0,
  uint64: 0,
  enum: 0,
  fixed64: 1,
  sfixed64: 1,
  double: 1,
  string: 2,
  bytes: 2,
  fixed32: 5,
}

/**
 * Number 1000 held the scopes of OTLP before 0.15, here with one item of any signal; the others are far from anything
 * named, one is a group.
 */
const strangers: readonly string[] = [
  'c23e0d0a050a036c696212042a020a00',
  '98069601',
  'fdffffff0f01020304',
  'f9ffffff0f0102030405060708',
  'a306a80601131a0200ff14a406',
  'ca3e00',
]

class ShuffledEncoder {
  readonly #sprinkles: boolean
  #state: number

  constructor(seed: number, sprinkles: boolean) {
    this.#state = seed | 0
    this.#sprinkles = sprinkles
  }

  encode(type: protobuf.Type, message: PlainMessage): Uint8Array {
    // One queue an entity whose occurrences must keep their order; oneof members share theirs.
    const queues = new Map<string, Uint8Array[]>()
    for (const [name, value] of Object.entries(message)) {
      const field = type.fields[name]
      if (field === undefined) throw new Error(`${type.fullName} has no field ${name}`)
      queues.set(name, this.#occurrences(field, value))
    }
    if (this.#sprinkles && this.#chance(4)) {
      const count = 1 + this.#below(2)
      for (let index = 0; index < count; index++) queues.set(`?${index}`, [this.#stranger(type)])
    }
    return this.#interleave([...queues.values()])
  }

  #occurrences(field: protobuf.Field, value: Plain): Uint8Array[] {
    if (Array.isArray(value)) return this.#repeated(field, value as readonly Plain[])
    const before = this.#chance(6) ? this.#earlier(field, value) : []
    if (!(field.resolvedType instanceof protobuf.Type))
      return [...before, this.#single(field, value)]
    const [first, second] = this.#halves(value as PlainMessage)
    const pieces = second === undefined ? [first] : [first, second]
    return [...before, ...pieces.map((piece) => this.#single(field, piece))]
  }

  /** What the value must make forgotten: another value, or another member of the same oneof. */
  #earlier(field: protobuf.Field, value: Plain): Uint8Array[] {
    if (!(field.resolvedType instanceof protobuf.Type)) return [this.#otherValue(field)]
    const siblings = field.partOf?.fieldsArray.filter((sibling) => sibling !== field) ?? []
    const sibling = siblings[this.#below(siblings.length)]
    if (sibling === undefined) return []
    const loser = isLeaf(sibling) ? this.#otherValue(sibling) : this.#single(sibling, {})
    return [this.#single(field, value), loser]
  }

  /** Some scalar of the same field, or of the same oneof. */
  #otherValue(field: protobuf.Field): Uint8Array {
    const siblings = field.partOf?.fieldsArray.filter((sibling) => sibling.type in wireTypes) ?? []
    const other = siblings[this.#below(siblings.length)] ?? field
    if (other.type === 'string') return this.#single(other, 'earlier')
    if (other.type === 'bytes') return this.#single(other, 'hex:')
    return this.#single(other, other.type === 'bool' ? true : is64Bit(other) ? 5n : 5)
  }

  /** Legal for a singular message: its pieces merge. */
  #halves(message: PlainMessage): [PlainMessage, PlainMessage | undefined] {
    if (!this.#chance(5)) return [message, undefined]
    const first: Record<string, Plain> = {}
    const second: Record<string, Plain> = {}
    for (const [name, value] of Object.entries(message)) {
      if (Array.isArray(value)) {
        const cut = this.#below(value.length + 1)
        first[name] = value.slice(0, cut) as Plain[]
        second[name] = value.slice(cut) as Plain[]
      } else if (this.#chance(2)) first[name] = value
      else second[name] = value
    }
    return [first, second]
  }

  #repeated(field: protobuf.Field, values: readonly Plain[]): Uint8Array[] {
    const wireType = wireTypes[scalarType(field)]
    if (wireType === undefined || wireType === 2 || values.length === 0)
      return values.map((value) => this.#single(field, value))
    const cut = this.#chance(2) ? 0 : this.#below(values.length + 1)
    const loose = values.slice(0, cut).map((value) => this.#single(field, value))
    const body = protobuf.Writer.create()
    for (const value of values.slice(cut)) writeScalar(body, field, value)
    return [...loose, this.#lengthDelimited(field.id, body.finish())]
  }

  #single(field: protobuf.Field, value: Plain): Uint8Array {
    if (field.resolvedType instanceof protobuf.Type)
      return this.#lengthDelimited(field.id, this.encode(field.resolvedType, value as PlainMessage))
    const writer = protobuf.Writer.create()
    writer.uint32(tag(field.id, wireTypes[scalarType(field)] ?? 2))
    return writeScalar(writer, field, value).finish()
  }

  #lengthDelimited(fieldNumber: number, body: Uint8Array): Uint8Array {
    const writer = protobuf.Writer.create().uint32(tag(fieldNumber, 2))
    if (body.length < 128 && this.#chance(20)) {
      // A length in more bytes than it needs, as encoders write that reserve its place before they know it.
      return Buffer.concat([writer.finish(), Uint8Array.of(body.length | 0x80, 0), body])
    }
    return writer.bytes(body).finish()
  }

  #stranger(type: protobuf.Type): Uint8Array {
    const fields = type.fieldsArray
    const field = fields[this.#below(fields.length)]
    if (field !== undefined && this.#chance(4)) {
      // A number we know in a wire type it never has.
      const odd = protobuf.Writer.create()
      const fixed32 = wireTypes[scalarType(field)] !== 5
      odd.uint32(tag(field.id, fixed32 ? 5 : 0))
      return (fixed32 ? odd.fixed32(0xdeadbeef) : odd.uint32(300)).finish()
    }
    return Buffer.from(strangers[this.#below(strangers.length)] ?? '', 'hex')
  }

  #interleave(queues: Uint8Array[][]): Uint8Array {
    const order = queues.flatMap((queue) => queue.map(() => queue))
    for (let index = order.length - 1; index > 0; index--) {
      const other = this.#below(index + 1)
      const held = order[index]
      order[index] = order[other]
      order[other] = held
    }
    return Uint8Array.from(Buffer.concat(order.map((queue) => queue.shift()!)))
  }

  #chance(oneIn: number): boolean {
    return this.#below(oneIn) === 0
  }

  /** Mulberry32. */
  #below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return limit === 0 ? 0 : ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

function tag(fieldNumber: number, wireType: number): number {
  return ((fieldNumber << 3) | wireType) >>> 0
}

function scalarType(field: protobuf.Field): string {
  return field.resolvedType instanceof protobuf.Enum ? 'enum' : field.type
}

function writeScalar(
  writer: protobuf.Writer,
  field: protobuf.Field,
  value: Plain,
): protobuf.Writer {
  const method = scalarType(field) === 'enum' ? 'int32' : field.type
  const write = Reflect.get(writer, method) as (value: unknown) => protobuf.Writer
  return write.call(writer, valueForProtobuf(field, value))
}
