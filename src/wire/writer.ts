/** Writes protobuf wire format into bytes that the caller has sized. */

export function varintByteLength(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x200000) return 3
  if (value < 0x10000000) return 4
  return 5
}

/** Writes an unsigned value below 2^32 and gives the offset behind it. */
export function writeVarint32(target: Uint8Array, offset: number, value: number): number {
  let rest = value
  let next = offset
  while (rest > 0x7f) {
    target[next++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  target[next++] = rest
  return next
}

/** The bytes that a length-delimited field with a tag of one byte takes in all. */
export function fieldByteLength(valueByteLength: number): number {
  return 1 + varintByteLength(valueByteLength) + valueByteLength
}
