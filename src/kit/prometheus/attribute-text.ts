/** Attributes of resources, scopes and points as label material: the key, and the value as pdata prints it. */
import type { AttributeValue } from '../../otlp/attribute-value.ts'
import { visitAttributes } from '../../otlp/attributes.ts'
import { valueText } from '../../otlp/value-text.ts'

export interface TextAttribute {
  readonly key: string
  /** The value as a label carries it; empty means the label is absent. */
  readonly text: string
  /** Which type the value has, so that 1 and "1" differ. */
  readonly type: string
}

/** Every attribute of a message, in wire order; of a key that comes twice, the first. */
export function readTextAttributes(message: Uint8Array, field: number): TextAttribute[] {
  const attributes: TextAttribute[] = []
  visitAttributes(message, field, (key, value) => {
    attributes.push({ key, text: valueText(value), type: typeName(value) })
  })
  return attributes
}

/** Sorted as bytes sort, which is by code point: JavaScript compares UTF-16 units. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a === b) continue
    // Surrogates stand for code points above all other units.
    return isSurrogate(a) === isSurrogate(b) ? a - b : isSurrogate(a) ? 1 : -1
  }
  return left.length - right.length
}

/** One text for equal attributes, whatever their order on the wire. */
export function attributesIdentity(attributes: readonly TextAttribute[]): string {
  return attributes
    .map(({ key, text, type }) => `${key.length}:${key}${type}${text.length}:${text}`)
    .sort()
    .join('')
}

/** Tells sets of attributes apart that became the same labels; the same whatever their order. 32 bits. */
export function attributesHash(attributes: readonly TextAttribute[]): number {
  let hash = attributes.length
  // A sum, so that nothing has to be sorted.
  for (const { key, text, type } of attributes) {
    hash = (hash + hashText(text, hashText(type, hashText(key, 0x811c9dc5)))) | 0
  }
  return hash
}

/** FNV-1a over UTF-16 units, with a last step that spreads what a sum would let cancel out. */
function hashText(text: string, seed: number): number {
  let hash = seed
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

function typeName(value: AttributeValue): string {
  if (value === null) return 'empty'
  if (typeof value !== 'object') return typeof value
  if (value instanceof Uint8Array) return 'bytes'
  return Array.isArray(value) ? 'array' : 'map'
}
