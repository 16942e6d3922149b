import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader } from '../wire/field-reader.ts'
import { WireWriter } from '../wire/wire-writer.ts'
import {
  type AttributeValue,
  decodeKey,
  decodeKeyedValue,
  decodeValue,
  writeKeyValue,
} from './attribute-value.ts'
import { AttributeEditor } from './attribute-editor.ts'
import { asRefusal } from './malformed.ts'

export type { AttributeValue } from './attribute-value.ts'
export type { AttributeEditor } from './attribute-editor.ts'

export interface Attribute {
  readonly key: string
  readonly value: AttributeValue
  /** The encoded KeyValue, sharing memory with the message. */
  readonly bytes: Uint8Array
}

/**
 * The attributes that a message keeps in this repeated KeyValue field, in their order; of several with one key the
 * first. Throws a Refusal 'invalid' on malformed bytes.
 */
export function readAttributes(message: Uint8Array, fieldNumber: number): Attribute[] {
  const attributes: Attribute[] = []
  visitAttributes(message, fieldNumber, (key, value, fields) => {
    attributes.push({ key, value, bytes: fields.view() })
  })
  return attributes
}

/** The same one by one; `fields` stands on the KeyValue. */
export function visitAttributes(
  message: Uint8Array,
  fieldNumber: number,
  visit: (key: string, value: AttributeValue, fields: FieldReader) => void,
): void {
  const keys: string[] = []
  let manyKeys: Set<string> | undefined
  try {
    const fields = new FieldReader(message)
    while (fields.next()) {
      if (!fields.is(fieldNumber)) continue
      const key = decodeKey(message, fields.start, fields.end)
      if (manyKeys?.has(key) ?? keys.includes(key)) continue
      if (manyKeys !== undefined) manyKeys.add(key)
      else if (keys.push(key) === fewKeysMax) manyKeys = new Set(keys)
      visit(key, decodeKeyedValue(message, fields.start, fields.end), fields)
    }
  } catch (error) {
    throw asRefusal(error)
  }
}

/** From so many on looking at one after the other takes longer than a set does. */
const fewKeysMax = 16

/** Decodes an AnyValue. Throws a Refusal 'invalid' on malformed bytes. */
export function readValue(bytes: Uint8Array): AttributeValue {
  try {
    return decodeValue(bytes, 0, bytes.length)
  } catch (error) {
    throw asRefusal(error)
  }
}

/** The KeyValue message of a key and its value. */
export function encodeKeyValue(key: string, value: AttributeValue): Uint8Array {
  const writer = new WireWriter(64)
  writeKeyValue(writer, key, value)
  return writer.finish()
}

/**
 * The message with the attributes in this repeated KeyValue field as `edit` leaves them. Attributes it does not touch
 * keep their exact bytes and places; when nothing changed the very same array comes back. Throws a Refusal 'invalid'
 * on malformed bytes.
 */
export function editAttributes(
  message: Uint8Array,
  fieldNumber: number,
  edit: (attributes: AttributeEditor) => void,
): Uint8Array {
  const edited = editAttributesInPieces(message, fieldNumber, edit)
  return edited instanceof ChunkList ? edited.toBytes() : edited
}

/** The same without a copy, for `editItems`, which joins all pieces of a group at once. */
export function editAttributesInPieces(
  message: Uint8Array,
  fieldNumber: number,
  edit: (attributes: AttributeEditor) => void,
): Uint8Array | ChunkList {
  try {
    const editor = new AttributeEditor(message, fieldNumber)
    edit(editor)
    return editor.finish()
  } catch (error) {
    throw asRefusal(error)
  }
}
