import { varintByteLength, writeVarint32 } from '../wire/writer.ts'
import { type Batch, contentByteLength, type ResourceGroup } from './batch.ts'
import { joinBytes } from './join-bytes.ts'

const groupTag = 0x0a
const resourceTag = 0x0a

/** The Export*ServiceRequest in one piece: the one copy of the payload between socket and socket. */
export function encodeBatch(batch: Batch): Uint8Array {
  const bytes = new Uint8Array(batch.byteLength)
  let offset = 0
  for (const group of batch.groups) {
    offset = writeHeader(bytes, offset, group)
    bytes.set(group.rest, offset)
    offset += group.rest.length
  }
  bytes.set(batch.unknown, offset)
  return bytes
}

/**
 * The same bytes in several pieces: whatever is at least `segmentBytesMin` long is passed by reference, the small
 * pieces between are joined.
 */
export function encodeSegments(batch: Batch, segmentBytesMin: number): Uint8Array[] {
  const segments: Uint8Array[] = []
  let small: Uint8Array[] = []
  const add = (piece: Uint8Array) => {
    if (piece.length < segmentBytesMin) {
      small.push(piece)
      return
    }
    if (small.length > 0) segments.push(joinBytes(small))
    small = []
    segments.push(piece)
  }
  for (const group of batch.groups) {
    const header = new Uint8Array(headerByteLength(group))
    writeHeader(header, 0, group)
    add(header)
    add(group.rest)
  }
  if (batch.unknown.length > 0) add(batch.unknown)
  if (small.length > 0) segments.push(joinBytes(small))
  return segments
}

/** Everything of a group before its `rest`: its tag and length, and its Resource. */
function writeHeader(bytes: Uint8Array, start: number, group: ResourceGroup): number {
  const { resource } = group
  bytes[start] = groupTag
  let offset = writeVarint32(bytes, start + 1, contentByteLength(group))
  if (resource !== undefined) {
    bytes[offset] = resourceTag
    offset = writeVarint32(bytes, offset + 1, resource.length)
    bytes.set(resource, offset)
    offset += resource.length
  }
  return offset
}

function headerByteLength(group: ResourceGroup): number {
  const content = contentByteLength(group)
  return 1 + varintByteLength(content) + content - group.rest.length
}
