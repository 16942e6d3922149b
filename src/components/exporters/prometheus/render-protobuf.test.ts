import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import protobuf from 'protobufjs'
import { arbitraryRequest } from '../../../../test/kit/arbitraries.ts'
import {
  cumulative,
  delta,
  gauge,
  metricsBatch,
  point,
  sum,
} from '../../../../test/kit/metrics-request.ts'
import { decodeMessage, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { negotiate } from './page-format.ts'
import { PieceBuffers } from './page-writer.ts'
import { renderProtobuf } from './render-protobuf.ts'
import { SeriesStore } from './series-store.ts'
import { labelRules, settings as schema } from './settings.ts'
import { strategyOf } from '../../../kit/prometheus/translation-rules.ts'

function exposed() {
  const settings = schema.parse({ endpoint: 'localhost:0' })
  const naming = { strategy: strategyOf(settings), namespace: '' }
  const rules = labelRules(settings)
  const limits = { expirationMs: 1000, seriesMax: 1000, deltas: settings.delta_to_cumulative }
  const options = { naming, rules, ...limits, keepsExemplars: true }
  const store = new SeriesStore(options, testHost({ signals: ['metrics'] }))
  const format = negotiate(
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
    true,
  )
  const families = (): PlainMessage[] => {
    const shown = { format, sendTimestamps: true, buffers: new PieceBuffers() }
    const page = Buffer.concat([...renderProtobuf(store, shown)])
    const reader = protobuf.Reader.create(page)
    const found: PlainMessage[] = []
    while (reader.pos < reader.len) {
      const length = reader.uint32()
      const bytes = page.subarray(reader.pos, reader.pos + length)
      found.push(decodeMessage('io.prometheus.client.MetricFamily', bytes))
      reader.skip(length)
    }
    return found
  }
  return { store, families }
}

const times = {
  startTimeUnixNano: 1_700_000_000_000_000_005n,
  timeUnixNano: 1_700_000_001_500_000_000n,
}
const start = { seconds: 1700000000n, nanos: 5 }
const stamp = { timestampMs: 1700000001500n }

test('every type as MetricFamily', () => {
  const traceId = '0a'.repeat(16)
  const { store, families } = exposed()
  const exemplar = {
    timeUnixNano: 1000000000n,
    asDouble: 0.5,
    traceId: `hex:${traceId}`,
  }
  store.consume(
    metricsBatch(
      [
        gauge('g', [point({ a: 'x"' }, { ...times, asDouble: 1 })]),
        sum('c', [{ ...times, asInt: 2n, exemplars: [exemplar] }], { metric: { unit: 'By' } }),
        {
          name: 'h',
          description: 'help',
          histogram: {
            ...cumulative,
            dataPoints: [
              { ...times, count: 3n, sum: 4, bucketCounts: [1n, 2n], explicitBounds: [1] },
            ],
          },
        },
        {
          name: 's',
          summary: {
            dataPoints: [
              { ...times, count: 3n, sum: 4, quantileValues: [{ quantile: 0.5, value: 2 }] },
            ],
          },
        },
      ],
      { resource: { 'service.name': 'shop', v: '1' } },
    ),
  )
  const job = { name: 'job', value: 'shop' }
  const shownExemplar = {
    label: [{ name: 'trace_id', value: traceId }],
    value: 0.5,
    timestamp: { seconds: 1n },
  }
  assert.deepEqual(families(), [
    {
      name: 'target_info',
      help: 'Target metadata',
      type: 1,
      metric: [{ label: [job, { name: 'v', value: '1' }], gauge: { value: 1 }, ...stamp }],
    },
    {
      name: 'c_bytes_total',
      type: 0,
      unit: 'bytes',
      metric: [
        {
          label: [job],
          counter: { value: 2, exemplar: shownExemplar, createdTimestamp: start },
          ...stamp,
        },
      ],
    },
    {
      name: 'g',
      type: 1,
      metric: [{ label: [{ name: 'a', value: 'x"' }, job], gauge: { value: 1 }, ...stamp }],
    },
    {
      name: 'h',
      help: 'help',
      type: 4,
      metric: [
        {
          label: [job],
          histogram: {
            sampleCount: 3n,
            sampleSum: 4,
            bucket: [
              { cumulativeCount: 1n, upperBound: 1 },
              { cumulativeCount: 3n, upperBound: Infinity },
            ],
            createdTimestamp: start,
          },
          ...stamp,
        },
      ],
    },
    {
      name: 's',
      type: 2,
      metric: [
        {
          label: [job],
          summary: {
            sampleCount: 3n,
            sampleSum: 4,
            quantile: [{ quantile: 0.5, value: 2 }],
            createdTimestamp: start,
          },
          ...stamp,
        },
      ],
    },
  ])
})

test('an exponential histogram is native: scale at most 8, spans, deltas and a count that fits', () => {
  const { store, families } = exposed()
  const fields: PlainMessage = {
    ...times,
    count: 99n,
    sum: 1.5,
    scale: 9,
    zeroCount: 2n,
    positive: { offset: 0, bucketCounts: [0n, 0n, 1n, 1n] },
    negative: { offset: -3, bucketCounts: [0n, 1n, 0n] },
    // One without a time has the point's.
    exemplars: [{ asDouble: 0.5 }, { timeUnixNano: 1_000_000_000n, asInt: 7n }],
  }
  store.consume(
    metricsBatch([{ name: 'e', exponentialHistogram: { ...cumulative, dataPoints: [fields] } }]),
  )
  assert.deepEqual(families(), [
    {
      name: 'e',
      type: 4,
      metric: [
        {
          histogram: {
            sampleCount: 5n,
            sampleSum: 1.5,
            schema: 8,
            zeroThreshold: 1e-128,
            zeroCount: 2n,
            negativeSpan: [{ offset: 0, length: 1 }],
            negativeDelta: [1n],
            positiveSpan: [{ offset: 2, length: 1 }],
            positiveDelta: [2n],
            createdTimestamp: start,
            exemplars: [
              { value: 7, timestamp: { seconds: 1n } },
              { value: 0.5, timestamp: { seconds: 1_700_000_001n, nanos: 500_000_000 } },
            ],
          },
          ...stamp,
        },
      ],
    },
  ])
})

test('a native histogram keeps its ten newest exemplars, each once', () => {
  const { store, families } = exposed()
  const add = (end: bigint, times: readonly bigint[]) => {
    const exemplars = times.map((time) => ({ timeUnixNano: time, asInt: time }))
    const dataPoints = [{ timeUnixNano: end, count: 0n, scale: 0, exemplars }]
    store.consume(
      metricsBatch([{ name: 'e', exponentialHistogram: { ...cumulative, dataPoints } }]),
    )
  }
  add(20n, [4n, 1n, 3n, 2n])
  add(30n, [4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n])
  add(40n, [])
  const [{ metric }] = families() as { metric: { histogram: { exemplars: PlainMessage[] } }[] }[]
  const values = metric[0].histogram.exemplars.map(({ value }) => value)
  assert.deepEqual(values, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
})

test('delta exponential histograms add up', () => {
  const { store, families } = exposed()
  const add = (end: bigint, scale: number) =>
    store.consume(
      metricsBatch([
        {
          name: 'e',
          exponentialHistogram: {
            ...delta,
            dataPoints: [
              {
                startTimeUnixNano: end - 1n,
                timeUnixNano: end,
                count: 2n,
                scale,
                positive: { offset: 2, bucketCounts: [1n, 1n] },
              },
            ],
          },
        },
      ]),
    )
  add(10n, 1)
  add(11n, 0)
  const [{ metric }] = families() as { metric: { histogram: PlainMessage }[] }[]
  // (2^1, 2^2] twice from the finer one; (4, 8] and (8, 16] from the coarser.
  const { schema: scale, positiveSpan, positiveDelta, sampleCount } = metric[0].histogram
  assert.equal(scale, 0)
  assert.equal(sampleCount, 4n)
  assert.deepEqual(positiveSpan, [{ offset: 2, length: 3 }])
  assert.deepEqual(positiveDelta, [2n, -1n, 0n])
})

test('whatever arrives, protobufjs reads the page', () => {
  fc.assert(
    fc.property(arbitraryRequest('metrics'), ({ bytes }) => {
      const { store, families } = exposed()
      store.consume(indexRequest('metrics', bytes))
      const names = families().map(({ name }) => name)
      assert.deepEqual(names, [...new Set(names)])
    }),
  )
})
