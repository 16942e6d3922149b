import { encodeBase64 } from './base64.ts'
import type { Batch, ResourceGroup } from './batch.ts'
import { messageDepthMax } from './decode-json.ts'
import { FieldCursor, wireBytes } from './field-cursor.ts'
import { encodeHex } from './hex.ts'
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
  const parts = batch.groups.map((group) => groupText(table, group))
  return `{"${resources.name}":[${parts.join(',')}]}`
}

function groupText(table: MessageTable, group: ResourceGroup): string {
  const [resource] = table.list
  if (group.resource === undefined) return messageText(table, [group.rest], 2)
  const first = `"${resource.name}":${messageText(resource.message(), [group.resource], 3)}`
  const rest = messageText(table, [group.rest], 2)
  return rest === '{}' ? `{${first}}` : `{${first},${rest.slice(1)}`
}

/** The message's pieces, which merge. Members come in the order of the table, whatever the order on the wire. */
function messageText(table: MessageTable, pieces: readonly Uint8Array[], depth: number): string {
  if (depth > messageDepthMax)
    throw new Refusal('invalid', `nests deeper than ${messageDepthMax} messages`)
  const found = new Collector(table)
  for (const piece of pieces) found.collect(piece)
  let text = ''
  for (const field of table.list) {
    const value = found.text(field, depth)
    if (value !== undefined) text += `${text === '' ? '' : ','}"${field.name}":${value}`
  }
  return `{${text}}`
}

/** What one message holds, by field number. */
class Collector {
  readonly #table: MessageTable
  readonly #pieces: (Uint8Array[] | undefined)[] = []
  readonly #scalars: (ScalarValue[] | undefined)[] = []

  constructor(table: MessageTable) {
    this.#table = table
  }

  collect(piece: Uint8Array): void {
    const cursor = new FieldCursor(piece)
    while (cursor.next()) {
      const field = this.#table.byNumber[cursor.number]
      if (field === undefined) continue
      if (cursor.wireType === field.wireType) this.#take(field, cursor)
      else if (field.repeated && cursor.wireType === wireBytes)
        readPacked(field, cursor.bytes, cursor, (this.#scalars[field.number] ??= []))
    }
  }

  /** Undefined when the field is absent. */
  text(field: NamedField, depth: number): string | undefined {
    if (field.kind === 'message') {
      const pieces = this.#pieces[field.number]
      if (pieces === undefined) return undefined
      const table = field.message()
      if (!field.repeated) return messageText(table, pieces, depth + 1)
      return `[${pieces.map((piece) => messageText(table, [piece], depth + 1)).join(',')}]`
    }
    const values = this.#scalars[field.number]
    if (values === undefined || values.length === 0) return undefined
    if (field.repeated) return `[${values.map((value) => scalarText(field, value)).join(',')}]`
    return field.hasPresence || !isDefault(values[0]) ? scalarText(field, values[0]) : undefined
  }

  #take(field: NamedField, cursor: FieldCursor): void {
    if (field.oneof !== undefined) this.#forgetSiblings(field)
    if (field.kind === 'message') {
      ;(this.#pieces[field.number] ??= []).push(cursor.slice())
      return
    }
    const value = readScalar(field, cursor.bytes, cursor.start, cursor.end)
    if (field.repeated) (this.#scalars[field.number] ??= []).push(value)
    else this.#scalars[field.number] = [value]
  }

  /** Another member of the same oneof that came earlier has lost. */
  #forgetSiblings(field: NamedField): void {
    for (const sibling of this.#table.list) {
      if (sibling.oneof !== field.oneof || sibling === field) continue
      this.#pieces[sibling.number] = undefined
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
