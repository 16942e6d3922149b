import type { AttributeValue } from './attributes.ts'
import { encodeBase64 } from './base64.ts'

/**
 * The text that stands for a value where only text fits: labels, tags, lists. As the Collector writes it: integers in
 * decimal, doubles as ECMAScript does, bytes in base64, arrays and maps as JSON with sorted keys, the empty value as ''.
 */
export function valueText(value: AttributeValue): string {
  if (typeof value === 'string') return value
  if (value === null) return ''
  if (value instanceof Uint8Array) return encodeBase64(value)
  return typeof value === 'object' ? jsonText(value) : plainText(value)
}

/** Go keeps the sign of a zero, which String does not. */
function plainText(value: number | bigint | boolean): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function jsonText(value: AttributeValue): string {
  if (value === null) return 'null'
  if (typeof value === 'string') return quoted(value)
  // Text, since JSON has no such numbers.
  if (typeof value === 'number' && !Number.isFinite(value)) return `"${value}"`
  if (typeof value !== 'object') return plainText(value)
  if (value instanceof Uint8Array) return `"${encodeBase64(value)}"`
  if (isList(value)) return `[${value.map(jsonText).join(',')}]`
  const entries = [...value].sort(([first], [second]) => compareText(first, second))
  return `{${entries.map(([key, inner]) => `${quoted(key)}:${jsonText(inner)}`).join(',')}}`
}

function isList(
  value: readonly AttributeValue[] | ReadonlyMap<string, AttributeValue>,
): value is readonly AttributeValue[] {
  return Array.isArray(value)
}

/** Go escapes the two line separators as well, which JSON.stringify does not. */
function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u2028\u2029]/g, (separator) =>
    separator === '\u2028' ? '\\u2028' : '\\u2029',
  )
}

/** By the bytes of their UTF-8, as Go sorts: characters beyond U+FFFF come last, not before U+E000. */
function compareText(first: string, second: string): number {
  const length = Math.min(first.length, second.length)
  for (let index = 0; index < length; index++) {
    const difference = rank(first.charCodeAt(index)) - rank(second.charCodeAt(index))
    if (difference !== 0) return difference
  }
  return first.length - second.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}
