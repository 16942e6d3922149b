/** Base64 without Node: standard alphabet out, both alphabets in. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** With padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let index = 0; index < bytes.length; index += 3) {
    const rest = bytes.length - index
    const bits = (bytes[index] << 16) | ((bytes[index + 1] ?? 0) << 8) | (bytes[index + 2] ?? 0)
    text += alphabet.charAt(bits >> 18) + alphabet.charAt((bits >> 12) & 63)
    text += rest > 1 ? alphabet.charAt((bits >> 6) & 63) : '='
    text += rest > 2 ? alphabet.charAt(bits & 63) : '='
  }
  return text
}

/** Padded or not, `+/` or `-_`; undefined when it is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const digits = text.replace(/={1,2}$/, '')
  if (digits.length !== text.length && text.length % 4 !== 0) return undefined
  if (digits.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let bits = 0
  let filled = 0
  for (let index = 0; index < digits.length; index++) {
    const digit = digitValues[digits.charCodeAt(index)] ?? -1
    if (digit < 0) return undefined
    bits = (bits << 6) | digit
    if (index % 4 === 0) continue
    bytes[filled++] = bits >> (6 - 2 * (index % 4))
  }
  return bytes
}

const digitValues: readonly number[] = digitTable()

function digitTable(): number[] {
  const values = Array.from({ length: 128 }, () => -1)
  for (let digit = 0; digit < 64; digit++) values[alphabet.charCodeAt(digit)] = digit
  values['-'.charCodeAt(0)] = 62
  values['_'.charCodeAt(0)] = 63
  return values
}
