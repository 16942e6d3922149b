import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest, encodeShuffled } from '../../../../test/kit/arbitraries.ts'
import { at, during, exposed } from '../../../../test/kit/exposed-store.ts'
import { parseExposition } from '../../../../test/kit/exposition.ts'
import {
  cumulative,
  delta,
  gauge,
  metricsRequest,
  point,
  sum,
} from '../../../../test/kit/metrics-request.ts'
import { decodeRequest, type PlainMessage, requestType } from '../../../../test/kit/oracle.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { EscapingScheme } from '../../../kit/prometheus/escaping.ts'

const originally = (type: string) => [{ key: 'prometheus.type', value: { stringValue: type } }]
const shop = {
  'service.namespace': 'eu',
  'service.name': 'shop',
  'service.instance.id': 'a',
  'host.name': 'h1',
}

test('a gauge, a counter and an up-down counter as text', () => {
  const { take, text } = exposed()
  take(
    [
      gauge('room.temp', [point({ 'room.name': 'hall "1"\n' }, { ...at(1), asDouble: 21.5 })], {
        unit: 'Cel',
        description: 'How warm\\it is',
      }),
      sum('requests', [point({}, { ...at(1), asInt: 1234567n })], { metric: { unit: '1' } }),
      sum('queue', [point({}, { ...at(1), asInt: -2n })], { sum: { isMonotonic: false } }),
    ],
    { resource: shop, scope: { name: 'lib', version: '1.2' } },
  )
  const labels = 'instance="a",job="eu/shop",otel_scope_name="lib",otel_scope_version="1.2"'
  assert.equal(
    text(),
    `# HELP target_info Target metadata
# TYPE target_info gauge
target_info{host_name="h1",instance="a",job="eu/shop"} 1
# TYPE queue gauge
queue{${labels}} -2
# TYPE requests_total counter
requests_total{${labels}} 1.234567e+06
# HELP room_temp_celsius How warm\\\\it is
# TYPE room_temp_celsius gauge
room_temp_celsius{${labels},room_name="hall \\"1\\"\\n"} 21.5
`,
  )
})

test('a counter in OpenMetrics, with unit, exemplar, timestamp and creation', () => {
  const { take, openMetrics } = exposed({ enable_open_metrics: true, send_timestamps: true })
  const exemplar = (time: number, value: number) => ({
    ...at(time),
    asDouble: value,
    traceId: 'hex:0102030405060708090a0b0c0d0e0f10',
    spanId: 'hex:0102030405060708',
    filteredAttributes: [{ key: 'user.id', value: { stringValue: 'u7' } }],
  })
  take([
    sum(
      'sent',
      [
        point(
          { a: 'x' },
          {
            startTimeUnixNano: 1_700_000_000_123_456_789n,
            timeUnixNano: 1_700_000_001_500_000_000n,
            asDouble: 3,
            exemplars: [exemplar(1700000001, 5), exemplar(1700000000, 4)],
          },
        ),
      ],
      { metric: { unit: 'By', description: 'A "good" one' } },
    ),
  ])
  const ids = 'span_id="0102030405060708",trace_id="0102030405060708090a0b0c0d0e0f10"'
  assert.equal(
    openMetrics(),
    `# TYPE sent_bytes counter
# UNIT sent_bytes bytes
# HELP sent_bytes A \\"good\\" one
sent_bytes_total{a="x"} 3.0 1700000001.5 # {${ids},user_id="u7"} 5.0 1700000001
sent_bytes_created{a="x"} 1700000000.123456789 1700000001.5
# EOF
`,
  )
})

test('a classic histogram in both formats, each exemplar in its bucket', () => {
  const { take, text, openMetrics } = exposed({ enable_open_metrics: true })
  const traceId = '01'.repeat(16)
  const exemplar = (value: number) => ({ ...at(1), asDouble: value, traceId: `hex:${traceId}` })
  take([
    {
      name: 'latency',
      unit: 's',
      histogram: {
        ...cumulative,
        dataPoints: [
          point(
            { le: 'mine' },
            {
              ...during(1, 2),
              count: 1000001n,
              sum: 12.5,
              bucketCounts: [1n, 2n, 999998n],
              explicitBounds: [0.005, 1],
              exemplars: [exemplar(7), exemplar(1), exemplar(0.001)],
            },
          ),
        ],
      },
    },
  ])
  assert.equal(
    text(),
    `# TYPE latency_seconds histogram
latency_seconds_bucket{le="0.005"} 1
latency_seconds_bucket{le="1"} 3
latency_seconds_bucket{le="+Inf"} 1.000001e+06
latency_seconds_sum 12.5
latency_seconds_count 1.000001e+06
`,
  )
  assert.equal(
    openMetrics(),
    `# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
latency_seconds_bucket{le="0.005"} 1 # {trace_id="${traceId}"} 0.001 1
latency_seconds_bucket{le="1.0"} 3 # {trace_id="${traceId}"} 1.0 1
latency_seconds_bucket{le="+Inf"} 1000001 # {trace_id="${traceId}"} 7.0 1
latency_seconds_sum 12.5
latency_seconds_count 1000001
latency_seconds_created 1
# EOF
`,
  )
})

test('histograms without sum, without buckets, with infinite bounds, and impossible ones', () => {
  const { take, text, drops } = exposed()
  const histogram = (name: string, fields: PlainMessage) => ({
    name,
    histogram: { ...cumulative, dataPoints: [{ ...at(1), count: 3n, ...fields }] },
  })
  take([
    histogram('bare', {}),
    histogram('one', { sum: 1, bucketCounts: [3n] }),
    histogram('infinite', {
      bucketCounts: [0n, 1n, 2n, 0n],
      explicitBounds: [-Infinity, 0, Infinity],
    }),
    histogram('falling', { bucketCounts: [1n, 1n, 1n], explicitBounds: [2, 1] }),
    histogram('nan', { bucketCounts: [1n, 2n], explicitBounds: [NaN] }),
    histogram('overflowing', { bucketCounts: [2n ** 64n - 1n, 1n], explicitBounds: [1] }),
  ])
  assert.equal(
    text(),
    `# TYPE bare histogram
bare_bucket{le="+Inf"} 3
bare_count 3
# TYPE infinite histogram
infinite_bucket{le="-Inf"} 0
infinite_bucket{le="0"} 1
infinite_bucket{le="+Inf"} 3
infinite_count 3
# TYPE one histogram
one_bucket{le="+Inf"} 3
one_sum 1
one_count 3
`,
  )
  assert.deepEqual(drops(), { invalid_histogram: 3 })
})

test('a summary keeps its quantiles, NaN included', () => {
  const { take, text, openMetrics } = exposed()
  const quantileValues = [
    { quantile: 0.5, value: 2 },
    { quantile: 1, value: NaN },
  ]
  const fields = { ...at(1), count: 4n, sum: 8, quantileValues }
  take([{ name: 'rpc', summary: { dataPoints: [point({ quantile: 'x', a: 'b' }, fields)] } }])
  assert.equal(
    text(),
    `# TYPE rpc summary
rpc{a="b",quantile="0.5"} 2
rpc{a="b",quantile="1"} NaN
rpc_sum{a="b"} 8
rpc_count{a="b"} 4
`,
  )
  assert.match(openMetrics(), /^rpc\{a="b",quantile="1\.0"\} NaN$/m)
})

test('an exponential histogram is only its count and sum in text', () => {
  const { take, text, drops } = exposed()
  const exponential = (name: string, scale: number) => ({
    name,
    exponentialHistogram: {
      ...cumulative,
      dataPoints: [
        { ...at(1), count: 3n, sum: 0, scale, positive: { offset: -2, bucketCounts: [2n, 1n] } },
      ],
    },
  })
  take([exponential('e', 3), exponential('coarse', -5)])
  assert.equal(text(), `# TYPE e histogram\ne_bucket{le="+Inf"} 3\ne_sum 0\ne_count 3\n`)
  assert.deepEqual(drops(), { scale: 1 })
})

test('integers and counts beyond 2^53 keep every digit', () => {
  const { take, text } = exposed()
  take([
    gauge('big', [point({}, { ...at(1), asInt: 9007199254740993n })]),
    gauge('low', [point({}, { ...at(1), asInt: -9223372036854775808n })]),
    {
      name: 'h',
      histogram: {
        ...cumulative,
        dataPoints: [
          {
            ...at(1),
            count: 18014398509481987n,
            bucketCounts: [9007199254740993n, 9007199254740994n],
            explicitBounds: [1],
          },
        ],
      },
    },
  ])
  const page = text()
  assert.match(page, /^big 9007199254740993$/m)
  assert.match(page, /^low -9223372036854775808$/m)
  assert.match(page, /^h_bucket\{le="1"\} 9007199254740993$/m)
  assert.match(page, /^h_count 18014398509481987$/m)
})

test('the same attributes in another order are the same series', () => {
  const { take, text, store } = exposed()
  take([gauge('g', [point({ a: '1', b: '2' }, { ...at(1), asInt: 1n })])], { resource: shop })
  const turned = Object.fromEntries(Object.entries(shop).toReversed())
  take([gauge('g', [point({ b: '2', a: '1' }, { ...at(2), asInt: 2n })])], { resource: turned })
  assert.equal(store.seriesCount, 1)
  assert.match(text(), /^g\{a="1",b="2",instance="a",job="eu\/shop"\} 2$/m)
})

test('two sources of one series are reported by name, and the first keeps it until it expires', async () => {
  const { take, text, host, drops, store, own } = exposed({ metric_expiration: '1m' })
  take([gauge('a.b', [point({}, { ...at(1), asInt: 1n })])])
  take([gauge('a_b', [point({}, { ...at(2), asInt: 2n })])])
  take([gauge('a_b', [point({}, { ...at(3), asInt: 3n })])])
  assert.match(text(), /^a_b 1$/m)
  assert.equal(own('penstock_exporter_prometheus_collisions'), 2)
  assert.equal(own('otelcol_exporter_sent_metric_points'), 1)
  assert.equal(own('otelcol_exporter_send_failed_metric_points'), 2)
  assert.deepEqual(drops(), { series_collision: 1 })
  const [line, ...more] = host.lines
  assert.match(line.message, /"a\.b".*"a_b"/)
  assert.deepEqual(more, [], 'one line only')
  await host.clock.advance(60_001)
  take([gauge('a_b', [point({}, { ...at(4), asInt: 4n })])])
  assert.match(text(), /^a_b 4$/m)
  assert.equal(store.seriesCount, 1)
})

test('attributes that become the same label are a collision, not two turns of one series', () => {
  const { take, text, drops } = exposed()
  take([gauge('g', [point({ 'x.y': '1' }, { ...at(1), asInt: 1n })])])
  take([gauge('g', [point({ x_y: '1' }, { ...at(2), asInt: 2n })])])
  take([gauge('g', [point({ 'x.y': 1n }, { ...at(2), asInt: 3n })])])
  assert.match(text(), /^g\{x_y="1"\} 1$/m)
  assert.deepEqual(drops(), { series_collision: 1 })
})

test('a process that was started after the other ended takes its series over', () => {
  const { take, text, drops } = exposed()
  const run = (pid: string, start: number, end: number, value: number) =>
    take([sum('c', [point({}, { ...during(start, end), asDouble: value })])], {
      resource: { 'service.name': 's', 'process.pid': pid },
    })
  run('1', 10, 20, 5)
  run('2', 30, 40, 1)
  run('1', 10, 35, 6)
  assert.match(text(), /^c_total\{job="s"\} 1$/m)
  assert.deepEqual(drops(), { series_collision: 1 })
})

test('a start behind the time of the point is none', () => {
  const { take, openMetrics } = exposed()
  take([sum('c', [point({}, { ...during(3, 2), asInt: 1n })])])
  assert.doesNotMatch(openMetrics(), /_created/)
  take([sum('c', [point({}, { ...during(3, 3), asInt: 1n })])])
  assert.match(openMetrics(), /^c_created 3$/m)
})

test('an older point is ignored, the same time again replaces', () => {
  const { take, text, drops } = exposed()
  const set = (time: number, value: number) =>
    take([gauge('g', [point({}, { ...at(time), asDouble: value })])])
  set(2, 1)
  set(1, 2)
  assert.match(text(), /^g 1$/m)
  set(2, 3)
  assert.match(text(), /^g 3$/m)
  assert.deepEqual(drops(), { out_of_order: 1 })
})

test('a point without a recorded value deletes its series, and only that', () => {
  const { take, text } = exposed()
  take([gauge('g', [point({ a: '1' }, at(1)), point({ a: '2' }, at(1))].map(valued))])
  take([gauge('g', [point({ a: '1' }, { ...at(2), flags: 1 }), point({ a: '3' }, { flags: 1 })])])
  assert.equal(text(), '# TYPE g gauge\ng{a="2"} 7\n')

  function valued(message: PlainMessage): PlainMessage {
    return { ...message, asInt: 7n }
  }
})

test('what ends a series is in the order of time as its values are', () => {
  const { take, text, host, own } = exposed()
  const g = (fields: PlainMessage) => take([gauge('g', [point({}, fields)])])
  const add = (start: number, end: number, fields: PlainMessage) =>
    take([sum('d', [point({}, { ...during(start, end), ...fields })], { sum: delta })])
  g({ ...at(20), asInt: 2n })
  add(10, 20, { asInt: 3n })
  g({ ...at(10), flags: 1 })
  add(9, 10, { flags: 1 })
  assert.deepEqual(
    host.drops.map(({ cause, itemCount }) => [cause, itemCount]),
    [
      ['out_of_order', 1],
      ['out_of_order', 1],
    ],
  )
  assert.equal(own('otelcol_exporter_send_failed_metric_points'), 2)
  add(20, 30, { asInt: 4n })
  assert.equal(text(), '# TYPE d_total counter\nd_total 7\n# TYPE g gauge\ng 2\n')
  g({ ...at(20), flags: 1 })
  add(30, 40, { flags: 1 })
  assert.equal(text(), '')
  g({ ...at(20), asInt: 2n })
  g({ flags: 1 })
  assert.equal(text(), '', 'without a time it is of now')
})

test('series expire by the time of receipt, and their names are free again', async () => {
  const { take, text, host, store, own } = exposed({ metric_expiration: '10s' })
  take([gauge('g', [point({}, { ...at(1), asInt: 1n })])], { resource: shop })
  await host.clock.advance(6000)
  take([sum('s', [point({}, { ...at(1), asInt: 1n })])])
  await host.clock.advance(6000)
  assert.equal(text(), '# TYPE s_total counter\ns_total 1\n', 'even before anything is swept')
  for (let round = 0; round < 4; round++) store.sweep()
  assert.equal(store.seriesCount, 1)
  assert.equal(store.families.count, 1)
  assert.equal(store.targets.count, 0)
  assert.equal(own('penstock_exporter_prometheus_sources'), 3)
  assert.equal(own('penstock_exporter_prometheus_expired_series'), 1)
  take([sum('g', [point({}, { ...at(1), asInt: 2n })], { sum: { isMonotonic: false } })])
  assert.match(text(), /^g 2$/m)
})

test('beyond max_series new series are dropped and counted, known ones go on', () => {
  const { take, text, host, drops, own } = exposed({ max_series: 2 })
  const points = ['1', '2', '3', '4'].map((a) => point({ a }, { ...at(1), asInt: 1n }))
  take([gauge('g', points)])
  take([gauge('g', [point({ a: '1' }, { ...at(2), asInt: 9n })])])
  assert.equal(text(), '# TYPE g gauge\ng{a="1"} 9\ng{a="2"} 1\n')
  assert.deepEqual(drops(), { series_limit: 2 })
  assert.equal(own('penstock_exporter_prometheus_overflow_points'), 2)
  assert.equal(host.lines.length, 1)
})

test('every series of a histogram and of a summary counts towards max_series', () => {
  const { take, text, drops, own, store } = exposed({ max_series: 9, metric_expiration: '1m' })
  const histogram = (time: number, explicitBounds: readonly number[]) => {
    const bucketCounts = [...explicitBounds, 0].map(() => 1n)
    const fields = { ...at(time), count: 1n, sum: 1, explicitBounds, bucketCounts }
    return { name: 'h', histogram: { ...cumulative, dataPoints: [point({}, fields)] } }
  }
  const summary = (time: number, quantiles: readonly number[]) => {
    const quantileValues = quantiles.map((quantile) => ({ quantile, value: 1 }))
    return { name: 's', summary: { dataPoints: [{ ...at(time), count: 1n, quantileValues }] } }
  }
  const one = (time: number) => gauge('g', [point({}, { ...at(time), asInt: 1n })])
  take([histogram(1, [1, 2, 3, 4, 5, 6, 7])])
  assert.equal(store.seriesCount, 0, 'ten')
  take([histogram(2, [1, 2]), summary(2, [0.5, 0.5])])
  assert.equal(store.seriesCount, 8)
  take([histogram(3, [1, 2, 3, 4]), summary(3, [0.1, 0.2, 0.3])])
  assert.equal(store.seriesCount, 8)
  assert.equal(own('penstock_exporter_prometheus_overflow_points'), 3)
  take([histogram(4, [1]), summary(4, [0.1, 0.2, 0.3]), one(4)])
  assert.equal(store.seriesCount, 9)
  assert.deepEqual(drops(), { series_limit: 1 })
  assert.equal(own('penstock_exporter_prometheus_overflow_points'), 4)
  const samples = [...parseExposition(text(), 'text').values()].flatMap((family) => family.samples)
  assert.equal(samples.length, 9)
  take([histogram(5, [1, 2]), one(5)])
  take([{ name: 's', summary: { dataPoints: [{ ...at(6), flags: 1 }] } }])
  assert.equal(store.seriesCount, 4)
  take([one(7)])
  assert.equal(store.seriesCount, 5)
})

test('of many series that collide the first is named and the others are summed up', async () => {
  const { take, host, store } = exposed()
  const many = Array.from({ length: 500 }, (_, a) => point({ a }, { ...at(1), asInt: 1n }))
  take([gauge('a.b', many)])
  take([gauge('a_b', many)])
  assert.equal(host.lines.length, 1)
  await host.clock.advance(1000)
  assert.equal(host.lines.length, 2)
  assert.match(host.lines[1].message, /"a\.b".*keeps it.*"a_b".*498 more/)
  store.close()
  assert.equal(host.clock.timerCount, 0)
})

test('another type under a taken name is dropped; other help is ignored', () => {
  const { take, text, host, drops, own } = exposed()
  take([gauge('x', [point({}, { ...at(1), asInt: 1n })], { description: 'first' })])
  take([gauge('x', [point({ a: '1' }, { ...at(1), asInt: 2n })], { description: 'second' })], {
    scope: { name: 'other' },
  })
  take([{ name: 'x', summary: { dataPoints: [{ ...at(1) }, { ...at(1) }] } }])
  take([sum('h_count', [point({}, { ...at(1), asInt: 1n })], { sum: { isMonotonic: false } })])
  take([{ name: 'h', histogram: { ...cumulative, dataPoints: [{ ...at(1), count: 1n }] } }])
  assert.equal(
    text(),
    `# TYPE h_count gauge
h_count 1
# HELP x first
# TYPE x gauge
x 1
x{a="1",otel_scope_name="other"} 2
`,
  )
  const conflicts = 'penstock_exporter_prometheus_conflicts'
  assert.equal(own(conflicts, { kind: 'type' }), 2)
  assert.equal(own(conflicts, { kind: 'help' }), 1)
  assert.deepEqual(
    host.drops.map((drop) => [drop.cause, drop.itemCount]),
    [
      ['type_conflict', 2],
      ['type_conflict', 1],
    ],
  )
  assert.equal(drops()['type_conflict'], 1)
})

test('metrics without data, without temporality or without a name are dropped by cause', () => {
  const { take, text, host } = exposed()
  const one = [point({}, { ...at(1), asInt: 1n })]
  take([
    { name: 'nothing' },
    sum('unspecified', one, { sum: { aggregationTemporality: 0 } }),
    gauge('...', one),
    gauge('target.info', one),
    gauge('valueless', [point({}, at(1))]),
  ])
  assert.equal(text(), '')
  assert.deepEqual(Object.fromEntries(host.drops.map((drop) => [drop.cause, drop.itemCount])), {
    temporality_unspecified: 1,
    invalid_name: 1,
    reserved_name: 1,
    no_value: 1,
  })
})

test('delta sums add up by one rule, and what does not fit is counted', () => {
  const { take, openMetrics, host, own } = exposed()
  const add = (start: number, end: number, value: number) =>
    take([sum('d', [point({}, { ...during(start, end), asDouble: value })], { sum: delta })])
  add(10, 20, 1)
  add(20, 30, 2)
  add(35, 40, 4)
  add(39, 50, 8)
  add(5, 60, 16)
  add(45, 50, 32)
  assert.equal(openMetrics(), '# TYPE d counter\nd_total 15.0\nd_created 10\n# EOF\n')
  const deltas = 'penstock_exporter_prometheus_delta_points'
  const counts = ['aligned', 'gap', 'overlap'].map((start) => own(deltas, { start }))
  assert.deepEqual(counts, [1, 1, 1])
  assert.equal(own('penstock_exporter_prometheus_delta_streams'), 1)
  assert.deepEqual(
    host.drops.map((drop) => drop.cause),
    ['older_start', 'out_of_order'],
  )
})

test('what deltas add up to outlives the line on the page for max_stale, no longer', async () => {
  const { take, text, host, store, own } = exposed({
    metric_expiration: '1m',
    delta_to_cumulative: { max_stale: '3m' },
  })
  const add = (start: number, value: number) =>
    take([sum('d', [point({}, { ...during(start, start + 10), asInt: value })], { sum: delta })])
  const wait = async (ms: number) => {
    await host.clock.advance(ms)
    for (let sweep = 0; sweep < 100; sweep++) store.sweep()
  }
  add(10, 1)
  await wait(120_000)
  assert.equal(text(), '')
  add(20, 2)
  assert.match(text(), /^d_total 3$/m)
  await wait(180_001)
  assert.equal(own('penstock_exporter_prometheus_delta_streams'), 0)
  assert.equal(own('penstock_exporter_prometheus_expired_delta_streams'), 1)
  assert.equal(store.seriesCount, 0)
  add(30, 4)
  assert.match(text(), /^d_total 4$/m)
})

test('delta histograms add up by bucket, and begin anew with other bounds', () => {
  const { take, text } = exposed()
  const add = (end: number, fields: PlainMessage) =>
    take([
      { name: 'h', histogram: { ...delta, dataPoints: [{ ...during(end - 10, end), ...fields }] } },
    ])
  const carry = 4294967295n
  add(20, { count: carry, sum: 1.5, bucketCounts: [carry, 0n], explicitBounds: [1] })
  add(30, { count: 3n, sum: 2, bucketCounts: [2n, 1n], explicitBounds: [1] })
  assert.match(
    text(),
    /^h_bucket\{le="1"\} 4\.294967297e\+09\n.*\nh_sum 3\.5\nh_count 4\.294967298e\+09$/m,
  )
  add(40, { count: 5n, sum: 9, bucketCounts: [5n, 0n], explicitBounds: [2] })
  assert.match(text(), /^h_bucket\{le="2"\} 5\n.*\nh_sum 9\nh_count 5$/m)
})

test('resource attributes become labels as configured', () => {
  const labelsOf = (config: object) => {
    const { take, text } = exposed(config)
    take([gauge('g', [point({ host_name: 'point' }, { ...at(1), asInt: 1n })])], {
      resource: { ...shop, 'k8s.pod.name': 'p', 'k8s.pod.uid': 'u' },
    })
    return /^g\{(.*)\} 1$/m.exec(text())?.[1]
  }
  const target = 'instance="a",job="eu/shop"'
  assert.equal(labelsOf({}), `host_name="point",${target}`)
  assert.equal(
    labelsOf({ resource_constant_labels: { included: ['k8s.*'], excluded: ['*.uid'] } }),
    `host_name="point",${target},k8s_pod_name="p"`,
  )
  assert.equal(
    labelsOf({ resource_to_telemetry_conversion: { enabled: true } }),
    `host_name="point",${target},k8s_pod_name="p",k8s_pod_uid="u",` +
      'service_instance_id="a",service_name="shop",service_namespace="eu"',
  )
  const excluding = { enabled: true, exclude_service_attributes: true }
  assert.equal(
    labelsOf({ resource_to_telemetry_conversion: excluding }),
    `host_name="point",${target},k8s_pod_name="p",k8s_pod_uid="u"`,
  )
  assert.equal(
    labelsOf({ const_labels: { region: 'r', job: 'mine' } }),
    `host_name="point",${target},region="r"`,
  )
})

test('scope labels win over attributes, and can be left out', () => {
  const scope = {
    name: 'lib',
    version: '2',
    attributes: [
      { key: 'version', value: { stringValue: 'false' } },
      { key: 'short.name', value: { stringValue: 'x' } },
    ],
  }
  const labelsOf = (config: object) => {
    const { take, text } = exposed(config)
    const metric = gauge('g', [point({ otel_scope_name: 'mine' }, { ...at(1), asInt: 1n })])
    take([metric], { scope, schemaUrl: 'http://s' })
    return /^g\{(.*)\} 1$/m.exec(text())?.[1]
  }
  assert.equal(
    labelsOf({}),
    'otel_scope_name="lib",otel_scope_schema_url="http://s",otel_scope_short_name="x",' +
      'otel_scope_version="2"',
  )
  assert.equal(labelsOf({ without_scope_info: true }), 'otel_scope_name="mine"')
})

test('target_info is the newest of its target, and needs something to say', () => {
  const { take, text } = exposed({ namespace: 'ns' })
  const one = [gauge('g', [point({}, { ...at(1), asInt: 1n })])]
  take(one, { resource: { 'service.name': 'bare' } })
  take(one, { resource: { 'host.name': 'nobody' } })
  take([], { resource: { 'service.name': 'silent', x: 'y' } })
  take(one, { resource: { 'service.name': 's', v: '1' } })
  take(one, { resource: { 'service.name': 's', v: '2' } })
  const infos = text().match(/^ns_target_info.*$/gm)
  // The second resource's point collides with the first's, so nothing was taken of it.
  assert.deepEqual(infos, ['ns_target_info{job="s",v="1"} 1'])
})

test('the time of target_info does not go back', () => {
  const { take, text } = exposed({ send_timestamps: true })
  const see = (name: string, seconds: number, version: string) =>
    take([gauge(name, [point({}, { ...at(seconds), asInt: 1n })])], {
      resource: { 'service.name': 's', version },
    })
  const info = () => /^target_info.*$/m.exec(text())?.[0]
  see('a', 100, '1')
  see('b', 90, '1')
  assert.equal(info(), 'target_info{job="s",version="1"} 1 100000')
  see('c', 95, '2')
  assert.equal(info(), 'target_info{job="s",version="2"} 1 100000')
  see('d', 110, '2')
  assert.equal(info(), 'target_info{job="s",version="2"} 1 110000')
})

test('target_info keeps what identifies the resource when told to', () => {
  const { take, text } = exposed({ keep_identifying_resource_attributes: true })
  take([gauge('g', [point({}, { ...at(1), asInt: 1n })])], { resource: shop })
  assert.match(
    text(),
    /^target_info\{host_name="h1",instance="a",job="eu\/shop",service_instance_id="a",service_name="shop",service_namespace="eu"\} 1$/m,
  )
})

test('UTF-8 names are quoted, or escaped as the scraper asks', () => {
  const { take, text } = exposed({ translation_strategy: 'NoUTF8EscapingWithSuffixes' })
  take([
    sum('foo.bar', [point({ 'a.b': 'x"', c_d: 'y' }, { ...at(1), asInt: 1n })], {
      metric: { unit: 'By', description: 'h' },
    }),
  ])
  assert.equal(
    text('allow-utf-8'),
    `# HELP "foo.bar_bytes_total" h
# TYPE "foo.bar_bytes_total" counter
{"foo.bar_bytes_total","a.b"="x\\"",c_d="y"} 1
`,
  )
  assert.match(text('underscores'), /^foo_bar_bytes_total\{a_b="x\\"",c_d="y"\} 1$/m)
  assert.match(text('dots'), /^foo_dot_bar__bytes__total\{a_dot_b="x\\"",c__d="y"\} 1$/m)
  assert.match(text('values'), /^U__foo_2e_bar__bytes__total\{U__a_2e_b="x\\"",c_d="y"\} 1$/m)
})

test('names in exemplars are quoted or escaped as those of series are', () => {
  const { take, openMetrics } = exposed({
    enable_open_metrics: true,
    translation_strategy: 'NoUTF8EscapingWithSuffixes',
  })
  const exemplar = {
    ...at(1),
    asDouble: 1,
    filteredAttributes: [
      { key: 'a_b', value: { stringValue: 'x,"' } },
      { key: 'user.id', value: { stringValue: 'u7' } },
    ],
  }
  take([sum('sent', [{ ...point({}, { ...at(1), asInt: 3n }), exemplars: [exemplar] }])])
  const shown = (scheme: EscapingScheme) => / # \{(.*)\} 1\.0 1$/m.exec(openMetrics(scheme))?.[1]
  assert.equal(shown('allow-utf-8'), 'a_b="x,\\"","user.id"="u7"')
  assert.equal(shown('underscores'), 'a_b="x,\\"",user_id="u7"')
  assert.equal(shown('dots'), 'a__b="x,\\"",user_dot_id="u7"')
  assert.equal(shown('values'), 'U__user_2e_id="u7",a_b="x,\\""')
})

test('a counter that may not drop its _total in OpenMetrics is of unknown type', () => {
  const { take, openMetrics } = exposed()
  const one = [point({}, { ...during(1, 2), asInt: 1n })]
  take([gauge('x', one), sum('x', one)])
  assert.equal(openMetrics(), '# TYPE x gauge\nx 1.0\n# TYPE x_total unknown\nx_total 1.0\n# EOF\n')
})

test('a gauge that was of unknown type stays so', () => {
  const { take, text } = exposed()
  const metadata = originally('unknown')
  take([gauge('u', [point({}, { ...at(1), asInt: 1n })], { unit: '1', metadata })])
  assert.equal(text(), '# TYPE u untyped\nu 1\n')
})

test('infos and state sets are restored in OpenMetrics, and gauges elsewhere', () => {
  const { take, text, openMetrics } = exposed()
  const restore = (name: string, type: string, points: readonly PlainMessage[]) =>
    take([
      sum(name, points, {
        metric: { unit: 's', metadata: originally(type) },
        sum: { isMonotonic: false },
      }),
    ])
  const state = (name: string, of: string, value: bigint) =>
    point({ [name]: of }, { ...at(1), asInt: value })
  restore('a.seconds.info', 'info', [point({ version: '1' }, { ...at(1), asInt: 1n })])
  restore('mode.seconds', 'stateset', [
    state('mode_seconds', 'on', 1n),
    state('mode_seconds', 'off', 0n),
  ])
  // None of these keeps to what its type asks for.
  restore('b.seconds.info', 'info', [point({}, { ...at(1), asInt: 2n })])
  restore('c_seconds', 'info', [point({}, { ...at(1), asInt: 1n })])
  restore('d.seconds', 'stateset', [state('d_seconds', 'on', 2n)])
  restore('e.seconds', 'stateset', [state('other', 'on', 1n)])
  const types = (page: string) => page.match(/(?<=^# TYPE ).*$/gm)
  assert.deepEqual(types(openMetrics()), [
    'a_seconds info',
    'b_seconds_info gauge',
    'c_seconds gauge',
    'd_seconds gauge',
    'e_seconds gauge',
    'mode_seconds stateset',
  ])
  assert.match(openMetrics(), /^a_seconds_info\{version="1"\} 1\.0$/m)
  assert.match(openMetrics(), /^mode_seconds\{mode_seconds="off"\} 0\.0$/m)
  assert.deepEqual(new Set(types(text())?.map((line) => line.split(' ')[1])), new Set(['gauge']))
})

test('an info whose shorter name another family has keeps its own', () => {
  const { take, openMetrics } = exposed()
  const one = [point({}, { ...at(1), asInt: 1n })]
  const info = { metric: { metadata: originally('info') }, sum: { isMonotonic: false } }
  take([sum('x', one), sum('x.info', one, info), gauge('y', one), sum('y.info', one, info)])
  assert.match(openMetrics(), /^# TYPE x_info gauge\nx_info 1\.0$/m)
  assert.match(openMetrics(), /^# TYPE y_info gauge\ny_info 1\.0$/m)
})

test('exemplars are of at most 128 code points: else the ids alone', () => {
  const labelsFor = (length: number) => {
    const { take, openMetrics } = exposed({ enable_open_metrics: true })
    const exemplar = {
      asInt: 1n,
      traceId: 'hex:0102030405060708090a0b0c0d0e0f10',
      filteredAttributes: [{ key: 'k', value: { stringValue: '🙂'.repeat(length) } }],
    }
    take([sum('c', [point({}, { ...at(1), asInt: 1n, exemplars: [exemplar] })])])
    // It has no time: that of its point stands for it.
    return / # \{(.*)\} 1\.0 1$/m.exec(openMetrics())?.[1]
  }
  const ids = 'trace_id="0102030405060708090a0b0c0d0e0f10"'
  // trace_id and its value are 40, the label's name is one.
  assert.equal(labelsFor(87), `k="${'🙂'.repeat(87)}",${ids}`)
  assert.equal(labelsFor(88), ids)
})

test('ids of exemplars that are not as long as OTLP has them are left out', () => {
  const { take, openMetrics } = exposed({ enable_open_metrics: true })
  const exemplar = { asInt: 1n, traceId: 'hex:010203', spanId: `hex:${'08'.repeat(1000)}` }
  take([sum('c', [point({}, { ...at(1), asInt: 1n, exemplars: [exemplar] })])])
  assert.match(openMetrics(), / # \{\} 1\.0 1$/m)
})

test('whatever arrives, a strict reader takes the page in every format', () => {
  const { store: long, text: longText } = exposed({ max_series: 5000 })
  fc.assert(
    fc.property(arbitraryRequest('metrics'), ({ bytes }) => {
      const { store, text, openMetrics } = exposed({ enable_open_metrics: true })
      store.consume(indexRequest('metrics', bytes))
      long.consume(indexRequest('metrics', bytes))
      const families = parseExposition(text('allow-utf-8'), 'text')
      openMetrics()
      assert(families.size === 0 || allPoints(decodeRequest('metrics', bytes)).length > 0)
    }),
    { numRuns: 150 },
  )
  longText()
})

test('the page shows the newest point of every series, in whatever order and pieces they came', () => {
  const update = fc.record({
    metric: fc.constantFrom('one', 'two', 'three'),
    attributes: fc.subarray(['a', 'b', 'c'].flatMap((key) => [`${key}=1`, `${key}=2`])),
    time: fc.integer({ min: 1, max: 5 }),
    value: fc.double({ noNaN: true }),
    seed: fc.integer(),
  })
  fc.assert(
    fc.property(fc.array(update, { maxLength: 30 }), (updates) => {
      const { store, text } = exposed()
      const model = new Map<string, { time: number; value: number }>()
      for (const { metric, attributes: pairs, time, value, seed } of updates) {
        const labels = Object.fromEntries(pairs.map((pair) => pair.split('=')))
        const request = decodeRequest(
          'metrics',
          metricsRequest([gauge(metric, [point(labels, { ...at(time), asDouble: value })])]),
        )
        store.consume(
          indexRequest('metrics', encodeShuffled(requestType('metrics'), request, seed)),
        )
        const key = `${metric}${JSON.stringify(sorted(Object.entries(labels)))}`
        const known = model.get(key)
        if (known === undefined || known.time <= time) model.set(key, { time, value })
      }
      const shown = [...parseExposition(text(), 'text').values()].flatMap(({ samples }) => samples)
      assert.deepEqual(
        new Map(
          shown.map(({ name, labels, value }) => [
            `${name}${JSON.stringify(sorted([...labels]))}`,
            Number(value.replace('Inf', 'Infinity')) + 0,
          ]),
        ),
        new Map([...model].map(([key, { value }]) => [key, value + 0])),
      )
    }),
  )
})

test('a malformed point costs neither other points nor a line of the page', () => {
  const { store, text, drops, own } = exposed()
  const histogram = (name: string) => ({
    name,
    histogram: { ...cumulative, dataPoints: [point({ [name]: 'x' }, { ...at(1), count: 1n })] },
  })
  const good = metricsRequest([histogram('good')])
  // Its attributes, and with them its series, are in order; its count is a length that runs past the end.
  const bad = Buffer.from(metricsRequest([histogram('bad')]))
  const countAt = bad.indexOf(Buffer.from([0x21, 1, 0, 0, 0, 0, 0, 0, 0]))
  bad.set([0x22, 0x7f], countAt)
  store.consume(indexRequest('metrics', Buffer.concat([good, bad, good])))
  assert.deepEqual(drops(), { malformed: 1 })
  assert.equal(own('otelcol_exporter_sent_metric_points'), 2)
  assert.match(text(), /^good_count\{good="x"\} 1$/m)
  assert.doesNotMatch(text(), /bad/)
  assert.equal(store.seriesCount, 3)
  assert.throws(() => store.consume(indexRequest('metrics', bad)), Refusal)
  assert.deepEqual(drops(), { malformed: 1 })
})

test('bytes that are no metrics are refused, never worse', () => {
  const good = metricsRequest([gauge('g', [point({ a: 'b' }, { ...at(1), asInt: 1n })])])
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (index, byte) => {
      const bytes = good.slice()
      bytes[index] = byte
      const { store } = exposed()
      try {
        store.consume(indexRequest('metrics', bytes))
      } catch (error) {
        assert(error instanceof Refusal)
      }
    }),
  )
})

test('a recorded payload of the Collector shows every point with its value', () => {
  const path = new URL('../../../../bench/payloads/collector-m500.pb', import.meta.url)
  const bytes = readFileSync(path)
  const { store, text } = exposed()
  store.consume(indexRequest('metrics', bytes))
  const families = parseExposition(text(), 'text')
  families.delete('target_info')
  const shown = [...families.values()].flatMap(({ samples }) => samples)
  const expected = numberPoints(decodeRequest('metrics', bytes))
  assert.equal(shown.length, expected.length)
  assert.deepEqual(
    shown.map(({ value }) => Number(value)).sort(ascending),
    expected.sort(ascending),
  )
})

interface Decoded {
  readonly [name: string]: Decoded[] & Decoded
}

function allPoints(request: PlainMessage): PlainMessage[] {
  const decoded = request as unknown as Decoded
  return (decoded['resourceMetrics'] ?? []).flatMap((group: Decoded) =>
    (group['scopeMetrics'] ?? []).flatMap((scope: Decoded) =>
      (scope['metrics'] ?? []).flatMap((metric: Decoded) =>
        ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'].flatMap(
          (data) => (metric[data]?.['dataPoints'] ?? []) as unknown as PlainMessage[],
        ),
      ),
    ),
  )
}

function numberPoints(request: PlainMessage): number[] {
  return allPoints(request).map(({ asDouble, asInt }) => Number(asDouble ?? asInt))
}

function ascending(left: number, right: number): number {
  return left - right
}

function sorted(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return [...pairs].sort(([left], [right]) => (left < right ? -1 : 1))
}
