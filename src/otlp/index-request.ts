import { Malformed } from '../wire/malformed.ts'
import { WireReader } from '../wire/reader.ts'
import { Batch, type ResourceGroup } from './batch.ts'
import type { ClientInfo } from './client-info.ts'
import { Refusal } from './refusal.ts'
import type { Signal } from './signal.ts'
import { joinBytes } from './join-bytes.ts'

// Tags of the levels, alike for all signals: ResourceX = 1, Resource = 1 and ScopeX = 2 in it, items = 2 in ScopeX.
const groupTag = 0x0a
const resourceTag = 0x0a
const scopeTag = 0x12
const itemTag = 0x12
// Field 1000: scopes as senders before OTLP 0.15 wrote them, of the same layout. Kept as it is, its items counted.
const oldScopeTag = (1000 << 3) | 2
const pointTag = 0x0a

/**
 * Indexes an encoded Export*ServiceRequest, or *Data message, by resource. The framing is checked down to the items;
 * inside them only for metrics, down to the points. The batch shares memory with `bytes`. Throws a Refusal `invalid`
 * that names the offset.
 */
export function indexRequest(signal: Signal, bytes: Uint8Array, client?: ClientInfo): Batch {
  try {
    return index(signal, bytes, client)
  } catch (error) {
    if (error instanceof Malformed) {
      throw new Refusal('invalid', `malformed protobuf: ${error.message}`, { cause: error })
    }
    throw error
  }
}

function index(signal: Signal, bytes: Uint8Array, client: ClientInfo | undefined): Batch {
  const reader = new WireReader(bytes)
  const end = bytes.length
  const groups: ResourceGroup[] = []
  const unknown: Uint8Array[] = []
  while (reader.offset < end) {
    const start = reader.offset
    const tag = reader.tag(end)
    if (tag === groupTag) groups.push(readGroup(signal, reader, reader.lengthEnd(end)))
    else {
      reader.skip(tag, end)
      unknown.push(bytes.subarray(start, reader.offset))
    }
  }
  return new Batch(signal, groups, { unknown: joinBytes(unknown), client })
}

function readGroup(signal: Signal, reader: WireReader, end: number): ResourceGroup {
  const { bytes } = reader
  const start = reader.offset
  let itemCount = 0
  let resourceCount = 0
  let fieldStart = start
  let bodyStart = start
  let bodyEnd = start
  while (reader.offset < end) {
    const at = reader.offset
    const tag = reader.tag(end)
    if (tag === scopeTag || tag === oldScopeTag) {
      const scopeEnd = reader.lengthEnd(end)
      itemCount += countItems(signal, reader, scopeEnd)
    } else if (tag === resourceTag) {
      bodyEnd = reader.lengthEnd(end)
      fieldStart = at
      bodyStart = reader.offset
      reader.offset = bodyEnd
      resourceCount++
    } else reader.skip(tag, end)
  }
  if (resourceCount === 0) {
    return { resource: undefined, rest: bytes.subarray(start, end), itemCount }
  }
  if (resourceCount > 1) return gatherGroup(bytes, start, end, itemCount)
  const resource = bytes.subarray(bodyStart, bodyEnd)
  if (fieldStart === start) return { resource, rest: bytes.subarray(bodyEnd, end), itemCount }
  if (bodyEnd === end) return { resource, rest: bytes.subarray(start, fieldStart), itemCount }
  // In the middle: no writer that we know of does this, so that a copy is paid for it.
  const rest = joinBytes([bytes.subarray(start, fieldStart), bytes.subarray(bodyEnd, end)])
  return { resource, rest, itemCount }
}

/** A resource in several pieces: they merge, which for messages is the same as being joined. */
function gatherGroup(
  bytes: Uint8Array,
  start: number,
  end: number,
  itemCount: number,
): ResourceGroup {
  const reader = new WireReader(bytes, start)
  const pieces: Uint8Array[] = []
  const rest: Uint8Array[] = []
  while (reader.offset < end) {
    const at = reader.offset
    const tag = reader.tag(end)
    if (tag === resourceTag) {
      const pieceEnd = reader.lengthEnd(end)
      pieces.push(bytes.subarray(reader.offset, pieceEnd))
      reader.offset = pieceEnd
    } else {
      reader.skip(tag, end)
      rest.push(bytes.subarray(at, reader.offset))
    }
  }
  return { resource: joinBytes(pieces), rest: joinBytes(rest), itemCount }
}

function countItems(signal: Signal, reader: WireReader, end: number): number {
  let itemCount = 0
  while (reader.offset < end) {
    const tag = reader.tag(end)
    if (tag !== itemTag) reader.skip(tag, end)
    else {
      const itemEnd = reader.lengthEnd(end)
      if (signal === 'metrics') itemCount += countPoints(reader, itemEnd)
      else itemCount++
      reader.offset = itemEnd
    }
  }
  return itemCount
}

/** Points of a Metric: field 1 of whichever data member is set. Of several members the last one holds. */
function countPoints(reader: WireReader, end: number): number {
  let pointCount = 0
  let member = 0
  while (reader.offset < end) {
    const tag = reader.tag(end)
    if (!isDataTag(tag)) {
      reader.skip(tag, end)
      continue
    }
    if (tag !== member) pointCount = 0
    member = tag
    const dataEnd = reader.lengthEnd(end)
    while (reader.offset < dataEnd) {
      const inner = reader.tag(dataEnd)
      if (inner === pointTag) pointCount++
      reader.skip(inner, dataEnd)
    }
  }
  return pointCount
}

/** gauge 5, sum 7, histogram 9, exponential_histogram 10, summary 11, all length-delimited. */
function isDataTag(tag: number): boolean {
  return tag === 0x2a || tag === 0x3a || tag === 0x4a || tag === 0x52 || tag === 0x5a
}
