/**
 * Numbers as Prometheus writes them. Three forms are in play and they make different series when they stand in a label:
 * Go's shortest 'g' (text 0.0.4), the same with ".0" (OpenMetrics) and Go's shortest 'f' (`le` by remote write).
 */

/** Go's FormatFloat(value, 'g', -1, 64): an exponent below 1e-4 and from 1e6 on, signed and of two digits at least. */
export function shortText(value: number): string {
  const magnitude = Math.abs(value)
  if (magnitude < 1e6) {
    // Negative zero prints as zero: that is what client_golang writes.
    if (magnitude >= 1e-4 || value === 0) return String(value)
    return padExponent(value.toExponential())
  }
  if (magnitude < Infinity) return padExponent(value.toExponential())
  return specialText(value)
}

/** The canonical OpenMetrics form: 'g', and ".0" after what would look like an integer. */
export function canonicalText(value: number): string {
  const text = shortText(value)
  return isIntegerText(text) ? `${text}.0` : text
}

/** Go's FormatFloat(value, 'f', -1, 64): never an exponent. */
export function plainText(value: number): string {
  if (!Number.isFinite(value)) return specialText(value)
  if (Object.is(value, -0)) return '-0'
  const text = String(value)
  const at = text.indexOf('e')
  if (at === -1) return text
  const sign = text.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = text.slice(sign.length, at).split('.')
  const point = whole.length + Number(text.slice(at + 1))
  const digits = whole + fraction
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  return `${sign}${digits.padEnd(point, '0')}`
}

/** Whether OpenMetrics wants ".0" behind it. */
function isIntegerText(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if ((code < 0x30 || code > 0x39) && code !== 0x2d) return false
  }
  return true
}

/** Digits of an unsigned 64-bit integer given in halves, exact beyond 2^53. */
export function unsignedText(low: number, high: number): string {
  if (high >>> 0 < 0x200000) return String((high >>> 0) * 4294967296 + (low >>> 0))
  return String((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
}

function padExponent(text: string): string {
  const at = text.indexOf('e') + 2
  return text.length - at >= 2 ? text : `${text.slice(0, at)}0${text.slice(at)}`
}

function specialText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : 'NaN'
}
