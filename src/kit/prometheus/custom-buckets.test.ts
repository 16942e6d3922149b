import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeMessage, type PlainMessage } from '../../../test/kit/oracle.ts'
import { metricDataFields } from '../../otlp/fields.ts'
import { customHistogram } from './custom-buckets.ts'
import { nativeBuckets } from './exponential-reader.ts'
import { PointReader } from './point-reader.ts'
import { PointValue } from './point-value.ts'

function custom(fields: PlainMessage) {
  const bytes = encodeMessage('opentelemetry.proto.metrics.v1.HistogramDataPoint', fields)
  const point = new PointReader()
  point.read(metricDataFields.histogram, bytes, 0, bytes.length)
  const value = new PointValue()
  assert.equal(value.read(point, metricDataFields.histogram), undefined)
  return customHistogram(value)
}

test("buckets are numbered from zero: the specification's example", () => {
  const { counts, bounds, count } = custom({
    count: 37n,
    explicitBounds: [-2, -1, 0, 1, 2],
    bucketCounts: [10n, 0n, 0n, 20n, 5n, 2n],
  })
  assert.deepEqual([...bounds.values], [-2, -1, 0, 1, 2])
  assert.deepEqual(counts, [10, 0, 0, 20, 5, 2])
  assert.equal(count, 37)
  // The specification begins a new span behind two empty buckets; decoded they are the same.
  const { spans, deltas } = nativeBuckets({ offset: -1, counts })
  assert.deepEqual(spans, [{ offset: 0, length: 6 }])
  assert.deepEqual(deltas, [10, -10, 0, 20, -15, -3])
})

test('what no bound is above is the rest of the count', () => {
  const wide = 2n ** 53n + 1n
  const rows: readonly (readonly [rule: string, fields: PlainMessage, counts: unknown[]])[] = [
    ['no buckets: all of it', { count: 3n }, [3]],
    [
      'an infinite bound adds no bucket',
      { count: 6n, explicitBounds: [1, Infinity], bucketCounts: [1n, 2n, 3n] },
      [1, 5],
    ],
    ['a missing last count', { count: 6n, explicitBounds: [1], bucketCounts: [4n] }, [4, 2]],
    ['missing counts', { count: 6n, explicitBounds: [1] }, [0, 6]],
    [
      'a count that is too small',
      { count: 1n, explicitBounds: [1], bucketCounts: [4n, 5n] },
      [4, 0],
    ],
    ['every digit', { count: wide + 2n, explicitBounds: [1], bucketCounts: [wide, 2n] }, [wide, 2]],
  ]
  for (const [rule, fields, counts] of rows) assert.deepEqual(custom(fields).counts, counts, rule)
})
