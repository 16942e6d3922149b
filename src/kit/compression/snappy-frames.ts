/** Snappy's frame format: chunks of at most 64 KiB, each with a checksum of what it holds. */
import { compressSnappy, uncompressSnappy } from './snappy.ts'
import { corrupt, tooLarge } from './inflated.ts'

const identifier = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)
const chunkContentBytesMax = 65536

const chunkKinds = { compressed: 0x00, plain: 0x01, skippableFrom: 0x80, identifier: 0xff } as const

export function uncompressSnappyFrames(bytes: Uint8Array, byteLengthMax: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const parts: Uint8Array[] = []
  let byteLength = 0
  let offset = 0
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) throw corrupt('framed snappy', 'it ends inside a chunk header')
    const kind = bytes[offset]
    const end = offset + 4 + (view.getUint32(offset, true) >>> 8)
    if (end > bytes.length) throw corrupt('framed snappy', 'it ends inside a chunk')
    if (offset === 0 || kind === chunkKinds.identifier) checkIdentifier(bytes.subarray(offset, end))
    else if (kind === chunkKinds.compressed || kind === chunkKinds.plain) {
      const roomLeft = byteLengthMax - byteLength
      const part = readChunk(bytes.subarray(offset, end), roomLeft)
      byteLength += part.length
      if (byteLength > byteLengthMax) throw tooLarge(byteLengthMax)
      parts.push(part)
    } else if (kind < chunkKinds.skippableFrom) {
      throw corrupt('framed snappy', `chunk kind ${kind} may not be skipped`)
    }
    offset = end
  }
  return Buffer.concat(parts, byteLength)
}

/** A chunk is its kind, three bytes of length, four of checksum, and its content. */
function readChunk(chunk: Uint8Array, roomLeft: number): Uint8Array {
  if (chunk.length < 8) throw corrupt('framed snappy', 'a chunk is too short for its checksum')
  const content = chunk.subarray(8)
  const lengthMax = Math.min(chunkContentBytesMax, roomLeft)
  const part = chunk[0] === chunkKinds.compressed ? uncompressSnappy(content, lengthMax) : content
  const declared = new DataView(chunk.buffer, chunk.byteOffset).getUint32(4, true)
  if (maskedCrc32c(part) !== declared) {
    throw corrupt('framed snappy', 'a chunk does not match its checksum')
  }
  return part
}

function checkIdentifier(chunk: Uint8Array): void {
  const isSame = chunk.length === 10 && identifier.every((byte, index) => chunk[index] === byte)
  if (!isSame) throw corrupt('framed snappy', 'it does not begin with the stream identifier')
}

export function compressSnappyFrames(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [identifier]
  for (let offset = 0; offset < bytes.length; offset += chunkContentBytesMax) {
    const content = bytes.subarray(offset, offset + chunkContentBytesMax)
    const compressed = compressSnappy(content)
    const header = new Uint8Array(8)
    const view = new DataView(header.buffer)
    view.setUint32(0, ((compressed.length + 4) << 8) | chunkKinds.compressed, true)
    view.setUint32(4, maskedCrc32c(content), true)
    parts.push(header, compressed)
  }
  return Buffer.concat(parts)
}

// CRC-32C, which zlib (CRC-32) does not have, by the table of its reversed polynomial.
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) {
    remainder = (remainder >>> 1) ^ ((remainder & 1) === 0 ? 0 : 0x82f63b78)
  }
  return remainder
})

/** As the frame format stores it, so that a checksum of bytes that hold checksums stays strong. */
function maskedCrc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
