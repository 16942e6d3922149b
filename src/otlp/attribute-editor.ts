import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader } from '../wire/field-reader.ts'
import { encodeUtf8 } from '../wire/utf8.ts'
import { WireWriter } from '../wire/wire-writer.ts'
import {
  type AttributeValue,
  decodeKey,
  decodeKeyedValue,
  keyValueFields,
  writeKeyValue,
} from './attribute-value.ts'

// Where one attribute lies, as numbers in a row: its field, its KeyValue, its key.
const boundsPerEntry = 6
const fieldStartAt = 0
const fieldEndAt = 1
const startAt = 2
const endAt = 3
const keyStartAt = 4
const keyEndAt = 5

const removed = Symbol('removed')

/**
 * The attributes of one message while they are edited. Of several with one key the first counts for reading; whoever
 * sets a key changes the first and removes the others. Keys are compared as UTF-8, so that nothing is decoded but what
 * is asked for.
 */
export class AttributeEditor {
  readonly #message: Uint8Array
  readonly #fieldNumber: number
  readonly #bounds: number[] = []
  /** By entry: its new KeyValue, or `removed`; a hole where it is as it came. */
  readonly #edits: (Uint8Array | typeof removed | undefined)[] = []
  readonly #added: { readonly key: string; keyValue: Uint8Array }[] = []

  constructor(message: Uint8Array, fieldNumber: number) {
    this.#message = message
    this.#fieldNumber = fieldNumber
    const fields = new FieldReader(message)
    const inner = new FieldReader(message)
    while (fields.next()) {
      if (!fields.is(fieldNumber)) continue
      let keyStart = fields.start
      let keyEnd = fields.start
      inner.reset(message, fields.start, fields.end)
      while (inner.next()) {
        if (!inner.is(keyValueFields.key)) continue
        keyStart = inner.start
        keyEnd = inner.end
      }
      const { fieldStart, start, end } = fields
      this.#bounds.push(fieldStart, end, start, end, keyStart, keyEnd)
    }
  }

  has(key: string): boolean {
    return this.#find(key, 0) >= 0 || this.#findAdded(key) >= 0
  }

  /** Undefined when there is no such key; null for the empty value. */
  get(key: string): AttributeValue | undefined {
    const entry = this.#find(key, 0)
    if (entry < 0) {
      const added = this.#added[this.#findAdded(key)]
      return added && decodeKeyedValue(added.keyValue, 0, added.keyValue.length)
    }
    const edit = this.#edits[entry]
    if (edit instanceof Uint8Array) return decodeKeyedValue(edit, 0, edit.length)
    return decodeKeyedValue(this.#message, this.#bound(entry, startAt), this.#bound(entry, endAt))
  }

  /** Changes the value where the key is, or adds both behind all others. */
  set(key: string, value: AttributeValue): void {
    const writer = new WireWriter(64)
    writeKeyValue(writer, key, value)
    this.setEncoded(key, writer.finish())
  }

  /** The same with a KeyValue from `encodeKeyValue`, for values that are set on many messages. */
  setEncoded(key: string, keyValue: Uint8Array): void {
    const entry = this.#find(key, 0)
    if (entry >= 0) {
      this.#edits[entry] = this.#isAsCame(entry, keyValue) ? undefined : keyValue
      this.#removeFrom(key, entry + 1)
      return
    }
    const added = this.#added[this.#findAdded(key)]
    if (added === undefined) this.#added.push({ key, keyValue })
    else added.keyValue = keyValue
  }

  /** False when there was no such key. */
  delete(key: string): boolean {
    const added = this.#findAdded(key)
    if (added >= 0) this.#added.splice(added, 1)
    return this.#removeFrom(key, 0) || added >= 0
  }

  /** Every key once, in the order of the wire, those added last. */
  keys(): string[] {
    const keys = new Set<string>()
    for (let entry = 0; entry < this.#entryCount; entry++) {
      if (this.#edits[entry] === removed) continue
      keys.add(decodeKey(this.#message, this.#bound(entry, startAt), this.#bound(entry, endAt)))
    }
    for (const { key } of this.#added) keys.add(key)
    return [...keys]
  }

  /** The message as edited, in pieces of what it was; or the very same array when nothing changed. */
  finish(): Uint8Array | ChunkList {
    const message = this.#message
    let isChanged = this.#added.length > 0
    let kept = 0
    const edited = new ChunkList()
    for (let entry = 0; entry < this.#edits.length; entry++) {
      const edit = this.#edits[entry]
      if (edit === undefined) continue
      isChanged = true
      edited.add(message, kept, this.#bound(entry, fieldStartAt))
      kept = this.#bound(entry, fieldEndAt)
      if (edit !== removed) edited.addField(this.#fieldNumber, edit)
    }
    if (!isChanged) return message
    edited.add(message, kept, message.length)
    for (const { keyValue } of this.#added) edited.addField(this.#fieldNumber, keyValue)
    return edited
  }

  get #entryCount(): number {
    return this.#bounds.length / boundsPerEntry
  }

  #bound(entry: number, which: number): number {
    return this.#bounds[entry * boundsPerEntry + which]
  }

  /** The first entry of this key that is not removed, from entry `first` on; -1 when there is none. */
  #find(key: string, first: number): number {
    const wanted = keyBytes(key)
    const length = wanted.length
    for (let entry = first; entry < this.#entryCount; entry++) {
      const keyStart = this.#bound(entry, keyStartAt)
      if (this.#bound(entry, keyEndAt) - keyStart !== length) continue
      if (this.#edits[entry] === removed) continue
      if (isAt(this.#message, keyStart, wanted)) return entry
    }
    return -1
  }

  #findAdded(key: string): number {
    return this.#added.length === 0 ? -1 : this.#added.findIndex((added) => added.key === key)
  }

  #removeFrom(key: string, first: number): boolean {
    let entry = this.#find(key, first)
    const isFound = entry >= 0
    while (entry >= 0) {
      this.#edits[entry] = removed
      entry = this.#find(key, entry + 1)
    }
    return isFound
  }

  #isAsCame(entry: number, keyValue: Uint8Array): boolean {
    const start = this.#bound(entry, startAt)
    const byteLength = this.#bound(entry, endAt) - start
    return byteLength === keyValue.length && isAt(this.#message, start, keyValue)
  }
}

function isAt(bytes: Uint8Array, start: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[start + index] !== wanted[index]) return false
  }
  return true
}

// Keys come from the configuration and from code, so that there are few; should they be many, all are forgotten.
const keyBytesByKey = new Map<string, Uint8Array>()
const keyCountMax = 4096

function keyBytes(key: string): Uint8Array {
  let bytes = keyBytesByKey.get(key)
  if (bytes === undefined) {
    if (keyBytesByKey.size >= keyCountMax) keyBytesByKey.clear()
    bytes = encodeUtf8(key)
    keyBytesByKey.set(key, bytes)
  }
  return bytes
}
