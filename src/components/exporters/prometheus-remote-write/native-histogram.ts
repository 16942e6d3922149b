import { zigzag } from '../../../kit/prometheus/count.ts'
import { CustomHistogram, customSchema } from '../../../kit/prometheus/custom-buckets.ts'
import {
  type Buckets,
  type Exponential,
  nativeBuckets,
  nativeCount,
} from '../../../kit/prometheus/exponential-reader.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'

const staleBits = 0x7ff0000000000002n
/** Where a point names no zero threshold: the specification's. */
const zeroThresholdDefault = 1e-128

const writer = new WireWriter(512)

/** Body of a Histogram message, the same in both versions but for the start time of 2.0 (0 for none). */
export function encodeHistogram(
  histogram: Exponential | CustomHistogram | 'stale',
  timeMs: number,
  startMs: number,
): Uint8Array {
  if (histogram === 'stale') {
    writer.uint(1, 0)
    writer.fixed64(3, staleBits)
    writer.uint(6, 0)
  } else if (histogram instanceof CustomHistogram) writeCustom(histogram)
  else writeValue(histogram)
  writer.uint(15, timeMs)
  if (startMs > 0) writer.uint(17, startMs)
  return writer.finish()
}

/** Its buckets are numbered from zero, and have neither a zero bucket nor a negative side. */
function writeCustom({ bounds, counts, count, sum }: CustomHistogram): void {
  writer.int64(1, BigInt(count))
  writer.double(3, sum ?? 0)
  writer.sint32(4, customSchema)
  writer.uint(6, 0)
  writeBuckets({ offset: -1, counts }, 11, 12)
  if (bounds.values.length > 0) writer.packedDoubles(16, [...bounds.values])
}

function writeValue(histogram: Exponential): void {
  const { scale, sum, zeroCount, zeroThreshold, positive, negative } = histogram
  writer.int64(1, BigInt(nativeCount(histogram)))
  writer.double(3, sum ?? 0)
  writer.sint32(4, scale)
  writer.double(5, zeroThreshold === 0 ? zeroThresholdDefault : zeroThreshold)
  writer.int64(6, BigInt(zeroCount))
  writeBuckets(negative, 8, 9)
  writeBuckets(positive, 11, 12)
}

function writeBuckets(buckets: Buckets, spanField: number, deltaField: number): void {
  const { spans, deltas } = nativeBuckets(buckets)
  if (spans.length === 0) return
  for (const { offset, length } of spans) {
    writer.message(spanField, () => {
      writer.sint32(1, offset)
      writer.uint(2, length)
    })
  }
  writer.packedVarints(deltaField, deltas.map(zigzag))
}
