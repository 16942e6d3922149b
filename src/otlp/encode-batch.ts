import { writeFieldHeader } from '../wire/varint.ts'
import { type Batch, contentByteLength, type ResourceGroup } from './batch.ts'
import { nesting } from './fields.ts'

/** The Export*ServiceRequest in one piece: the one copy of the payload between socket and socket. */
export function encodeBatch(batch: Batch): Uint8Array {
  const bytes = new Uint8Array(batch.byteLength)
  encodeBatchInto(batch, bytes)
  return bytes
}

/** The same into memory of the caller's, which must be `byteLength` long at least. */
export function encodeBatchInto(batch: Batch, bytes: Uint8Array): void {
  let offset = 0
  for (const group of batch.groups) {
    offset = writeGroupHead(bytes, offset, group)
    bytes.set(group.rest, offset)
    offset += group.rest.length
  }
  bytes.set(batch.unknown, offset)
}

/**
 * The same bytes in several pieces: whatever is at least `segmentBytesMin` long is passed by reference, the small
 * pieces between are copied together.
 */
export function encodeSegments(batch: Batch, segmentBytesMin: number): Uint8Array[] {
  const segments: Uint8Array[] = []
  const copied = new Uint8Array(copiedByteLength(batch, segmentBytesMin))
  let flushed = 0
  let offset = 0
  const flush = () => {
    if (offset > flushed) segments.push(copied.subarray(flushed, offset))
    flushed = offset
  }
  const add = (piece: Uint8Array) => {
    if (piece.length >= segmentBytesMin) {
      flush()
      segments.push(piece)
      return
    }
    copied.set(piece, offset)
    offset += piece.length
  }
  for (const group of batch.groups) {
    offset = writeGroupHead(copied, offset, group)
    add(group.rest)
  }
  if (batch.unknown.length > 0) add(batch.unknown)
  flush()
  return segments
}

function copiedByteLength(batch: Batch, segmentBytesMin: number): number {
  let byteLength = batch.byteLength
  for (const { rest } of batch.groups) if (rest.length >= segmentBytesMin) byteLength -= rest.length
  return batch.unknown.length >= segmentBytesMin ? byteLength - batch.unknown.length : byteLength
}

/** Writes everything of a group before its `rest`, its tag and length and its Resource; gives the offset behind it. */
function writeGroupHead(bytes: Uint8Array, start: number, group: ResourceGroup): number {
  const offset = writeFieldHeader(bytes, start, nesting.group, contentByteLength(group))
  const { resource } = group
  if (resource === undefined) return offset
  const bodyOffset = writeFieldHeader(bytes, offset, nesting.resource, resource.length)
  bytes.set(resource, bodyOffset)
  return bodyOffset + resource.length
}
