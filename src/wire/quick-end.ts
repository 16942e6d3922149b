/**
 * Where the field at `position` ends, when it is of ordinary shape: a tag of one byte, a length of at most three bytes
 * or a varint of at most two, all of it before `end`. 0 for everything else, sound or not, which is for FieldReader.
 * `position` is before `end`.
 *
 * A function of numbers only, so that loops over it keep them in registers: half the time of a reader's properties
 * (bench/wire.bench.ts).
 */
export function quickEnd(bytes: Uint8Array, position: number, end: number): number {
  const tag = bytes[position]
  if (tag < 8 || tag >= 0x80) return 0
  let next = position + 1
  const type = tag & 7
  if (type === 1) next += 8
  else if (type === 5) next += 4
  else if (next >= end) return 0
  else if (type === 2) {
    let length = bytes[next++]
    if (length >= 0x80) {
      if (next >= end) return 0
      let byte = bytes[next++]
      length = (length & 0x7f) | ((byte & 0x7f) << 7)
      if (byte >= 0x80) {
        if (next >= end) return 0
        byte = bytes[next++]
        if (byte >= 0x80) return 0
        length |= byte << 14
      }
    }
    next += length
  } else if (type !== 0) return 0
  else if (bytes[next++] >= 0x80 && (next >= end || bytes[next++] >= 0x80)) return 0
  return next <= end ? next : 0
}
