/**
 * Writes snappy's block format. Greedy: the last position of every hashed four bytes is looked up, and where nothing
 * matches for long the search takes longer steps. Fragments of 64 KiB as the reference, so offsets fit two bytes.
 */

const fragmentBytes = 65_536
const hashBitsMax = 14
// A copy of four bytes takes three: shorter ones would not pay.
const matchBytesMin = 4
/** So far from its end a fragment is searched: reading four bytes at once must stay inside it. */
const marginBytes = 15

const table = new Uint16Array(1 << hashBitsMax)

/** The longest a block of that many bytes can become. */
export function snappyBytesMax(byteLength: number): number {
  return 32 + byteLength + Math.ceil(byteLength / 6)
}

/** Writes the block of `input` into `output`, which has room for snappyBytesMax; gives its length. */
export function writeSnappyBlock(input: Uint8Array, output: Uint8Array): number {
  let at = 0
  let rest = input.length
  while (rest >= 0x80) {
    output[at++] = (rest % 0x80) | 0x80
    rest = Math.floor(rest / 0x80)
  }
  output[at++] = rest
  for (let start = 0; start < input.length; start += fragmentBytes) {
    at = writeFragment(input, start, Math.min(start + fragmentBytes, input.length), output, at)
  }
  return at
}

// Five parameters: an object for each fragment and its fields would cost what the loop saves.
// oxlint-disable-next-line max-params
function writeFragment(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  to: number,
): number {
  let at = to
  let literal = start
  if (end - start > marginBytes) {
    let shift = 32 - hashBitsMax
    while (shift < 24 && 1 << (32 - shift) > (end - start) * 2) shift++
    table.fill(0, 0, 1 << (32 - shift))
    const last = end - marginBytes
    let position = start + 1
    while (position < last) {
      const found = findMatch(input, start, position, last, shift)
      if (found < 0) break
      position = matchAt
      let length = matchBytesMin
      const offset = position - found
      while (position + length < end && input[found + length] === input[position + length]) length++
      if (literal < position) at = writeLiteral(input, literal, position, output, at)
      at = writeCopy(output, at, offset, length)
      position += length
      literal = position
      // What was passed over is not searched; its end is, since records repeat one after the other.
      if (position < last) {
        const back = position - 1
        table[Math.imul(read32(input, back), hashFactor) >>> shift] = back - start
      }
    }
  }
  return literal < end ? writeLiteral(input, literal, end, output, at) : at
}

const hashFactor = 0x1e35a7bd
/** Where the match that findMatch found begins. */
let matchAt = 0

// oxlint-disable-next-line max-params
function findMatch(
  input: Uint8Array,
  start: number,
  from: number,
  last: number,
  shift: number,
): number {
  let position = from
  let skip = 32
  while (position < last) {
    const bits = read32(input, position)
    const slot = Math.imul(bits, hashFactor) >>> shift
    const candidate = start + table[slot]
    table[slot] = position - start
    if (candidate < position && read32(input, candidate) === bits) {
      matchAt = position
      return candidate
    }
    position += skip++ >>> 5
  }
  return -1
}

function read32(bytes: Uint8Array, at: number): number {
  return bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
}

// oxlint-disable-next-line max-params
function writeLiteral(
  input: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  to: number,
): number {
  let at = to
  const length = end - start
  const code = length - 1
  if (code < 60) output[at++] = code << 2
  else if (code < 0x100) {
    output[at++] = 60 << 2
    output[at++] = code
  } else {
    output[at++] = 61 << 2
    output[at++] = code & 0xff
    output[at++] = code >>> 8
  }
  // Most literals are short, where a call into the engine costs more than the loop.
  if (length > 64) output.set(input.subarray(start, end), at)
  else for (let index = 0; index < length; index++) output[at + index] = input[start + index]
  return at + length
}

/** Writes copies of `length` bytes from `offset` back; gives where what follows goes. */
export function writeCopy(output: Uint8Array, to: number, offset: number, length: number): number {
  let at = to
  let rest = length
  // A last piece of fewer than four bytes cannot be a short copy, so 60 are taken before it.
  while (rest >= 68) {
    at = writeLongCopy(output, at, offset, 64)
    rest -= 64
  }
  if (rest > 64) {
    at = writeLongCopy(output, at, offset, 60)
    rest -= 60
  }
  if (rest < 4 || rest >= 12 || offset >= 2048) return writeLongCopy(output, at, offset, rest)
  output[at++] = 1 | ((rest - 4) << 2) | ((offset >>> 8) << 5)
  output[at++] = offset & 0xff
  return at
}

function writeLongCopy(output: Uint8Array, to: number, offset: number, length: number): number {
  output[to] = 2 | ((length - 1) << 2)
  output[to + 1] = offset & 0xff
  output[to + 2] = offset >>> 8
  return to + 3
}
