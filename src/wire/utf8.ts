// A byte order mark is part of the text here: two keys that differ by one are two keys.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const encoder = new TextEncoder()

/** Text of the bytes from `start` to `end`; what is not UTF-8 becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string {
  // Not TextDecoder: for short ASCII names this loop is faster (bench/wire.bench.ts).
  if (end - start > shortTextMax) return decoder.decode(bytes.subarray(start, end))
  let text = ''
  for (let index = start; index < end; index++) {
    const byte = bytes[index]
    if (byte >= 0x80) return decoder.decode(bytes.subarray(start, end))
    text += String.fromCharCode(byte)
  }
  return text
}

const shortTextMax = 16

/** UTF-8 of the text; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/** Writes at `position` and returns one past the last byte; `bytes` must have room for three bytes a UTF-16 unit. */
export function writeUtf8(bytes: Uint8Array, position: number, text: string): number {
  if (text.length <= shortTextMax) {
    let index = 0
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) break
      bytes[position + index] = unit
    }
    if (index === text.length) return position + index
  }
  return position + encoder.encodeInto(text, bytes.subarray(position)).written
}
