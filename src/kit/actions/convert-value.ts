import type { AttributeValue } from '../../otlp/attributes.ts'
import { valueText } from '../../otlp/value-text.ts'

/** The value in another type by Go's rules, or the very same value where it cannot be converted. */
export function convertValue(
  value: AttributeValue,
  target: 'int' | 'double' | 'string',
): AttributeValue {
  if (target === 'string') return typeof value === 'string' ? value : valueText(value)
  if (typeof value === 'boolean') return target === 'int' ? BigInt(value) : Number(value)
  if (target === 'int') {
    if (typeof value === 'number') return wholePart(value) ?? value
    return typeof value === 'string' ? (parseInt64(value) ?? value) : value
  }
  if (typeof value === 'bigint') return Number(value)
  return typeof value === 'string' ? (parseFloat64(value) ?? value) : value
}

function wholePart(value: number): bigint | undefined {
  // -2^63 is a double, 2^63 - 1 is not.
  return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : undefined
}

/** As Go's strconv.ParseInt in base 10: no blanks, no fraction, within 64 bits. */
function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const value = BigInt(text.replace(/^\+/, ''))
  return BigInt.asIntN(64, value) === value ? value : undefined
}

/** As Go's strconv.ParseFloat, less its hexadecimal form; a number beyond a double's range is an error there. */
function parseFloat64(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text)
  if (special !== null) {
    if (special[2].toLowerCase() === 'nan') return special[1] === '' ? Number.NaN : undefined
    return special[1] === '-' ? -Infinity : Infinity
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : undefined
}
