/** Values as the Collector's debug output writes them. */
import type { AttributeValue } from '../../../otlp/attributes.ts'
import { valueText } from '../../../otlp/value-text.ts'

/** Such as Str(shop) or Int(3). */
export function typedText(value: AttributeValue): string {
  return `${typeName(value)}(${valueText(value)})`
}

function typeName(value: AttributeValue): string {
  if (value === null) return 'Empty'
  if (value instanceof Uint8Array) return 'Bytes'
  if (value instanceof Map) return 'Map'
  switch (typeof value) {
    case 'string':
      return 'Str'
    case 'boolean':
      return 'Bool'
    case 'bigint':
      return 'Int'
    case 'number':
      return 'Double'
    default:
      return 'Slice'
  }
}

/** Such as 2026-01-31 23:59:59.5 +0000 UTC: nine digits, without the zeros at their end. */
export function instantText(unixNano: bigint): string {
  const seconds = unixNano / 1_000_000_000n
  const fraction = String(unixNano % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const [date, time] = new Date(Number(seconds) * 1000).toISOString().split('T')
  return `${date} ${time.slice(0, 8)}${fraction && `.${fraction}`} +0000 UTC`
}

/** Of an enum member such as SPAN_KIND_SERVER: Server. A newer number has no name. */
export function enumText(
  names: ReadonlyMap<number, string>,
  value: number,
  prefix: string,
): string {
  const name = names.get(value)?.slice(prefix.length)
  return name === undefined ? '' : name[0] + name.slice(1).toLowerCase()
}

/** Six digits after the point, whatever the number. */
export function fixedText(value: number): string {
  return Number.isFinite(value) ? value.toFixed(6) : infiniteText(value)
}

function infiniteText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}
