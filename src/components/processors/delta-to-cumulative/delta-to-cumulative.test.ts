import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest } from '../../../../test/kit/arbitraries.ts'
import {
  cumulative,
  delta,
  gauge,
  metricsBatch,
  point,
  sum,
} from '../../../../test/kit/metrics-request.ts'
import { decodeRequest, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { deltaToCumulative } from './index.ts'

function converter(settings: object = {}) {
  const host = testHost({ signals: ['metrics'] })
  const processor = deltaToCumulative.create(deltaToCumulative.config.parse(settings), host)
  const give = async (batch: Batch): Promise<Batch | undefined> => {
    const before = host.sink.batches.length
    await processor.consume(batch)
    return host.sink.batches[before]
  }
  /** The metrics that come of these. */
  const convert = async (metrics: readonly PlainMessage[]): Promise<PlainMessage[]> => {
    const batch = await give(metricsBatch(metrics, { resource: { 'service.name': 'shop' } }))
    return batch === undefined ? [] : metricsOf(batch)
  }
  const own = (name: string, labels = {}) =>
    host.meter.value(name, { processor: host.id, ...labels })
  return { host, processor, give, convert, own }
}

function metricsOf(batch: Batch): PlainMessage[] {
  const { resourceMetrics = [] } = decodeRequest('metrics', encodeBatch(batch)) as unknown as {
    resourceMetrics?: { scopeMetrics?: { metrics?: PlainMessage[] }[] }[]
  }
  return resourceMetrics.flatMap((group) =>
    (group.scopeMetrics ?? []).flatMap((scope) => scope.metrics ?? []),
  )
}

const during = (start: number, end: number) => ({
  startTimeUnixNano: BigInt(start),
  timeUnixNano: BigInt(end),
})
const hits = (start: number, end: number, value: bigint, more: PlainMessage = {}) =>
  sum('hits', [point({ a: 'x' }, { ...during(start, end), asInt: value, ...more })], {
    sum: delta,
  })

test('a histogram with more buckets than there is memory for is dropped, the others go on', async () => {
  const { host, convert } = converter()
  const histogram = (seconds: number, boundCount: number) => {
    const explicitBounds = Array.from({ length: boundCount }, (_, index) => index)
    const bucketCounts = [...explicitBounds, 0].map(() => 1n)
    const times = during(seconds, seconds + 1)
    const dataPoints = [{ ...times, count: BigInt(boundCount + 1), explicitBounds, bucketCounts }]
    return { name: 'h', histogram: { ...delta, dataPoints } }
  }
  await convert([histogram(1, 1)])
  host.memory.keptBytesMax = host.memory.keptBytes
  const after = await convert([histogram(2, 1000), hits(1, 2, 1n), histogram(3, 1)])
  const causes = host.drops.map(({ cause, itemCount }) => [cause, itemCount])
  assert.deepEqual(causes, [['memory_limit', 2]])
  const { dataPoints } = after.at(-1)!.histogram as { dataPoints: PlainMessage[] }
  assert.equal(dataPoints[0].count, 4n)
})

test('a delta sum becomes a cumulative one, all else of it stays', async () => {
  const { convert } = converter()
  const exemplars = [{ timeUnixNano: 5n, asInt: 1n, spanId: 'hex:0101010101010101' }]
  const text = { unit: 'By', description: 'Hits.' }
  await convert([{ ...hits(10, 20, 2n ** 53n), ...text }])
  const [found] = await convert([{ ...hits(20, 30, 1n, { exemplars, flags: 2 }), ...text }])
  assert.deepEqual(found, {
    name: 'hits',
    unit: 'By',
    description: 'Hits.',
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        {
          attributes: [{ key: 'a', value: { stringValue: 'x' } }],
          startTimeUnixNano: 10n,
          timeUnixNano: 30n,
          asInt: 2n ** 53n + 1n,
          exemplars,
          flags: 2,
        },
      ],
    },
  })
})

test('doubles too, and what mixes both', async () => {
  const { convert } = converter()
  const value = async (end: number, fields: PlainMessage) => {
    const points = [point({}, { ...during(end - 10, end), ...fields })]
    const [{ sum: found }] = await convert([sum('x', points, { sum: delta })])
    const [{ asInt, asDouble }] = (found as { dataPoints: PlainMessage[] }).dataPoints
    return asInt ?? asDouble
  }
  assert.equal(await value(20, { asInt: 2n }), 2n)
  assert.equal(await value(30, { asDouble: 0.5 }), 2.5)
  assert.equal(await value(40, { asInt: 1n }), 3.5)
})

test('histograms add up, without min and max', async () => {
  const { convert } = converter()
  const lag = (end: number, count: bigint) => ({
    name: 'lag',
    histogram: {
      ...delta,
      dataPoints: [
        {
          ...during(end - 10, end),
          count: count + 1n,
          sum: 1.5,
          min: 1,
          max: 2,
          explicitBounds: [1],
          bucketCounts: [count, 1n],
        },
      ],
    },
  })
  await convert([lag(20, 2n ** 53n)])
  const [found] = await convert([lag(30, 1n)])
  assert.deepEqual(found.histogram, {
    aggregationTemporality: 2,
    dataPoints: [
      {
        ...during(10, 30),
        count: 2n ** 53n + 3n,
        sum: 3,
        explicitBounds: [1],
        bucketCounts: [2n ** 53n + 1n, 2n],
      },
    ],
  })
})

test('exponential histograms add up, also of scales that Prometheus does not know', async () => {
  const { convert } = converter()
  for (const scale of [1, -7]) {
    const name = `wait${scale}`
    const wait = (end: number) => ({
      name,
      exponentialHistogram: {
        ...delta,
        dataPoints: [
          {
            ...during(end - 10, end),
            count: 4n,
            sum: 1.5,
            scale,
            zeroCount: 1n,
            zeroThreshold: 0.25,
            positive: { offset: 2, bucketCounts: [1n, 0n, 1n] },
            negative: { bucketCounts: [1n] },
          },
        ],
      },
    })
    await convert([wait(20)])
    const [found] = await convert([wait(30)])
    const [{ positive, negative, ...rest }] = (
      found.exponentialHistogram as { dataPoints: PlainMessage[] }
    ).dataPoints
    const whole = { count: 8n, sum: 3, zeroCount: 2n, zeroThreshold: 0.25 }
    assert.deepEqual(rest, { ...during(10, 30), ...whole, scale })
    assert.deepEqual(positive, { offset: 2, bucketCounts: [2n, 0n, 2n] })
    assert.deepEqual(negative, { bucketCounts: [2n] })
  }
})

test('what is not delta passes as it came', async () => {
  const { give } = converter()
  const points = [point({}, { ...during(1, 2), asInt: 1n })]
  const histogram = { name: 'h', histogram: { ...cumulative, dataPoints: [during(1, 2)] } }
  const batch = metricsBatch([gauge('g', points), sum('c', points), histogram])
  assert.equal(await give(batch), batch)
  const mixed = metricsBatch([gauge('g', points), hits(1, 2, 1n), sum('c', points)])
  const metrics = metricsOf((await give(mixed))!)
  assert.deepEqual(
    metrics.map(({ name }) => name),
    ['g', 'hits', 'c'],
  )
  const types = metrics
    .slice(1)
    .map((metric) => (metric.sum as PlainMessage).aggregationTemporality)
  assert.deepEqual(types, [2, 2])
})

test('points that cannot be added are dropped by cause, and what is empty by it goes', async () => {
  const { give, convert, host, own } = converter({ max_streams: 1 })
  await convert([hits(10, 20, 1n)])
  const late = metricsBatch([hits(10, 20, 1n), gauge('g', [point({}, { asInt: 1n })])], {
    resource: { 'service.name': 'shop' },
  })
  const rest = await give(late)
  assert.deepEqual(
    metricsOf(rest!).map(({ name }) => name),
    ['g'],
  )
  assert.equal(rest!.itemCount, 1)
  assert.deepEqual(await convert([hits(5, 30, 1n)]), [])
  assert.deepEqual(await convert([sum('other', [point({}, during(1, 2))], { sum: delta })]), [])
  const other = sum('other', [point({}, { ...during(1, 2), asInt: 1n })], { sum: delta })
  assert.deepEqual(await convert([other]), [])
  const causes = ['out_of_order', 'older_start', 'no_value', 'stream_limit']
  assert.deepEqual(
    host.drops.map(({ itemCount, cause }) => [itemCount, cause]),
    causes.map((cause) => [1, cause]),
  )
  for (const error of ['', ...causes]) {
    assert.equal(own('otelcol_deltatocumulative_datapoints', { error }), 1, error)
  }
  assert.equal(own('otelcol_deltatocumulative_streams_tracked'), 1)
  assert.equal(own('otelcol_deltatocumulative_streams_limit'), 1)
  assert.equal(own('otelcol_deltatocumulative_streams_max_stale'), 300)
})

test('the same attributes in another order are one stream, another resource is another', async () => {
  const { convert, give } = converter()
  const one = (attributes: Record<string, string>, end: number) =>
    sum('x', [point(attributes, { ...during(end - 10, end), asInt: 1n })], { sum: delta })
  const value = (metric: PlainMessage) =>
    (metric.sum as { dataPoints: PlainMessage[] }).dataPoints[0].asInt
  await convert([one({ a: '1', b: '2' }, 20)])
  const [same] = await convert([one({ b: '2', a: '1' }, 30)])
  assert.equal(value(same), 2n)
  const other = await give(metricsBatch([one({ a: '1', b: '2' }, 40)], { resource: { x: 'y' } }))
  assert.equal(value(metricsOf(other!)[0]), 1n)
})

test('a point without a recorded value ends its stream and is passed on', async () => {
  const { convert, own } = converter()
  await convert([hits(10, 20, 1n)])
  const [ended] = await convert([hits(20, 30, 0n, { flags: 1 })])
  const { dataPoints, aggregationTemporality } = ended.sum as {
    dataPoints: PlainMessage[]
  } & PlainMessage
  assert.deepEqual([dataPoints[0].flags, aggregationTemporality], [1, 2])
  assert.equal(own('otelcol_deltatocumulative_streams_tracked'), 0)
  const [anew] = await convert([hits(30, 40, 4n)])
  assert.equal((anew.sum as { dataPoints: PlainMessage[] }).dataPoints[0].asInt, 4n)
})

test('what old instrumentation libraries hold outlives scopes that have lost their last point', async () => {
  const { give } = converter()
  // ResourceMetrics of field 1000 { metrics { gauge { one point } } } and scope_metrics { metrics { delta histogram } }.
  const library = [0xc2, 0x3e, 6, 0x12, 4, 0x2a, 2, 0x0a, 0]
  const emptyDelta = [0x12, 6, 0x12, 4, 0x4a, 2, 0x10, 1]
  const group = [...library, ...emptyDelta]
  const batch = indexRequest('metrics', Uint8Array.of(0x0a, group.length, ...group))
  assert.equal(batch.itemCount, 1)
  const converted = await give(batch)
  assert.equal(converted?.itemCount, 1)
  assert.deepEqual([...encodeBatch(converted)], [0x0a, library.length, ...library])
})

test('streams are forgotten after max_stale, also when nothing comes any more', async () => {
  const { host, processor, convert, own } = converter({ max_stale: '1m' })
  await processor.start?.()
  await convert([hits(10, 20, 1n)])
  await host.clock.advance(200_000)
  assert.equal(own('otelcol_deltatocumulative_streams_tracked'), 0)
  await processor.stop?.(AbortSignal.abort())
})

test('whatever arrives: no delta is left, everything else is as it was, and counts are right', async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryRequest('metrics'), async ({ bytes }) => {
      const { give, host } = converter()
      const batch = indexRequest('metrics', bytes)
      const converted = await give(batch)
      const found = converted === undefined ? [] : metricsOf(converted)
      const isDelta = (metric: PlainMessage) =>
        [metric.sum, metric.histogram, metric.exponentialHistogram].some(
          (data) => (data as PlainMessage | undefined)?.aggregationTemporality === 1,
        )
      const hasPoints = (metric: PlainMessage) => JSON.stringify(metric, big).includes('dataPoints')
      assert.deepEqual(
        found.filter((metric) => isDelta(metric) && hasPoints(metric)),
        [],
      )
      const before = metricsOf(batch).filter((metric) => !isDelta(metric))
      const names = new Set(before.map((metric) => JSON.stringify(metric, big)))
      const kept = new Set(found.map((metric) => JSON.stringify(metric, big)))
      if (converted !== undefined) for (const name of names) assert.ok(kept.has(name), name)
      const dropped = host.drops.reduce((sum_, drop) => sum_ + drop.itemCount, 0)
      assert.equal((converted?.itemCount ?? 0) + dropped, batch.itemCount)
      if (converted !== undefined) {
        const again = indexRequest('metrics', encodeBatch(converted))
        assert.equal(again.itemCount, converted.itemCount)
      }
    }),
    { numRuns: 200 },
  )
})

function big(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value
}
