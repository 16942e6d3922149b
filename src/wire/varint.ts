/** Length of the varint of a whole number from 0 to 2^53 - 1, in bytes. */
export function varintLength(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  if (value < 0x1000_0000) return 4
  let length = 5
  for (let rest = value / 0x8_0000_0000; rest >= 1; rest /= 0x80) length++
  return length
}

/** Writes the varint of a whole number from 0 to 2^53 - 1 at `position` and returns one past it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let index = position
  let rest = value
  while (rest >= 0x1000_0000) {
    bytes[index++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  while (rest >= 0x80) {
    bytes[index++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[index++] = rest
  return index
}

/** Length of a length-delimited field with a body of `byteLength`: tag, length and body. */
export function fieldLength(field: number, byteLength: number): number {
  return varintLength(field * 8) + varintLength(byteLength) + byteLength
}

/** Writes tag and length of a length-delimited field at `position` and returns where its body goes. */
export function writeFieldHeader(
  bytes: Uint8Array,
  position: number,
  field: number,
  byteLength: number,
): number {
  return writeVarint(bytes, writeVarint(bytes, position, field * 8 + 2), byteLength)
}
