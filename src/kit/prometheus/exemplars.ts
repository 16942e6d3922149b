/** Exemplars of a point: a value, the trace it belongs to, and attributes as far as there is room. */
import { asRefusal } from '../../otlp/malformed.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { FieldReader } from '../../wire/field-reader.ts'
import { readTextAttributes } from './attribute-text.ts'
import { tagOf } from './field-tag.ts'
import { joinLabels, type Label, sortedLabels } from './labels.ts'
import type { LabelNaming } from './label-name.ts'
import { compareNanos } from './nanos.ts'
import type { PointReader } from './point-reader.ts'

export interface PointExemplar {
  readonly labels: readonly Label[]
  readonly value: number
  readonly timeLow: number
  readonly timeHigh: number
}

/** OpenMetrics: the names and values of an exemplar's labels are at most 128 code points together. */
const codePointsMax = 128
const noBytes = new Uint8Array(0)
const scan = new FieldReader(noBytes)

/** Oldest first. One without a time has the point's; one without a value, or that is malformed, is left out. */
export function readExemplars(naming: LabelNaming, point: PointReader): PointExemplar[] {
  const found: PointExemplar[] = []
  for (let index = 0; index < point.exemplars.length; index += 2) {
    const start = point.exemplars[index]
    const bytes = point.bytes.subarray(start, point.exemplars[index + 1])
    const exemplar = wellFormed(() => readExemplar(naming, bytes, point))
    if (exemplar !== undefined) found.push(exemplar)
  }
  return found.sort(compareTimes)
}

/** Negative when the left one is older. */
export function compareTimes(
  left: { readonly timeLow: number; readonly timeHigh: number },
  right: { readonly timeLow: number; readonly timeHigh: number },
): number {
  return compareNanos(left.timeLow, left.timeHigh, right.timeLow, right.timeHigh)
}

function wellFormed<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    if (asRefusal(error) instanceof Refusal) return undefined
    throw error
  }
}

function readExemplar(
  naming: LabelNaming,
  bytes: Uint8Array,
  point: PointReader,
): PointExemplar | undefined {
  let value: number | undefined
  let { timeLow, timeHigh } = point
  let traceId = noBytes
  let spanId = noBytes
  scan.reset(bytes, 0, bytes.length)
  while (scan.next()) {
    const tag = tagOf(scan)
    if (tag === 0x11) {
      scan.readHalves()
      if (scan.low === 0 && scan.high === 0) continue
      timeLow = scan.low | 0
      timeHigh = scan.high | 0
    } else if (tag === 0x19) value = scan.double()
    else if (tag === 0x31) value = scan.int64Nearest()
    else if (tag === 0x22) spanId = scan.view().slice()
    else if (tag === 0x2a) traceId = scan.view().slice()
  }
  if (value === undefined) return undefined
  return { labels: exemplarLabels(naming, bytes, { traceId, spanId }), value, timeLow, timeHigh }
}

/**
 * Ids win over filtered attributes of the same name; when all together are too long, the attributes go. Field 7 of
 * Exemplar holds the filtered attributes.
 */
function exemplarLabels(
  naming: LabelNaming,
  exemplar: Uint8Array,
  ids: { readonly traceId: Uint8Array; readonly spanId: Uint8Array },
): Label[] {
  const fixed = new Map<string, string>()
  if (isId(ids.traceId, 16)) fixed.set('trace_id', Buffer.from(ids.traceId).toString('hex'))
  if (isId(ids.spanId, 8)) fixed.set('span_id', Buffer.from(ids.spanId).toString('hex'))
  const all = new Map<string, string>()
  for (const { name, value } of joinLabels(naming, readTextAttributes(exemplar, 7))) {
    all.set(name, value)
  }
  for (const [name, value] of fixed) all.set(name, value)
  const labels = sortedLabels(all)
  return codePointCount(labels) <= codePointsMax ? labels : sortedLabels(fixed)
}

function codePointCount(labels: readonly Label[]): number {
  let count = 0
  for (const { name, value } of labels) count += codePoints(name) + codePoints(value)
  return count
}

function codePoints(text: string): number {
  return Array.from(text).length
}

/** OTLP: an id of another length, or of zeroes alone, is none. */
function isId(id: Uint8Array, byteLength: number): boolean {
  return id.length === byteLength && id.some((byte) => byte !== 0)
}
