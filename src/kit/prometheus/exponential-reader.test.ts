import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeMessage, type PlainMessage } from '../../../test/kit/oracle.ts'
import {
  addExponential,
  type Buckets,
  coarser,
  type Exponential,
  isPlausible,
  limited,
  nativeBuckets,
  nativeCount,
  readExponential,
} from './exponential-reader.ts'

const none: Buckets = { offset: 0, counts: [] }

function histogram(fields: Partial<Exponential>): Exponential {
  const zero = { scale: 0, count: 0, sum: 0, zeroCount: 0, zeroThreshold: 0 }
  return { ...zero, positive: none, negative: none, ...fields }
}

/** Counts by Prometheus' bucket number, as a reader of spans and deltas decodes them. */
function decoded(buckets: Buckets): Map<number, number> {
  const { spans, deltas } = nativeBuckets(buckets)
  const counts = new Map<number, number>()
  let at = 0
  let index = 0
  let count = 0
  for (const { offset, length } of spans) {
    at += offset
    for (let step = 0; step < length; step++) {
      count += Number(deltas[index++])
      if (count !== 0) counts.set(at, count)
      at++
    }
  }
  assert.equal(index, deltas.length)
  return counts
}

test("spans and deltas of the specification's example", () => {
  const { spans, deltas } = nativeBuckets({ offset: 3, counts: [10, 0, 0, 20, 5, 2] })
  assert.deepEqual(spans, [{ offset: 4, length: 6 }])
  assert.deepEqual(deltas, [10, -10, 0, 20, -15, -3])
  const long = nativeBuckets({ offset: -2, counts: [1, 0, 0, 0, 3] })
  assert.deepEqual(long, {
    spans: [
      { offset: -1, length: 1 },
      { offset: 3, length: 1 },
    ],
    deltas: [1, 2],
  })
  assert.deepEqual(nativeBuckets({ offset: 5, counts: [0, 0] }), { spans: [], deltas: [] })
})

test('upstream misplaces these when it makes buckets coarser', () => {
  const after = (offset: number, counts: number[]) =>
    decoded(coarser(histogram({ scale: 9, positive: { offset, counts } }), 1).positive)
  assert.deepEqual(after(0, [0, 0, 1, 1]), new Map([[2, 2]]))
  assert.deepEqual(after(-3, [0, 1, 0]), new Map([[0, 1]]))
  assert.deepEqual(
    after(1, [4, 3]),
    new Map([
      [1, 4],
      [2, 3],
    ]),
  )
})

const buckets = fc.record({
  offset: fc.integer({ min: -40, max: 40 }),
  counts: fc.array(fc.nat(5), { maxLength: 30 }),
})

test('every count lands in the bucket that holds its range, at every coarseness', () => {
  fc.assert(
    fc.property(buckets, fc.integer({ min: 0, max: 5 }), (positive, shift) => {
      const expected = new Map<number, number>()
      for (const [index, count] of positive.counts.entries()) {
        // Upper bound base^(i+1) at the finer scale; its bucket at the coarser one is the ceiling of the exponent.
        const bucket = Math.ceil((positive.offset + index + 1) / 2 ** shift)
        if (count > 0) expected.set(bucket, (expected.get(bucket) ?? 0) + count)
      }
      assert.deepEqual(decoded(coarser(histogram({ positive }), shift).positive), expected)
    }),
  )
})

test('a sum holds the counts of both, at the coarser scale', () => {
  const sides = fc.record({
    scale: fc.integer({ min: -2, max: 3 }),
    positive: buckets,
    negative: buckets,
    zeroCount: fc.nat(9),
  })
  fc.assert(
    fc.property(sides, sides, (left, right) => {
      const sum = addExponential(histogram(left), histogram(right))
      assert.equal(sum.scale, Math.min(left.scale, right.scale))
      assert.equal(sum.zeroCount, left.zeroCount + right.zeroCount)
      for (const side of ['positive', 'negative'] as const) {
        const parts = [left, right].map((one) =>
          decoded(coarser(histogram(one), one.scale - sum.scale)[side]),
        )
        const expected = new Map(parts[0])
        for (const [at, count] of parts[1]) expected.set(at, (expected.get(at) ?? 0) + count)
        assert.deepEqual(decoded(sum[side]), new Map([...expected].sort(([a], [b]) => a - b)))
      }
    }),
  )
})

test('a wider zero zone swallows the buckets it reaches', () => {
  const narrow = histogram({
    positive: { offset: 0, counts: [1, 2, 4] },
    negative: { offset: 0, counts: [8] },
  })
  const wide = histogram({ zeroThreshold: 3, zeroCount: 16 })
  const sum = addExponential(narrow, wide)
  // (1,2] lies within 3, (2,4] straddles it and widens the zone to 4; so does nothing else.
  assert.equal(sum.zeroThreshold, 4)
  assert.equal(sum.zeroCount, 16 + 1 + 2 + 8)
  assert.deepEqual(decoded(sum.positive), new Map([[3, 4]]))
  assert.deepEqual(decoded(sum.negative), new Map())
})

test('a sum whose sides lie far apart becomes coarser instead of long', () => {
  const at = (offset: number) => histogram({ scale: 8, positive: { offset, counts: [1] } })
  const sum = addExponential(at(-20_000), at(20_000))
  assert(sum.positive.counts.length <= 160)
  assert.equal(
    sum.positive.counts.reduce((one, other) => Number(one) + Number(other)),
    2,
  )
})

test('counts beyond 2^53 keep every digit, read, made coarser, added and as deltas', () => {
  const wide = 2n ** 53n + 1n
  const largest = 2n ** 64n - 1n
  const read = (fields: PlainMessage) => {
    const type = 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint'
    const bytes = encodeMessage(type, fields)
    return readExponential(bytes, 0, bytes.length)
  }
  const one = read({
    count: largest,
    scale: 1,
    zeroCount: wide,
    positive: { offset: 0, bucketCounts: [wide, 2n ** 53n - 1n, 1n, largest, 2n ** 49n] },
  })
  assert.deepEqual([one.count, one.zeroCount], [largest, wide])
  assert.deepEqual(one.positive.counts, [wide, Number(2n ** 53n - 1n), 1, largest, 2 ** 49])
  assert.deepEqual(nativeBuckets(one.positive).deltas, [
    wide,
    -2,
    -Number(2n ** 53n - 2n),
    largest - 1n,
    2n ** 49n - largest,
  ])
  const small = read({ count: 2n, scale: 0, positive: { offset: 0, bucketCounts: [1n, 1n] } })
  const both = addExponential({ ...one, positive: { offset: 0, counts: [wide, 1] } }, small)
  assert.deepEqual(both.positive.counts, [wide + 2n, 1])
  assert.equal(nativeCount(both), wide + wide + 3n)
})

test('the count is what buckets hold, but for observations that are not numbers', () => {
  const positive = { offset: 0, counts: [1, 2] }
  assert.equal(nativeCount(histogram({ count: 9, zeroCount: 3, positive })), 6)
  assert.equal(nativeCount(histogram({ count: 9, zeroCount: 3, positive, sum: NaN })), 9)
  assert.equal(nativeCount(histogram({ count: 1, positive, sum: NaN })), 3)
})

test('a point is read as protobufjs wrote it', () => {
  const bytes = encodeMessage('opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint', {
    count: 1234567890123n,
    sum: -0.5,
    scale: -3,
    zeroCount: 7n,
    positive: { offset: -300, bucketCounts: [0n, 128n, 1n, 0n] },
    negative: { offset: 2, bucketCounts: [3n] },
    zeroThreshold: 0.25,
  })
  assert.deepEqual(readExponential(bytes, 0, bytes.length), {
    scale: -3,
    count: 1234567890123,
    sum: -0.5,
    zeroCount: 7,
    zeroThreshold: 0.25,
    positive: { offset: -299, counts: [128, 1] },
    negative: { offset: 2, counts: [3] },
  })
})

test('what no double can be sorted into is not plausible, nor a zero zone that is none', () => {
  const within = (scale: number, offset: number, more: Partial<Exponential> = {}) =>
    isPlausible(histogram({ scale, positive: { offset, counts: [1] }, ...more }))
  // The largest double is just below 2^1024, the smallest 2^-1074; bucket i holds what is above 2^(i/2) at scale 1.
  assert.ok(within(1, 2047))
  assert.ok(within(1, -2149))
  assert.ok(!within(1, 2050))
  assert.ok(!within(1, -2155))
  assert.ok(within(-10, 0))
  assert.ok(!within(33, 0))
  assert.ok(within(0, 0, { zeroThreshold: 1e-10 }))
  for (const zeroThreshold of [NaN, Infinity, -1]) assert.ok(!within(0, 0, { zeroThreshold }))
  // Prometheus adds counts up in 64 bits.
  assert.ok(within(0, 0, { zeroCount: 2n ** 64n - 2n }))
  assert.ok(!within(0, 0, { zeroCount: 2n ** 64n - 1n }))
})

test('limited to as many buckets as a sum may have, at the finest scale that does', () => {
  const wide = histogram({ scale: 4, positive: { offset: 0, counts: Array(400).fill(1) } })
  const { scale, positive } = limited(wide)
  assert.deepEqual([scale, positive.offset, positive.counts.length], [2, 0, 100])
  assert.deepEqual(new Set(positive.counts), new Set([4]))
  assert.equal(limited(histogram({ positive: { offset: 0, counts: Array(160).fill(1) } })).scale, 0)
})
