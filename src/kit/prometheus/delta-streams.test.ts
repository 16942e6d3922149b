import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { encodeMessage, type PlainMessage } from '../../../test/kit/oracle.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { metricDataFields } from '../../otlp/fields.ts'
import { deltaCounters, deltaDeclarations } from './delta-metrics.ts'
import { type DeltaLimits, type DeltaOwner, DeltaStreams } from './delta-streams.ts'
import { PointReader } from './point-reader.ts'
import { PointValue } from './point-value.ts'

const messages = {
  sum: 'NumberDataPoint',
  histogram: 'HistogramDataPoint',
  exponentialHistogram: 'ExponentialHistogramDataPoint',
} as const

/** Streams to give points to, and what of each point they made. */
function streams(limits: Partial<DeltaLimits> = {}, hasRoomFor = (_moreBytes: number) => true) {
  const host = testHost({ signals: ['metrics'] })
  const counters = deltaCounters(host, { prefix: 'x', owner: 'exporter' }, () => deltas.count)
  const all = { max_stale: 300_000, max_streams: 100, ...limits }
  const deltas = new DeltaStreams(all, counters, host.log, hasRoomFor)
  const value = new PointValue()
  const give = (
    type: keyof typeof messages,
    owner: DeltaOwner,
    fields: PlainMessage,
    nowMs = 0,
  ): { cause: string | undefined; point: PointReader; value: PointValue } => {
    const bytes = encodeMessage(`opentelemetry.proto.metrics.v1.${messages[type]}`, fields)
    const point = new PointReader()
    const dataField = metricDataFields[type]
    point.read(dataField, bytes, 0, bytes.length)
    const cause =
      value.read(point, dataField) ?? deltas.take(owner, point, { value, dataField, nowMs })
    return { cause, point, value }
  }
  const counted = (start: string) => host.meter.value('x_delta_points', { exporter: 'test', start })
  return { deltas, give, host, counted }
}

const owner = (): DeltaOwner => ({ delta: undefined })
const from = (start: number, end: number) => ({
  startTimeUnixNano: BigInt(start),
  timeUnixNano: BigInt(end),
})

/** The first point is from 10 to 20, its value 1. */
const rows: readonly (readonly [
  rule: string,
  start: number,
  end: number,
  cause: string | undefined,
  counted: string | undefined,
])[] = [
  ['a start at the last end is aligned', 20, 30, undefined, 'aligned'],
  ['an unknown start counts as aligned', 0, 30, undefined, 'aligned'],
  ['a later start leaves a gap: a process that was started again', 25, 30, undefined, 'gap'],
  ['an earlier start overlaps', 15, 30, undefined, 'overlap'],
  ['the same start as the stream overlaps', 10, 30, undefined, 'overlap'],
  ['the same point again is in the total', 10, 20, 'out_of_order', undefined],
  ['another one of the same time too', 19, 20, 'out_of_order', undefined],
  ['an earlier time is out of order', 10, 19, 'out_of_order', undefined],
  ['a start before the stream is older', 9, 30, 'older_start', undefined],
]

test('each point is added or dropped by the rule that its row names', () => {
  for (const [rule, start, end, cause, count] of rows) {
    const { give, counted } = streams()
    const series = owner()
    give('sum', series, { ...from(10, 20), asInt: 1n })
    const second = give('sum', series, { ...from(start, end), asInt: 2n })
    assert.equal(second.cause, cause, rule)
    for (const name of ['aligned', 'gap', 'overlap', 'restart']) {
      assert.equal(counted(name), name === count ? 1 : 0, `${rule}: ${name}`)
    }
    const third = give('sum', series, { ...from(100, 110), asInt: 4n })
    assert.equal(third.point.value, cause === undefined ? 7 : 5, rule)
    assert.deepEqual([third.point.startLow, third.point.timeLow], [10, 110], rule)
  }
})

test('where there is no memory no total becomes larger: such points are dropped, and have changed nothing', () => {
  let bytesMax = Infinity
  const { deltas, give } = streams({}, (moreBytes) => moreBytes <= bytesMax)
  const wide = (offset: number, count: number) => ({
    positive: { offset, bucketCounts: Array.from({ length: count }, () => 1n) },
  })
  const bounds = (count: number) => ({
    explicitBounds: Array.from({ length: count }, (_, index) => index),
    bucketCounts: Array.from({ length: count + 1 }, () => 1n),
  })
  const cases = [
    { type: 'exponentialHistogram', small: wide(0, 10), large: wide(100, 10) },
    { type: 'histogram', small: bounds(10), large: bounds(20) },
  ] as const
  for (const { type, small, large } of cases) {
    bytesMax = Infinity
    const series = owner()
    give(type, series, { ...from(0, 1), ...small })
    const { keptBytes } = deltas
    bytesMax = 0
    assert.equal(give(type, series, { ...from(1, 2), ...large }).cause, 'memory_limit')
    const other = owner()
    assert.equal(give(type, other, { ...from(0, 1), ...small }).cause, 'memory_limit')
    assert.deepEqual([deltas.keptBytes, other.delta], [keptBytes, undefined])
    // The dropped one may come again.
    assert.equal(give(type, series, { ...from(1, 2), ...small }).cause, undefined)
    assert.equal(deltas.keptBytes, keptBytes)
    bytesMax = 3000
    assert.equal(give(type, series, { ...from(2, 3), ...large }).cause, undefined)
    assert(deltas.keptBytes > keptBytes)
  }
  bytesMax = 0
  assert.equal(give('sum', owner(), { ...from(0, 1), asInt: 1n }).cause, undefined)
})

test('integers keep every digit, and one double makes the total a double', () => {
  const { give } = streams()
  const series = owner()
  const big = 2n ** 53n
  give('sum', series, { ...from(0, 1), asInt: big })
  const { point } = give('sum', series, { ...from(1, 2), asInt: 1n })
  assert.equal(integer(point), big + 1n)
  const mixed = give('sum', series, { ...from(2, 3), asDouble: 0.5 }).point
  assert.deepEqual([mixed.isInteger, mixed.value], [false, Number(big + 1n) + 0.5])
  give('sum', series, { ...from(3, 4), asInt: -big })
  const after = give('sum', series, { ...from(4, 5), asInt: 1n }).point
  assert.deepEqual([after.isInteger, after.value], [false, 2.5])
})

test('integer totals are those of 64-bit arithmetic, and a double beyond', () => {
  const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  fc.assert(
    fc.property(fc.array(int64, { minLength: 1, maxLength: 8 }), (values) => {
      const { give } = streams()
      const series = owner()
      let exact = 0n
      let fits = true
      for (const [index, value] of values.entries()) {
        exact += value
        fits &&= BigInt.asIntN(64, exact) === exact
        const { point } = give('sum', series, { ...from(index, index + 1), asInt: value })
        if (fits) assert.equal(integer(point), exact)
        else
          assert.ok(
            Math.abs(point.value - Number(exact)) <= Math.abs(Number(exact)) / 2 ** 40 + 2 ** 14,
          )
        assert.equal(point.isInteger, fits)
      }
    }),
  )
})

test('histograms add up bucket by bucket, every digit kept, and begin anew with other bounds', () => {
  const { give, counted } = streams()
  const series = owner()
  const wide = 2n ** 53n
  const fields = { count: wide, sum: 1, bucketCounts: [wide, 0n], explicitBounds: [1] }
  give('histogram', series, { ...from(10, 20), ...fields })
  const more = { count: 1n, sum: 2, bucketCounts: [1n, 0n], explicitBounds: [1] }
  const { value, point } = give('histogram', series, { ...from(20, 30), ...more })
  assert.deepEqual(bucketCounts(value), [wide + 1n, 0n])
  assert.equal(unsigned(value.histogram.countLow, value.histogram.countHigh), wide + 1n)
  assert.deepEqual([value.histogram.sum, point.startLow], [3, 10])
  const none = { count: 1n, bucketCounts: [1n, 0n], explicitBounds: [1] }
  assert.equal(
    give('histogram', series, { ...from(30, 40), ...none }).value.histogram.hasSum,
    false,
  )

  const other = { count: 5n, sum: 9, bucketCounts: [5n, 0n], explicitBounds: [2] }
  const anew = give('histogram', series, { ...from(40, 50), ...other })
  assert.deepEqual(bucketCounts(anew.value), [5n, 0n])
  assert.deepEqual([anew.value.histogram.sum, anew.point.startLow], [9, 40])
  assert.equal(counted('restart'), 1)
  const invalid = { count: 5n, bucketCounts: [5n, 0n, 0n], explicitBounds: [2, 1] }
  const refused = give('histogram', series, { ...from(50, 60), ...invalid })
  assert.equal(refused.cause, 'invalid_histogram')
  const next = give('histogram', series, { ...from(60, 70), ...other })
  assert.deepEqual(bucketCounts(next.value), [10n, 0n], 'what is invalid changes nothing')
})

test('exponential histograms add up', () => {
  const { give } = streams()
  const series = owner()
  const fields = { count: 3n, sum: 1, scale: 1, zeroCount: 1n }
  const positive = { offset: 2, bucketCounts: [1n, 1n] }
  give('exponentialHistogram', series, { ...from(1, 2), ...fields, positive })
  const { value } = give('exponentialHistogram', series, { ...from(2, 3), ...fields, positive })
  const total = value.exponential!
  assert.deepEqual([total.count, total.zeroCount, total.sum], [6, 2, 2])
  assert.deepEqual(total.positive, { offset: 2, counts: [2, 2] })
})

test('a stale stream begins anew, and is counted', () => {
  const { give, deltas, host } = streams({ max_stale: 1000 })
  const series = owner()
  give('sum', series, { ...from(10, 20), asInt: 1n }, 0)
  assert.equal(give('sum', series, { ...from(20, 30), asInt: 2n }, 1000).point.value, 3)
  const { point } = give('sum', series, { ...from(30, 40), asInt: 4n }, 2001)
  assert.deepEqual([point.value, point.startLow], [4, 30])
  assert.equal(deltas.count, 1)
  deltas.expire(series, 3001)
  assert.equal(deltas.count, 1)
  deltas.expire(series, 3002)
  assert.deepEqual([deltas.count, series.delta], [0, undefined])
  assert.equal(host.meter.value('x_expired_delta_streams', { exporter: 'test' }), 2)
})

test('beyond max_streams new streams are refused, known ones go on, one line says so', () => {
  const { give, deltas, host } = streams({ max_streams: 1 })
  const [first, second] = [owner(), owner()]
  give('sum', first, { ...from(1, 2), asInt: 1n })
  for (const end of [2, 3]) {
    assert.equal(give('sum', second, { ...from(1, end), asInt: 1n }).cause, 'stream_limit')
  }
  assert.equal(give('sum', first, { ...from(2, 3), asInt: 1n }).point.value, 2)
  assert.equal(host.lines.length, 1)
  deltas.forget(first)
  deltas.forget(first)
  assert.equal(deltas.count, 0)
  assert.equal(give('sum', second, { ...from(1, 2), asInt: 1n }).cause, undefined)
})

test('every metric of deltas is declared', () => {
  const { host } = streams()
  const declared = new Set(deltaDeclarations('x', 'exporter').map(({ name }) => name))
  for (const { name } of host.meter.asked) assert.ok(declared.has(name), name)
})

function integer({ intLow, intHigh, isInteger }: PointReader): bigint | undefined {
  return isInteger ? BigInt.asIntN(64, unsigned(intLow, intHigh)) : undefined
}

function unsigned(low: number, high: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

function bucketCounts({ histogram: { counts } }: PointValue): bigint[] {
  const view = new DataView(counts.bytes.buffer, counts.bytes.byteOffset + counts.start)
  return Array.from({ length: counts.byteLength / 8 }, (_, at) => view.getBigUint64(at * 8, true))
}
