import { FieldReader, wireType } from '../wire/field-reader.ts'
import { dataPointsField, isMetricData, nesting } from './fields.ts'
import type { Signal } from './signal.ts'

// One reader a level, made once: counting is the walk that every request pays for, and it calls nobody else's code.
const scopeReader = new FieldReader(new Uint8Array(0))
const metricReader = new FieldReader(new Uint8Array(0))
const dataReader = new FieldReader(new Uint8Array(0))

/** Items of the scope group that lies from `start` to `end`. Throws a WireError when its framing is broken. */
export function countScopeItems(
  signal: Signal,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  const isMetrics = signal === 'metrics'
  const fields = scopeReader
  fields.reset(bytes, start, end)
  let count = 0
  while (fields.next()) {
    if (fields.field !== nesting.members || fields.wireType !== wireType.bytes) continue
    count += isMetrics ? countPoints(bytes, fields.start, fields.end) : 1
  }
  return count
}

/**
 * Data points of the Metric that lies from `start` to `end`. Of several members of the oneof `data` the last on the
 * wire is the metric's, by protobuf's rule, and its pieces in a row are one message.
 */
export function countPoints(bytes: Uint8Array, start: number, end: number): number {
  const fields = metricReader
  fields.reset(bytes, start, end)
  let dataField = 0
  let count = 0
  while (fields.next()) {
    if (fields.wireType !== wireType.bytes || !isMetricData(fields.field)) continue
    if (fields.field !== dataField) {
      dataField = fields.field
      count = 0
    }
    count += countDataPoints(bytes, fields.start, fields.end)
  }
  return count
}

/** Data points of the Gauge, Sum or other `data` that lies from `start` to `end`. */
export function countDataPoints(bytes: Uint8Array, start: number, end: number): number {
  const fields = dataReader
  fields.reset(bytes, start, end)
  let count = 0
  while (fields.next()) {
    if (fields.field === dataPointsField && fields.wireType === wireType.bytes) count++
  }
  return count
}
