import { FieldReader, wireType } from '../wire/field-reader.ts'
import { quickEnd } from '../wire/quick-end.ts'
import { dataPointsField, isMetricData, nesting } from './fields.ts'
import type { Signal } from './signal.ts'

// Every request pays for this walk, so that fields of ordinary shape, which is nearly all, are stepped over by
// quickEnd, in about 4 ns; the reader takes what is left: errors, long tags, groups. Made once: this calls nobody else.
const reader = new FieldReader(new Uint8Array(0))

const memberTag = (nesting.members << 3) | wireType.bytes
const pointTag = (dataPointsField << 3) | wireType.bytes

/** Items of the scope group that lies from `start` to `end`. Throws a WireError when its framing is broken. */
export function countScopeItems(
  signal: Signal,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  return signal === 'metrics'
    ? countScopePoints(bytes, start, end)
    : countTag(memberTag, bytes, start, end)
}

/** Data points of the Gauge, Sum or other `data` that lies from `start` to `end`. */
export function countDataPoints(bytes: Uint8Array, start: number, end: number): number {
  return countTag(pointTag, bytes, start, end)
}

function countTag(wanted: number, bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  let position = start
  while (position < end) {
    let next = quickEnd(bytes, position, end)
    let tag = bytes[position]
    if (next === 0) {
      tag = readSlowly(bytes, position, end)
      next = reader.end
    }
    if (tag === wanted) count++
    position = next
  }
  return count
}

function countScopePoints(bytes: Uint8Array, start: number, end: number): number {
  let count = 0
  let position = start
  while (position < end) {
    let next = quickEnd(bytes, position, end)
    let tag = bytes[position]
    if (next === 0) {
      tag = readSlowly(bytes, position, end)
      next = reader.end
    }
    if (tag === memberTag) count += countPoints(bytes, valueStart(bytes, position), next)
    position = next
  }
  return count
}

/**
 * Data points of the Metric that lies from `start` to `end`. Of several members of the oneof `data` the last on the
 * wire is the metric's, by protobuf's rule, and its pieces in a row are one message.
 */
export function countPoints(bytes: Uint8Array, start: number, end: number): number {
  let dataTag = 0
  let count = 0
  let position = start
  while (position < end) {
    let next = quickEnd(bytes, position, end)
    let tag = bytes[position]
    if (next === 0) {
      tag = readSlowly(bytes, position, end)
      next = reader.end
    }
    if ((tag & 7) === wireType.bytes && isMetricData(tag >>> 3)) {
      if (tag !== dataTag) count = 0
      dataTag = tag
      count += countTag(pointTag, bytes, valueStart(bytes, position), next)
    }
    position = next
  }
  return count
}

/** The tag of the field at `position`; `reader` stands on it afterwards. */
function readSlowly(bytes: Uint8Array, position: number, end: number): number {
  reader.reset(bytes, position, end)
  reader.next()
  return ((reader.field << 3) | reader.wireType) >>> 0
}

/** Where the body of the length-delimited field at `position` begins; its tag and length are known to be sound. */
function valueStart(bytes: Uint8Array, position: number): number {
  let start = position
  while (bytes[start] >= 0x80) start++
  start++
  while (bytes[start] >= 0x80) start++
  return start + 1
}
