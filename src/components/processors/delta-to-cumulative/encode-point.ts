/** A data point with its value, start and time replaced; all other fields, those we do not know too, stay as they came. */
import { metricDataFields } from '../../../otlp/fields.ts'
import { addCounts, type Count } from '../../../kit/prometheus/count.ts'
import type { Buckets, Exponential } from '../../../kit/prometheus/exponential-reader.ts'
import type { HistogramReader } from '../../../kit/prometheus/histogram-reader.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import type { PointValue } from '../../../kit/prometheus/point-value.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'

/** Start, time and value of each type. Min and max are among them: those of a part say nothing of the whole. */
const replaced: Readonly<Record<number, ReadonlySet<number>>> = {
  [metricDataFields.sum]: new Set([2, 3, 4, 6]),
  [metricDataFields.histogram]: new Set([2, 3, 4, 5, 6, 11, 12]),
  [metricDataFields.exponentialHistogram]: new Set([2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14]),
}

const writer = new WireWriter(1024)
const fields = new FieldReader(new Uint8Array(0))

/** `point` and `value` are what the point has become; its bytes are still those that came. */
export function encodePoint(dataField: number, point: PointReader, value: PointValue): Uint8Array {
  fields.reset(point.bytes, point.start, point.end)
  const gone = replaced[dataField]
  while (fields.next()) {
    if (!gone.has(fields.field)) writer.raw(point.bytes.subarray(fields.fieldStart, fields.end))
  }
  const { startLow, startHigh, timeLow, timeHigh } = point
  if (startLow !== 0 || startHigh !== 0) writer.fixed64(2, unsigned(startLow, startHigh))
  if (timeLow !== 0 || timeHigh !== 0) writer.fixed64(3, unsigned(timeLow, timeHigh))
  if (dataField === metricDataFields.sum) {
    if (point.isInteger) writer.fixed64(6, unsigned(point.intLow, point.intHigh))
    else writer.double(4, point.value)
  } else if (dataField === metricDataFields.histogram) writeHistogram(value.histogram)
  else writeExponential(value.exponential!)
  return writer.finish()
}

function writeHistogram({ countLow, countHigh, hasSum, sum, counts }: HistogramReader): void {
  writer.fixed64(4, unsigned(countLow, countHigh))
  if (hasSum) writer.double(5, sum)
  if (counts.byteLength > 0) writer.bytes(6, counts.bytes.subarray(counts.start, counts.end))
}

function writeExponential(histogram: Exponential): void {
  const { count, sum, scale, zeroCount, positive, negative, zeroThreshold } = histogram
  writer.fixed64(4, BigInt(count))
  if (sum !== undefined) writer.double(5, sum)
  if (scale !== 0) writer.sint32(6, scale)
  if (zeroCount > 0) writer.fixed64(7, BigInt(zeroCount))
  writeBuckets(8, positive)
  writeBuckets(9, negative)
  if (zeroThreshold !== 0) writer.double(14, zeroThreshold)
}

function writeBuckets(field: number, { offset, counts }: Buckets): void {
  let total: Count = 0
  for (const count of counts) total = addCounts(total, count)
  if (total === 0) return
  writer.message(field, () => {
    if (offset !== 0) writer.sint32(1, offset)
    writer.packedVarints(2, counts.map(BigInt))
  })
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}
