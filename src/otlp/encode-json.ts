import { FieldReader, wireType } from '../wire/field-reader.ts'
import { encodeBase64 } from './base64.ts'
import type { Batch, ResourceGroup } from './batch.ts'
import { messageDepthMax } from './decode-json.ts'
import { encodeHex } from './hex.ts'
import { asRefusal } from './malformed.ts'
import { requests } from './message-fields.ts'
import type { MessageTable, NamedField } from './message-table.ts'
import { Refusal } from './refusal.ts'
import { readPacked, readScalar, type ScalarValue } from './scalar.ts'

/**
 * OTLP/JSON of a batch, without line ends: ids in lower-case hex, 64-bit numbers as text, enums as numbers, defaults
 * left out. What no definition names cannot be expressed, and is left out too. Throws a Refusal on bytes that are no
 * message, or that nest deeper than 100 messages.
 */
export function encodeJson(batch: Batch): string {
  const [resources] = requests[batch.signal].list
  if (batch.groups.length === 0) return '{}'
  const table = resources.message()
  try {
    const parts = batch.groups.map((group) => groupText(table, group))
    return `{"${resources.name}":[${parts.join(',')}]}`
  } catch (error) {
    throw asRefusal(error)
  }
}

function groupText(table: MessageTable, group: ResourceGroup): string {
  const [resource] = table.list
  const rest = wholeText(table, group.rest, 2)
  if (group.resource === undefined) return rest
  const first = `"${resource.name}":${wholeText(resource.message(), group.resource, 3)}`
  return rest === '{}' ? `{${first}}` : `{${first},${rest.slice(1)}`
}

function wholeText(table: MessageTable, bytes: Uint8Array, depth: number): string {
  return messageText(table, bytes, [0, bytes.length], depth)
}

/**
 * A message that lies in `ranges` of the bytes, each a start and an end: its pieces, which merge. Members come in the
 * order of the table, whatever the order on the wire.
 */
function messageText(
  table: MessageTable,
  bytes: Uint8Array,
  ranges: readonly number[],
  depth: number,
): string {
  if (depth > messageDepthMax)
    throw new Refusal('invalid', `nests deeper than ${messageDepthMax} messages`)
  const found = new Collector(table, bytes)
  for (let index = 0; index < ranges.length; index += 2)
    found.collect(ranges[index], ranges[index + 1])
  let text = ''
  for (const field of table.list) {
    const value = found.text(field, depth)
    if (value !== undefined) text += `${text === '' ? '{' : ','}"${field.name}":${value}`
  }
  return text === '' ? '{}' : `${text}}`
}

/** What one message holds, by field number. */
class Collector {
  readonly #table: MessageTable
  readonly #bytes: Uint8Array
  /** Of messages, as starts and ends: an array of its own for each would cost more than all the rest. */
  readonly #ranges: (number[] | undefined)[] = []
  readonly #scalars: (ScalarValue[] | undefined)[] = []

  constructor(table: MessageTable, bytes: Uint8Array) {
    this.#table = table
    this.#bytes = bytes
  }

  collect(start: number, end: number): void {
    const reader = new FieldReader(this.#bytes, start, end)
    while (reader.next()) {
      const field = this.#table.byNumber[reader.field]
      if (field === undefined) continue
      if (reader.wireType === field.wireType) this.#take(field, reader)
      else if (field.repeated && reader.wireType === wireType.bytes)
        readPacked(field, reader, (this.#scalars[field.number] ??= []))
    }
  }

  /** Undefined when the field is absent. */
  text(field: NamedField, depth: number): string | undefined {
    if (field.kind === 'message') {
      const ranges = this.#ranges[field.number]
      return ranges && this.#messagesText(field, ranges, depth + 1)
    }
    const values = this.#scalars[field.number]
    if (values === undefined || values.length === 0) return undefined
    if (field.repeated) return `[${values.map((value) => scalarText(field, value)).join(',')}]`
    return field.hasPresence || !isDefault(values[0]) ? scalarText(field, values[0]) : undefined
  }

  #messagesText(field: NamedField, ranges: readonly number[], depth: number): string {
    const table = field.message()
    if (!field.repeated) return messageText(table, this.#bytes, ranges, depth)
    let text = ''
    for (let index = 0; index < ranges.length; index += 2) {
      const element = messageText(table, this.#bytes, [ranges[index], ranges[index + 1]], depth)
      text += `${text === '' ? '[' : ','}${element}`
    }
    return `${text}]`
  }

  #take(field: NamedField, reader: FieldReader): void {
    if (field.oneof !== undefined) this.#forgetSiblings(field)
    if (field.kind === 'message') (this.#ranges[field.number] ??= []).push(reader.start, reader.end)
    else if (field.repeated) (this.#scalars[field.number] ??= []).push(readScalar(field, reader))
    else this.#scalars[field.number] = [readScalar(field, reader)]
  }

  /** Another member of the same oneof that came earlier has lost. */
  #forgetSiblings(field: NamedField): void {
    for (const sibling of this.#table.list) {
      if (sibling.oneof !== field.oneof || sibling === field) continue
      this.#ranges[sibling.number] = undefined
      this.#scalars[sibling.number] = undefined
    }
  }
}

function isDefault(value: ScalarValue): boolean {
  // Object.is, since -0 is not the default.
  if (typeof value === 'object') return value.length === 0
  return value === '' || value === false || value === 0n || Object.is(value, 0)
}

function scalarText(field: NamedField, value: ScalarValue): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'bigint':
      return `"${value}"`
    case 'boolean':
      return String(value)
    case 'number':
      return numberText(value)
    default:
      return `"${field.kind === 'bytes' ? encodeBase64(value) : encodeHex(value)}"`
  }
}

function numberText(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  return Object.is(value, -0) ? '-0' : String(value)
}
