/** Snappy's block format. Own decoder: snappyjs takes a body that is shorter or longer than it says for good. */
import { corrupt, tooLarge } from './inflated.ts'
import { snappyBytesMax, writeSnappyBlock } from './snappy-block.ts'

/** Throws a Refusal: too_large by the declared length, before any room is made; invalid for anything else. */
export function uncompressSnappy(bytes: Uint8Array, byteLengthMax: number): Uint8Array {
  const { value: byteLength, end } = readLength(bytes)
  if (byteLength > byteLengthMax) throw tooLarge(byteLengthMax)
  // An element of at most 3 bytes makes at most 64: who declares more than that lies, and only costs memory.
  if (byteLength > bytes.length * 32) throw corrupt('snappy', 'it declares more than it can hold')
  const output = new Uint8Array(byteLength)
  const written = expand(bytes, end, output)
  if (written !== byteLength) {
    throw corrupt('snappy', `it declares ${byteLength} bytes and holds ${written}`)
  }
  return output
}

function readLength(bytes: Uint8Array): { value: number; end: number } {
  let value = 0
  for (let index = 0; index < 5 && index < bytes.length; index++) {
    value += (bytes[index] & 0x7f) * 2 ** (7 * index)
    if (bytes[index] < 0x80 && value < 2 ** 32) return { value, end: index + 1 }
  }
  throw corrupt('snappy', 'its length is broken')
}

/** Every element in turn; gives the number of bytes written. */
function expand(bytes: Uint8Array, start: number, output: Uint8Array): number {
  let at = start
  let written = 0
  while (at < bytes.length) {
    const tag = bytes[at++]
    if ((tag & 3) === 0) {
      let length = tag >>> 2
      if (length >= 60) {
        const lengthBytes = length - 59
        length = readLittleEndian(bytes, at, lengthBytes)
        at += lengthBytes
      }
      length++
      checkRoom(at + length <= bytes.length && written + length <= output.length)
      copyLiteral(bytes, at, output, { at: written, length })
      at += length
      written += length
      continue
    }
    const offsetBytes = [0, 1, 2, 4][tag & 3]
    let offset = readLittleEndian(bytes, at, offsetBytes)
    at += offsetBytes
    if (offsetBytes === 1) offset |= (tag >>> 5) << 8
    const length = offsetBytes === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    checkRoom(offset > 0 && offset <= written && written + length <= output.length)
    // Byte by byte, since a copy may overlap what it writes: that is how snappy repeats.
    for (const end = written + length; written < end; written++) {
      output[written] = output[written - offset]
    }
  }
  return written
}

function readLittleEndian(bytes: Uint8Array, at: number, byteLength: number): number {
  checkRoom(at + byteLength <= bytes.length)
  let value = 0
  for (let index = byteLength - 1; index >= 0; index--) value = value * 256 + bytes[at + index]
  return value
}

function copyLiteral(
  bytes: Uint8Array,
  from: number,
  output: Uint8Array,
  to: { readonly at: number; readonly length: number },
): void {
  // Most literals are short, where a call into the engine costs more than the loop.
  if (to.length > 32) output.set(bytes.subarray(from, from + to.length), to.at)
  else for (let index = 0; index < to.length; index++) output[to.at + index] = bytes[from + index]
}

function checkRoom(fits: boolean): void {
  if (!fits) throw corrupt('snappy', 'an element runs past its end')
}

/** Blocks are written here first: fresh memory of the longest they could become has to be faulted in page by page. */
let scratch = new Uint8Array(0)
const scratchBytesMax = 8 * 1024 * 1024

export function compressSnappy(bytes: Uint8Array): Uint8Array {
  const bytesMax = snappyBytesMax(bytes.length)
  if (bytesMax > scratchBytesMax) {
    const output = new Uint8Array(bytesMax)
    return output.subarray(0, writeSnappyBlock(bytes, output))
  }
  if (scratch.length < bytesMax) scratch = new Uint8Array(bytesMax)
  return scratch.slice(0, writeSnappyBlock(bytes, scratch))
}
