import { hash } from 'node:crypto'
import type { AttributeValue } from '../../otlp/attributes.ts'
import { valueText } from '../../otlp/value-text.ts'

/**
 * Lower-case hex of the hash of a value, as the Collector's: of text its UTF-8, of a boolean one byte, of numbers eight
 * bytes, little-endian; nothing stays nothing. Lists and maps, which the Collector empties, are hashed as their text.
 */
export function hashValue(value: AttributeValue, algorithm: 'sha256' | 'sha1'): string {
  const bytes = hashedBytes(value)
  // In one call: an object that could take more costs three times as much.
  return bytes.length === 0 ? '' : hash(algorithm, bytes, 'hex')
}

function hashedBytes(value: AttributeValue): Uint8Array {
  if (value instanceof Uint8Array) return value
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0)
  const number = new DataView(new ArrayBuffer(8))
  if (typeof value === 'bigint') number.setBigInt64(0, value, true)
  else if (typeof value === 'number') number.setFloat64(0, value, true)
  else return new TextEncoder().encode(valueText(value))
  return new Uint8Array(number.buffer)
}
