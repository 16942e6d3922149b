import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { Refusal } from '../../../otlp/refusal.ts'
import { settle } from '../../../../test/kit/manual-clock.ts'
import {
  type Attributes,
  cumulative,
  delta,
  gauge,
  metricsBatch,
  point,
  sum,
} from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { type WrittenRequest, writtenHeaders } from '../../../../test/kit/remote-write-peer.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  from,
  startRemoteWrite as start,
  v2,
} from '../../../../test/kit/remote-write-rig.ts'
import { until } from '../../../../test/kit/until.ts'
import { prometheusRemoteWrite } from './index.ts'

afterEach(closeRemoteWrites)

const own2 = 'otelcol_exporter_prometheusremotewrite'
const ours = 'penstock_exporter_prometheusremotewrite'

const count = (ms: number, value: number, attributes: Attributes = {}) =>
  sum('hits', [point(attributes, { ...at(ms), asDouble: value })])

const native = (name: string, ms: number) => ({
  name,
  exponentialHistogram: {
    ...cumulative,
    dataPoints: [{ ...at(ms), count: 1n, sum: 1, scale: 0, zeroCount: 1n }],
  },
})

/** As Prometheus 2 answers unless told to take native histograms. */
const withoutNative = ({ samples }: WrittenRequest) =>
  samples.some(({ histogram }) => histogram !== undefined)
    ? { status: 500, body: 'native histograms are disabled\n' }
    : undefined

for (const [version, settings] of [
  ['1.0', {}],
  ['2.0', v2],
] as const) {
  describe(`remote write ${version}`, () => {
    it('sends numbers, histograms and summaries as the series they become', async () => {
      const { peer, push, value, host } = await start(settings)
      await push(
        count(1, 41.5, { 'pay.method': 'card' }),
        gauge('fill', [point({}, { ...at(1), asInt: -3n })], { unit: '1' }),
        {
          name: 'lag',
          unit: 's',
          histogram: {
            ...cumulative,
            dataPoints: [
              {
                ...at(1),
                count: 6n,
                sum: 9.5,
                explicitBounds: [0.005, 1, 1e7],
                bucketCounts: [1n, 2n, 0n, 3n],
              },
            ],
          },
        },
        {
          name: 'size',
          summary: {
            dataPoints: [
              { ...at(1), count: 4n, sum: 8, quantileValues: [{ quantile: 0.5, value: 2 }] },
            ],
          },
        },
      )
      const time = baseMs + 1
      const values = Object.fromEntries(peer.values())
      assert.deepEqual(values, {
        'hits_total{job="shop",pay_method="card"}': [[time, 41.5]],
        'fill_ratio{job="shop"}': [[time, -3]],
        'lag_seconds_sum{job="shop"}': [[time, 9.5]],
        'lag_seconds_count{job="shop"}': [[time, 6]],
        'lag_seconds_bucket{job="shop",le="0.005"}': [[time, 1]],
        'lag_seconds_bucket{job="shop",le="1"}': [[time, 3]],
        'lag_seconds_bucket{job="shop",le="10000000"}': [[time, 3]],
        'lag_seconds_bucket{job="shop",le="+Inf"}': [[time, 6]],
        'size_sum{job="shop"}': [[time, 8]],
        'size_count{job="shop"}': [[time, 4]],
        'size{job="shop",quantile="0.5"}': [[time, 2]],
      })
      assert.deepEqual(peer.violations, [])
      assert.equal(value('otelcol_exporter_sent_metric_points'), 4)
      assert.equal(value(`${own2}_written_samples`, { endpoint: peer.url }), 11)
      assert.equal(value(`${own2}_translated_time_series`, { endpoint: peer.url }), 11)
      assert.equal(host.memory.heldBytes, 0)
      assert.ok(host.memory.peakBytes > 0)
    })

    it('sends exponential histograms as native ones, at a scale Prometheus knows', async () => {
      const { peer, push } = await start(settings)
      await push({
        name: 'wait',
        exponentialHistogram: {
          ...cumulative,
          dataPoints: [
            {
              ...at(2),
              ...from(1),
              count: 41n,
              sum: 100,
              scale: 9,
              zeroCount: 4n,
              // At scale 8 in twos: 10, 0, 20, 7.
              positive: { offset: 6, bucketCounts: [10n, 0n, 0n, 0n, 15n, 5n, 2n, 5n] },
            },
          ],
        },
      })
      assert.deepEqual(peer.violations, [])
      const [{ series, timeMs, startMs, histogram }] = peer.requests[0].samples
      assert.equal(series, 'wait{job="shop"}')
      assert.deepEqual([timeMs, startMs], [baseMs + 2, version === '1.0' ? 0 : baseMs + 1])
      const { startTimestamp: _, timestamp: __, ...rest } = histogram!
      assert.deepEqual(rest, {
        countInt: 41n,
        sum: 100,
        schema: 8,
        zeroThreshold: 1e-128,
        zeroCountInt: 4n,
        positiveSpans: [{ offset: 4, length: 4 }],
        positiveDeltas: [10n, -10n, 20n, -13n],
      })
    })

    it('ends every series of a point without a recorded value by the exact stale bits', async () => {
      const { peer, push } = await start(settings)
      const histogram = (fields: PlainMessage) => ({
        name: 'lag',
        histogram: { ...cumulative, dataPoints: [fields] },
      })
      const native = (fields: PlainMessage) => ({
        name: 'wait',
        exponentialHistogram: { ...cumulative, dataPoints: [fields] },
      })
      await push(
        count(1, 1),
        histogram({ ...at(1), count: 1n, sum: 1, explicitBounds: [1], bucketCounts: [1n, 0n] }),
        native({ ...at(1), count: 0n }),
      )
      const before = peer.requests.length
      await push(
        sum('hits', [point({}, { ...at(2), flags: 1 })]),
        histogram({ ...at(2), flags: 1 }),
        native({ ...at(2), flags: 1 }),
      )
      const later = peer.requests.slice(before)
      const stale = Buffer.from('020000000000f07f', 'hex')
      let markers = 0
      for (const { bytes } of later) {
        for (let found = 0; (found = Buffer.from(bytes).indexOf(stale, found)) >= 0; found++) {
          markers++
        }
      }
      const ended = later.flatMap(({ samples }) => samples.map(({ series }) => series))
      assert.deepEqual(ended.toSorted(), [
        'hits_total{job="shop"}',
        'lag_bucket{job="shop",le="+Inf"}',
        'lag_bucket{job="shop",le="1"}',
        'lag_count{job="shop"}',
        'lag_sum{job="shop"}',
        'wait{job="shop"}',
      ])
      assert.equal(markers, 6)
      assert.deepEqual(peer.violations, [])
    })

    it('puts exemplars on the counter and on the bucket that holds them', async () => {
      const { peer, push } = await start(settings)
      const exemplar = (value: number, trace: string) => ({
        ...at(1),
        asDouble: value,
        traceId: `hex:${trace.repeat(16)}`,
      })
      await push(
        sum('hits', [{ ...at(2), asDouble: 1, exemplars: [exemplar(7, 'aa')] }]),
        gauge('fill', [{ ...at(2), asDouble: 1, exemplars: [exemplar(7, 'aa')] }]),
        {
          name: 'lag',
          histogram: {
            ...cumulative,
            dataPoints: [
              {
                ...at(2),
                count: 2n,
                explicitBounds: [1, 5],
                bucketCounts: [0n, 1n, 1n],
                exemplars: [exemplar(9, 'bb'), exemplar(5, 'cc')],
              },
            ],
          },
        },
      )
      const found = peer.requests.flatMap(({ exemplars }) => exemplars)
      const rows = found.map(({ series, value, labels }) => [series, value, labels.trace_id])
      const bySeries = rows.toSorted((left, right) => (String(left[0]) < String(right[0]) ? -1 : 1))
      assert.deepEqual(bySeries, [
        ['hits_total{job="shop"}', 7, 'aa'.repeat(16)],
        ['lag_bucket{job="shop",le="+Inf"}', 9, 'bb'.repeat(16)],
        ['lag_bucket{job="shop",le="5"}', 5, 'cc'.repeat(16)],
      ])
      assert.deepEqual(peer.violations, [])
    })

    it('puts exemplars of infinite values on the outermost buckets, also on the only one', async () => {
      const { peer, push } = await start(settings)
      const histogram = (name: string, explicitBounds: number[]) => ({
        name,
        histogram: {
          ...cumulative,
          dataPoints: [
            {
              ...at(2),
              count: 2n,
              explicitBounds,
              bucketCounts: [1n, ...explicitBounds.map(() => 1n)],
              exemplars: [-Infinity, Infinity].map((value) => ({ ...at(1), asDouble: value })),
            },
          ],
        },
      })
      await push(histogram('lag', [1]), histogram('wait', []))
      const found = peer.requests.flatMap(({ exemplars }) => exemplars)
      assert.deepEqual(found.map(({ series, value }) => `${value} ${series}`).toSorted(), [
        '-Infinity lag_bucket{job="shop",le="1"}',
        '-Infinity wait_bucket{job="shop",le="+Inf"}',
        'Infinity lag_bucket{job="shop",le="+Inf"}',
        'Infinity wait_bucket{job="shop",le="+Inf"}',
      ])
    })

    it('keeps the order of every series while requests fail and others overtake', async () => {
      const { peer, host, exporter, value } = await start({
        ...settings,
        remote_write_queue: { min_size: 0, num_consumers: 4 },
        max_batch_size_bytes: 2000,
        timeout: 0,
      })
      // Series are dealt out 32 at a time.
      const podCount = 100
      let turn = 0
      const answers = [503, 429, 204, 'cut', 204] as const
      peer.respond = (request) => {
        const answer = answers[turn++ % answers.length]
        if (answer === 204) {
          return { status: 204, headers: request.version === 2 ? writtenHeaders(request) : {} }
        }
        return answer === 'cut' ? 'cut' : { status: answer }
      }
      const points = (round: number) =>
        Array.from({ length: podCount }, (_, index) =>
          point({ pod: String(index) }, { ...at(round), asDouble: round }),
        )
      for (let round = 0; round < 12; round += 3) {
        await exporter.consume(metricsBatch([sum('hits', points(round))]))
        // Sorted by the exporter.
        const unsorted = [...points(round + 2), ...points(round + 1)]
        await exporter.consume(metricsBatch([sum('hits', unsorted)]))
      }
      await until(async () => {
        await host.clock.advance(1000)
        return value('otelcol_exporter_queue_size', { data_type: 'metrics' }) === 0
      })
      const expected = Array.from({ length: 12 }, (_, round) => [baseMs + round, round])
      const values = peer.values()
      assert.equal(values.size, podCount)
      for (const [series, pairs] of values) assert.deepEqual(pairs, expected, series)
      assert.deepEqual(peer.violations, [])
      assert.equal(value('otelcol_exporter_sent_metric_points'), 12 * podCount)
      const retried = peer.requests.filter(({ headers }) => headers['retry-attempt'] !== undefined)
      assert.ok(retried.length > 0)
    })

    it('finds the sample that the server refuses, counts and logs it, and delivers the rest', async () => {
      const { peer, push, value, host } = await start({
        ...settings,
        remote_write_queue: { min_size: 0, num_consumers: 1 },
      })
      peer.respond = ({ samples }) =>
        samples.some(({ series }) => series.includes('"7"'))
          ? { status: 400, body: 'out of order sample' }
          : undefined
      for (const ms of [1, 2]) {
        const points = Array.from({ length: 50 }, (_, index) =>
          point({ pod: String(index) }, { ...at(ms), asDouble: index }),
        )
        await push(sum('hits', points))
      }
      assert.equal(peer.values().size, 49)
      assert.equal(value('otelcol_exporter_sent_metric_points'), 98)
      assert.equal(value('otelcol_exporter_send_failed_metric_points'), 2)
      assert.equal(value(`${ours}_rejected_samples`, { cause: 'out_of_order' }), 2)
      assert.deepEqual(host.drops, [
        { signal: 'metrics', itemCount: 1, cause: 'rejected_by_peer' },
        { signal: 'metrics', itemCount: 1, cause: 'rejected_by_peer' },
      ])
      const lines = host.lines.filter(({ level }) => level === 'warn')
      assert.equal(lines.length, 1)
      assert.equal((lines[0].fields as { series: string }).series, 'hits_total{job="shop",pod="7"}')
      assert.deepEqual(peer.violations, [])
    })

    it('takes native histograms out at once where the server has none, which it says with a 500', async () => {
      const { peer, exporter, settled, value, host } = await start({
        ...settings,
        remote_write_queue: { min_size: 0, num_consumers: 1 },
      })
      peer.respond = withoutNative
      const numbers = Array.from({ length: 20 }, (_, index) =>
        point({ pod: String(index) }, { ...at(1), asDouble: index }),
      )
      const batch = metricsBatch([native('one', 1), gauge('up', numbers), native('two', 1)])
      await exporter.consume(batch)
      await settled()
      assert.equal(peer.values().size, 20)
      assert.equal(peer.requests.length, 2)
      assert.equal(value('otelcol_exporter_sent_metric_points'), 20)
      assert.equal(value('otelcol_exporter_send_failed_metric_points'), 2)
      const cause = 'native_histograms_disabled'
      assert.equal(value(`${ours}_rejected_samples`, { cause }), 2)
      const lines = host.lines.filter(({ level }) => level === 'warn')
      assert.equal(lines.length, 1)
      const fields = lines[0].fields as { series: string; cause: string }
      assert.deepEqual([fields.series, fields.cause], ['one{} two{}', cause])
    })

    it('asks once for many samples of one native histogram where the server has none', async () => {
      const { peer, exporter, value } = await start({
        ...settings,
        remote_write_queue: { min_size: 1_000_000, num_consumers: 1, flush_timeout: '1h' },
      })
      peer.respond = withoutNative
      for (let ms = 1; ms <= 100; ms++) await exporter.consume(metricsBatch([native('one', ms)]))
      await exporter.stop!(new AbortController().signal)
      assert.equal(peer.requests.length, 1)
      assert.equal(value(`${ours}_rejected_samples`, { cause: 'native_histograms_disabled' }), 100)
    })

    it('repeats what a server refuses for native histograms that it has none of', async () => {
      const { peer, exporter, settled, value, host } = await start({
        ...settings,
        remote_write_queue: { min_size: 0, num_consumers: 1 },
      })
      peer.respond = () => ({ status: 500, body: 'native histograms are disabled\n' })
      const number = gauge('up', [point({}, { ...at(1), asDouble: 1 })])
      await exporter.consume(metricsBatch([number, native('one', 1)]))
      await until(() => host.lines.some(({ message }) => message.startsWith('Exporting failed')))
      peer.respond = () => undefined
      await host.clock.advance(60_000)
      await settled()
      assert.deepEqual([...peer.values().keys()], ['up{}'])
      assert.equal(value(`${ours}_rejected_samples`, { cause: 'native_histograms_disabled' }), 1)
      assert.equal(value('otelcol_exporter_sent_metric_points'), 1)
    })

    it('sends what is left when stopped, and counts what the deadline leaves behind', async () => {
      const { peer, exporter, value, host } = await start({
        ...settings,
        remote_write_queue: { min_size: 1000, num_consumers: 1 },
      })
      await exporter.consume(metricsBatch([count(1, 1)]))
      assert.equal(peer.requests.length, 0)
      await exporter.stop!(new AbortController().signal)
      assert.equal(peer.values().size, 1)
      assert.throws(() => exporter.consume(metricsBatch([count(2, 2)])), Refusal)

      const second = await start({ ...settings })
      second.peer.respond = () => 'never'
      await second.exporter.consume(metricsBatch([count(1, 1), count(2, 2, { pod: 'b' })]))
      const deadline = new AbortController()
      const stopped = second.exporter.stop!(deadline.signal)
      await settle()
      deadline.abort()
      await stopped
      assert.deepEqual(
        second.host.drops.map(({ cause, itemCount }) => [cause, itemCount]),
        [['shutdown', 2]],
      )
      assert.equal(second.value('otelcol_exporter_send_failed_metric_points'), 2)
      assert.equal(second.host.memory.heldBytes + host.memory.heldBytes, 0)
      assert.equal(second.host.clock.timerCount, 0)
      assert.equal(value('otelcol_exporter_sent_metric_points'), 1)
    })
  })
}

describe('remote write exporter', () => {
  it('falls back to 1.0 on 415, and on a success that does not say what was written', async () => {
    for (const answer of [{ status: 415 }, { status: 204 }]) {
      const { peer, push, value } = await start(v2)
      peer.respond = ({ version }) => (version === 2 ? answer : { status: 204 })
      await push(count(1, 1))
      await push(count(2, 2))
      assert.deepEqual(
        peer.requests.map(({ version }) => version),
        [2, 1, 1],
      )
      assert.equal(value(`${ours}_fallbacks`), 1)
      assert.equal(value('otelcol_exporter_sent_metric_points'), 2)
      assert.deepEqual(peer.violations, [])
    }
  })

  const nhcb = { ...v2, convert_histograms_to_nhcb: true }
  const lag = (ms: number, counts: readonly bigint[], more = {}) => ({
    name: 'lag',
    histogram: {
      ...cumulative,
      dataPoints: [
        {
          ...from(0),
          ...at(ms),
          count: counts.reduce((sum, one) => sum + one, 0n),
          sum: 2.5,
          explicitBounds: [-2, -1, 0, 1, 2],
          bucketCounts: [...counts],
          ...more,
        },
      ],
    },
  })

  it('sends histograms with custom buckets when told to, as one series', async () => {
    const { peer, push } = await start(nhcb)
    const exemplars = [{ ...at(4), asDouble: 1.5, spanId: 'hex:0101010101010101' }]
    await push(lag(5, [10n, 0n, 0n, 20n, 5n, 2n], { exemplars }))
    await push(lag(6, [], { flags: 1 }))
    const [first, last] = peer.requests.flatMap(({ samples }) => samples)
    assert.equal(first.series, 'lag{job="shop"}')
    const { timestamp: _, startTimestamp: __, ...rest } = first.histogram!
    assert.deepEqual(rest, {
      countInt: 37n,
      sum: 2.5,
      schema: -53,
      zeroCountInt: 0n,
      positiveSpans: [{ length: 6 }],
      positiveDeltas: [10n, -10n, 0n, 20n, -15n, -3n],
      customValues: [-2, -1, 0, 1, 2],
    })
    assert.deepEqual([first.timeMs, first.startMs], [baseMs + 5, baseMs])
    assert.deepEqual([last.series, last.histogram?.countInt], ['lag{job="shop"}', 0n])
    assert.equal(peer.requests.flatMap(({ samples }) => samples).length, 2)
    assert.deepEqual(
      peer.requests[0].exemplars.map(({ series, value }) => [series, value]),
      [['lag{job="shop"}', 1.5]],
    )
    assert.deepEqual(peer.violations, [])
  })

  it('sends classic series to a server that takes but 1.0, also of what was queued before', async () => {
    const { peer, push } = await start(nhcb)
    peer.respond = ({ version }) => (version === 2 ? { status: 415 } : undefined)
    const exemplars = [{ ...at(4), asDouble: 1.5, spanId: 'hex:0101010101010101' }]
    await push(lag(5, [10n, 0n, 0n, 20n, 5n, 2n], { exemplars }))
    await push(lag(6, [11n, 0n, 0n, 20n, 5n, 2n], { exemplars }))
    await push(lag(7, [], { flags: 1 }))
    const written = peer.accepted.flatMap(({ samples }) => samples)
    assert.ok(written.every(({ histogram }) => histogram === undefined))
    const values = peer.values()
    const expected = { '-2': 10, '-1': 10, '0': 10, '1': 30, '2': 35, '+Inf': 37 }
    for (const [le, total] of Object.entries(expected)) {
      const samples = values.get(`lag_bucket{job="shop",le="${le}"}`)!
      assert.deepEqual(samples.slice(0, 2), [
        [baseMs + 5, total],
        [baseMs + 6, total + 1],
      ])
      assert.equal(samples.length, 3, 'and a stale marker')
    }
    assert.deepEqual(values.get('lag_count{job="shop"}')?.[0], [baseMs + 5, 37])
    assert.deepEqual(values.get('lag_sum{job="shop"}')?.[0], [baseMs + 5, 2.5])
    assert.equal(values.has('lag{job="shop"}'), false)
    assert.deepEqual(
      peer.accepted.flatMap((request) => request.exemplars.map(({ series }) => series)),
      Array.from({ length: 2 }, () => 'lag_bucket{job="shop",le="2"}'),
    )
    assert.deepEqual(peer.violations, [])
  })

  it('sends classic series also from a request that such a server refuses for native histograms', async () => {
    const { peer, push } = await start(nhcb)
    peer.respond = (request) => (request.version === 2 ? { status: 415 } : withoutNative(request))
    await push(native('one', 5), lag(5, [10n, 0n, 0n, 20n, 5n, 2n]))
    assert.equal(peer.requests.length, 3)
    assert.deepEqual(peer.values().get('lag_count{job="shop"}'), [[baseMs + 5, 37]])
    assert.equal(peer.values().has('one{job="shop"}'), false)
  })

  it('sends what was queued with custom buckets as classic series even where these have no room', async () => {
    const { peer, push, value, host } = await start({ ...nhcb, max_series: 8 })
    peer.respond = ({ version }) => (version === 2 ? { status: 415 } : undefined)
    await push(lag(5, [10n, 0n, 0n, 20n, 5n, 2n]))
    assert.equal(peer.values().size, 8)
    assert.equal(value(`${ours}_series`), 4)
    await push(lag(6, [11n, 0n, 0n, 20n, 5n, 2n]))
    assert.equal(value(`${ours}_series`), 4)
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'series_limit' }])
    assert.deepEqual(peer.violations, [])
  })

  it('lets no exponential histogram into the series of one with custom buckets', async () => {
    const { push, host } = await start(nhcb)
    const dataPoints = [{ ...from(0), ...at(9), scale: 0 }]
    await push(lag(5, [1n]), {
      name: 'lag',
      exponentialHistogram: { ...cumulative, dataPoints },
    })
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'series_collision' }])
  })

  it('does not send again what a 2.0 server says it has written', async () => {
    const { peer, push, value } = await start({ ...v2, remote_write_queue: { num_consumers: 1 } })
    peer.respond = (request) => ({
      status: 400,
      headers: { ...writtenHeaders(request), 'X-Prometheus-Remote-Write-Samples-Written': '2' },
      body: 'duplicate sample for timestamp',
    })
    await push(count(1, 1), count(1, 2, { pod: 'b' }), count(1, 3, { pod: 'c' }))
    assert.equal(peer.requests.length, 1)
    assert.equal(value('otelcol_exporter_sent_metric_points'), 2)
    assert.equal(value('otelcol_exporter_send_failed_metric_points'), 1)
    assert.equal(value(`${ours}_rejected_samples`, { cause: 'duplicate_timestamp' }), 1)
  })

  it('counts what a 2.0 server left out by the causes it gives, and logs each series once', async () => {
    const { peer, push, value, host } = await start({
      ...v2,
      remote_write_queue: { num_consumers: 1 },
    })
    // As Prometheus words it.
    peer.respond = (request) => ({
      status: 400,
      headers: { ...writtenHeaders(request), 'X-Prometheus-Remote-Write-Samples-Written': '1' },
      body:
        'out of bounds for series {__name__="hits_total", pod="}b"}\n' +
        'out of order sample for series {__name__="hits_total", pod="c"}\n',
    })
    for (const ms of [1, 2, 3]) {
      await push(count(ms, 1), count(ms, 2, { pod: '}b' }), count(ms, 3, { pod: 'c' }))
    }
    assert.equal(value(`${ours}_rejected_samples`, { cause: 'out_of_bounds' }), 3)
    assert.equal(value(`${ours}_rejected_samples`, { cause: 'out_of_order' }), 3)
    assert.equal(value('otelcol_exporter_send_failed_metric_points'), 6)
    const lines = host.lines.filter(({ level }) => level === 'warn')
    assert.equal(lines.length, 1)
    const { error } = lines[0].fields as { error: string }
    for (const text of ['out of bounds', 'pod="}b"', 'out of order', 'pod="c"']) {
      assert.ok(error.includes(text), error)
    }
  })

  it('believes no 2.0 server that it wrote more than was sent', async () => {
    const { peer, push, value, host } = await start(v2)
    const written = (samples: string, histograms: string, exemplars: string) => ({
      'X-Prometheus-Remote-Write-Samples-Written': samples,
      'X-Prometheus-Remote-Write-Histograms-Written': histograms,
      'X-Prometheus-Remote-Write-Exemplars-Written': exemplars,
    })
    const counted = () => [
      ...['samples', 'histograms', 'exemplars'].map((what) =>
        value(`${own2}_written_${what}`, { endpoint: peer.url }),
      ),
      ...['sent', 'send_failed'].map((what) => value(`otelcol_exporter_${what}_metric_points`)),
    ]
    const wait = (ms: number) => ({
      name: 'wait',
      exponentialHistogram: {
        ...cumulative,
        dataPoints: [{ ...at(ms), count: 1n, sum: 1, scale: 0, zeroCount: 1n }],
      },
    })
    const seen = (ms: number) =>
      sum('hits', [point({}, { ...at(ms), asDouble: ms, exemplars: [{ ...at(ms), asDouble: 1 }] })])
    peer.respond = () => ({ status: 204, headers: written('7', '8', '9'.repeat(20)) })
    await push(seen(1), wait(1))
    assert.deepEqual(counted(), [1, 1, 1, 2, 0])
    // More of the one does not make up for the other.
    peer.respond = () => ({ status: 400, headers: written('7', '0', '-1') })
    await push(seen(2), wait(2))
    assert.deepEqual(counted(), [2, 1, 1, 3, 1])
    // As if it had written nothing: what is left is one sample, refused again.
    peer.respond = () => ({ status: 400, headers: written('0', '7', '7') })
    await push(seen(3))
    assert.deepEqual(counted(), [2, 1, 1, 3, 2])
    assert.equal(peer.requests.length, 3)
    assert.deepEqual(
      host.drops.map(({ cause }) => cause),
      ['rejected_by_peer', 'rejected_by_peer'],
    )
  })

  it('says once that a 2.0 server refuses what it claims to have written, and believes the claim', async () => {
    const { peer, push, value, host } = await start(v2)
    peer.respond = (request) => ({
      status: 400,
      headers: writtenHeaders(request),
      body: 'out of order exemplar',
    })
    for (const ms of [1, 2]) await push(count(ms, 1))
    assert.equal(peer.requests.length, 2)
    assert.equal(value('otelcol_exporter_sent_metric_points'), 2)
    assert.equal(value('otelcol_exporter_send_failed_metric_points'), 0)
    assert.deepEqual(host.drops, [])
    assert.equal(host.lines.length, 1)
    const [{ level, message, fields }] = host.lines
    assert.equal(level, 'warn')
    assert.match(message, /refused a request of which it says that all samples are written/)
    assert.deepEqual(fields, { dropped_samples: 0, error: 'out of order exemplar' })
    // Another one of the same words, of which a part is lost.
    peer.respond = (request) => ({
      status: 400,
      headers: { ...writtenHeaders(request), 'X-Prometheus-Remote-Write-Samples-Written': '1' },
      body: 'out of order exemplar',
    })
    await push(count(3, 1), count(3, 1, { pod: 'b' }))
    assert.deepEqual(
      host.lines.map((line) => line.message.slice(0, 24)),
      ['the server refused a req', 'the server wrote only a '],
    )
  })

  it('waits as long as Retry-After asks', async () => {
    const { peer, exporter, host, value } = await start()
    peer.respond = () => ({ status: 429, headers: { 'Retry-After': '20' } })
    await exporter.consume(metricsBatch([count(1, 1)]))
    await until(() => host.lines.length === 1)
    peer.respond = () => undefined
    await host.clock.advance(19_000)
    assert.equal(peer.requests.length, 1)
    await host.clock.advance(1_100)
    await until(() => value('otelcol_exporter_sent_metric_points') === 1)
  })

  it('gives up on a 4xx at once, and on 5xx when the time is spent', async () => {
    const { peer, push, value, host, exporter } = await start({
      retry_on_failure: { max_elapsed_time: '1s', max_interval: '1s' },
      timeout: 0,
    })
    peer.respond = () => ({ status: 401, body: 'who are you' })
    await push(count(1, 1))
    assert.equal(peer.requests.length, 1)
    peer.respond = () => ({ status: 500 })
    await exporter.consume(metricsBatch([count(2, 2)]))
    await until(async () => {
      await host.clock.advance(500)
      return value('otelcol_exporter_send_failed_metric_points') === 2
    })
    assert.deepEqual(
      host.drops.map(({ cause }) => cause),
      ['permanent_error', 'retries_exhausted'],
    )
  })

  it('sends its own headers, those of the user, and never lets the body be mislabelled', async () => {
    const { peer, push } = await start({
      headers: { 'X-Scope-OrgID': 'team-a', 'Content-Type': 'text/plain' },
    })
    await push(count(1, 1))
    const { headers } = peer.requests[0]
    assert.equal(headers['x-scope-orgid'], 'team-a')
    assert.equal(headers['user-agent'], 'Penstock/0.0.0')
    assert.deepEqual(peer.violations, [])
  })

  it('compresses by zstd where told to', async () => {
    const { peer, push } = await start({ compression: 'zstd' })
    await push(count(1, 1))
    assert.equal(peer.requests[0].headers['content-encoding'], 'zstd')
    assert.equal(peer.values().size, 1)
  })

  it('keeps requests within max_batch_size_bytes and puts samples of one series together', async () => {
    const { peer, exporter, host } = await start({
      max_batch_size_bytes: 1000,
      timeout: 0,
      remote_write_queue: { min_size: 1000, num_consumers: 1 },
    })
    for (let round = 0; round < 20; round++) {
      await exporter.consume(metricsBatch([count(round, round, { pod: 'a' })]))
    }
    await host.clock.advance(300)
    await until(() => peer.values().values().next().value?.length === 20)
    for (const { bytes } of peer.requests) assert.ok(bytes.length <= 1000)
    assert.ok(peer.requests.length < 5)
    assert.deepEqual(peer.violations, [])
  })

  it('adds up deltas, and says which ones it could not', async () => {
    const { peer, push, value, host } = await start(v2)
    const piece = (start: number, end: number, value_: number) =>
      sum('hits', [point({}, { ...from(start), ...at(end), asDouble: value_ })], { sum: delta })
    await push(piece(0, 10, 5))
    await push(piece(10, 20, 7))
    await push(piece(25, 30, 1))
    await push(piece(0, 20, 100))
    assert.deepEqual(peer.values().get('hits_total{job="shop"}'), [
      [baseMs + 10, 5],
      [baseMs + 20, 12],
      [baseMs + 30, 13],
    ])
    const starts = peer.requests.flatMap(({ samples }) => samples.map(({ startMs }) => startMs))
    assert.deepEqual(starts, [baseMs, baseMs, baseMs])
    assert.equal(value(`${ours}_delta_points`, { start: 'aligned' }), 1)
    assert.equal(value(`${ours}_delta_points`, { start: 'gap' }), 1)
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'out_of_order' }])
    assert.equal(value(`${ours}_delta_streams`), 1)
  })

  it('adds up histogram deltas bucket by bucket', async () => {
    const { peer, push } = await start()
    const piece = (start: number, end: number, counts: bigint[]) => ({
      name: 'lag',
      histogram: {
        ...delta,
        dataPoints: [
          {
            ...from(start),
            ...at(end),
            count: counts[0] + counts[1],
            sum: 2,
            explicitBounds: [1],
            bucketCounts: counts,
          },
        ],
      },
    })
    await push(piece(0, 10, [1n, 2n]))
    await push(piece(10, 20, [3n, 4n]))
    const last = (series: string) => peer.values().get(series)?.at(-1)
    assert.deepEqual(last('lag_bucket{job="shop",le="1"}'), [baseMs + 20, 4])
    assert.deepEqual(last('lag_bucket{job="shop",le="+Inf"}'), [baseMs + 20, 10])
    assert.deepEqual(last('lag_sum{job="shop"}'), [baseMs + 20, 4])
  })

  it('puts points of one batch into the order of time, and drops what comes behind it', async () => {
    const { peer, push, host } = await start()
    const points = [3, 1, 2, 2].map((ms) => point({}, { ...at(ms), asDouble: ms }))
    await push(sum('hits', points))
    await push(count(2, 9))
    assert.deepEqual(
      peer
        .values()
        .get('hits_total{job="shop"}')
        ?.map(([, value]) => value),
      [1, 2, 3],
    )
    assert.deepEqual(
      host.drops.map(({ cause }) => cause),
      ['duplicate_timestamp', 'out_of_order'],
    )
  })

  it('says what to do about two resources that look the same', async () => {
    const { exporter, settled, host } = await start()
    for (const node of ['a', 'b']) {
      const resource = { 'service.name': 'shop', 'host.name': node }
      const points = [point({}, { ...at(1), asDouble: 1 })]
      await exporter.consume(metricsBatch([gauge('up', points)], { resource }))
    }
    await settled()
    const [{ message }] = host.lines
    assert.match(message, /two resources send metric "up" of job "shop"; .*service\.instance\.id/)
  })

  it('lets one of two sources that collide on a series have it', async () => {
    const { peer, push, value, host } = await start()
    await push(gauge('a.b', [point({}, { ...at(1), asDouble: 1 })]))
    await push(gauge('a_b', [point({}, { ...at(2), asDouble: 2 })]))
    assert.deepEqual([...peer.values().values()], [[[baseMs + 1, 1]]])
    assert.equal(value(`${ours}_collisions`), 1)
    assert.match(host.lines.at(-1)!.message, /"a\.b".*keeps it.*"a_b"/)
  })

  it('remembers at most max_series, and forgets those that expire', async () => {
    const { push, value, host } = await start({ max_series: 2, metric_expiration: '1m' })
    await push(count(1, 1, { pod: 'a' }), count(1, 1, { pod: 'b' }), count(1, 1, { pod: 'c' }))
    assert.equal(value(`${ours}_series`), 2)
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'series_limit' }])
    await host.clock.advance(150_000)
    assert.equal(value(`${ours}_series`), 0)
    assert.equal(value(`${ours}_sources`), 0)
    assert.equal(value(`${ours}_expired_series`), 2)
    await push(count(200_000, 1, { pod: 'c' }))
    assert.equal(value(`${ours}_series`), 1)
  })

  const lags = (ms: number, quantiles: readonly number[], attributes: Attributes = {}) => {
    const quantileValues = quantiles.map((quantile) => ({ quantile, value: quantile }))
    const fields = { ...at(ms), count: 1n, sum: 1, quantileValues }
    return { name: 'size', summary: { dataPoints: [point(attributes, fields)] } }
  }

  const buckets = (ms: number, bounds: readonly number[], attributes: Attributes = {}) => {
    const bucketCounts = [...bounds, 0].map(() => 1n)
    const fields = { ...at(ms), count: 1n, sum: 1, explicitBounds: bounds, bucketCounts }
    return { name: 'lag', histogram: { ...cumulative, dataPoints: [point(attributes, fields)] } }
  }

  it('ends the series of quantiles that a summary has no more, and forgets them', async () => {
    const { peer, push, value } = await start()
    for (let ms = 1; ms <= 50; ms++) await push(lags(ms, [ms / 100]))
    assert.equal(value(`${ours}_series`), 3)
    const [[, first], [time, second]] = peer.values().get('size{job="shop",quantile="0.01"}')!
    assert.deepEqual([first, time, second], [0.01, baseMs + 2, NaN])
    const stale = Buffer.from('020000000000f07f', 'hex')
    const marked = peer.requests.filter(({ bytes }) => Buffer.from(bytes).includes(stale))
    assert.equal(marked.length, 49)
    assert.deepEqual(peer.violations, [])
  })

  it('keeps the quantiles of the newest point, whatever older ones come behind it', async () => {
    const { peer, push, value, host } = await start()
    const points = [lags(5, [0.5]), lags(3, [0.5, 0.9])].flatMap((one) => one.summary.dataPoints)
    await push({ name: 'size', summary: { dataPoints: points } })
    await push(lags(6, [0.5]), lags(7, [0.5]))
    assert.equal(value(`${ours}_series`), 3)
    const sent = (quantile: string) => peer.values().get(`size{job="shop",quantile="${quantile}"}`)
    // Older than a point that has it no more: ended with that.
    assert.deepEqual(sent('0.9'), [
      [baseMs + 3, 0.9],
      [baseMs + 5, NaN],
    ])
    assert.deepEqual(
      sent('0.5')?.map(([ms]) => ms - baseMs),
      [3, 5, 6, 7],
    )
    await push(lags(7, [0.99]))
    assert.equal(sent('0.5')?.length, 4, 'two samples of one time would be refused')
    assert.deepEqual(host.drops, [])
    assert.deepEqual(peer.violations, [])
  })

  it('counts every series of histograms and summaries towards max_series', async () => {
    const { push, value, host } = await start({ max_series: 9, metric_expiration: '1m' })
    const lost = () => host.drops.map(({ itemCount, cause }) => `${itemCount} ${cause}`)
    await push(buckets(1, [1, 2, 3, 4, 5, 6, 7]))
    assert.equal(value(`${ours}_series`), 0, 'ten')
    assert.deepEqual(lost(), ['1 series_limit'])
    await push(buckets(2, [1, 2]), lags(2, [0.5, 0.5]))
    assert.equal(value(`${ours}_series`), 8)
    await push(buckets(3, [1, 2, 3, 4]), lags(3, [0.5, 0.9, 0.99]), buckets(3, [], { a: 'b' }))
    assert.deepEqual(lost().slice(1), ['3 series_limit'])
    assert.equal(value(`${ours}_series`), 8)
    await push(buckets(4, [1]), lags(4, [0.1, 0.2, 0.3]), count(4, 1))
    assert.equal(value(`${ours}_series`), 9)
    assert.deepEqual(lost().slice(2), ['1 series_limit'])
    assert.equal(host.lines.length, 1)
    await host.clock.advance(150_000)
    assert.equal(value(`${ours}_series`), 0)
    assert.equal(value(`${ours}_expired_series`), 9)
  })

  it('adds no delta whose buckets there is no room for', async () => {
    const { peer, push, host } = await start({ max_series: 5 })
    const piece = (ms: number, bounds: number[]) => {
      const one = buckets(ms, bounds)
      return { ...one, histogram: { ...one.histogram, ...delta } }
    }
    await push(piece(1, [1, 2]))
    await push(piece(2, [1, 2, 3]))
    await push(piece(3, [1, 2]))
    assert.deepEqual(peer.values().get('lag_count{job="shop"}'), [
      [baseMs + 1, 1],
      [baseMs + 3, 2],
    ])
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'series_limit' }])
  })

  it('names the first of many series that collide, and sums the others up', async () => {
    const { push, value, host, exporter } = await start()
    const many = Array.from({ length: 500 }, (_, a) => point({ a }, { ...at(1), asDouble: 1 }))
    await push(gauge('a.b', many))
    await push(gauge('a_b', many))
    assert.equal(value(`${ours}_collisions`), 500)
    assert.equal(host.lines.length, 1)
    assert.match(host.lines[0].message, /"a\.b".*keeps it.*"a_b"/)
    await host.clock.advance(1000)
    assert.equal(host.lines.length, 2)
    assert.match(host.lines[1].message, /"a\.b".*keeps it.*"a_b".*498 more/)
    await exporter.stop?.(AbortSignal.abort())
    assert.equal(host.clock.timerCount, 0)
  })

  it('sends target_info at the newest time of a resource, once a time', async () => {
    const { peer, exporter, value } = await start({
      target_info: { enabled: true },
      external_labels: { region: 'eu', job: 'not this' },
      namespace: 'acme',
    })
    const resource = { 'service.name': 'shop', 'k8s.pod.name': 'p-1' }
    for (let times = 0; times < 2; times++) {
      await exporter.consume(metricsBatch([count(1, 1), count(5, 1, { pod: 'b' })], { resource }))
    }
    await until(() => value('otelcol_exporter_queue_size', { data_type: 'metrics' }) === 0)
    const series = 'acme_target_info{job="shop",k8s_pod_name="p-1",region="eu"}'
    assert.deepEqual(peer.values().get(series), [[baseMs + 5, 1]])
    assert.deepEqual(peer.violations, [])
  })

  it('keeps what identifies a resource on target_info, when told to', async () => {
    const { peer, exporter, value } = await start({
      target_info: { enabled: true },
      keep_identifying_resource_attributes: true,
    })
    const resource = { 'service.name': 'shop', 'service.instance.id': 'a', zone: 'z' }
    await exporter.consume(metricsBatch([count(1, 1)], { resource }))
    await until(() => value('otelcol_exporter_queue_size', { data_type: 'metrics' }) === 0)
    const kept = 'instance="a",job="shop",service_instance_id="a",service_name="shop",zone="z"'
    assert.deepEqual(peer.values().get(`target_info{${kept}}`), [[baseMs + 1, 1]])
  })

  for (const [type, number] of [
    ['unknown', 0],
    ['info', 6],
    ['stateset', 7],
  ] as const) {
    it(`says in metadata what was of type ${type} before it became OTLP`, async () => {
      const { peer, push } = await start(v2)
      const metadata = [{ key: 'prometheus.type', value: { stringValue: type } }]
      const one = [point({}, { ...from(0), ...at(1), asInt: 1n })]
      await push(
        gauge('a', one, { metadata }),
        sum('b', one, { metric: { metadata }, sum: { isMonotonic: false } }),
      )
      const types = peer.requests.flatMap(({ metadata: described }) =>
        [...described.values()].map((one) => one.type),
      )
      assert.deepEqual(types, [number, number])
      const starts = peer.requests.flatMap(({ samples }) => samples.map(({ startMs }) => startMs))
      assert.deepEqual(starts, [0, 0], 'it has no start')
    })
  }

  it('makes labels of resource attributes, scopes and none, as told', async () => {
    const { peer, exporter, value } = await start({
      resource_to_telemetry_conversion: { enabled: true },
      add_metric_suffixes: false,
    })
    const source = {
      resource: { 'service.name': 'shop', zone: 'z1' },
      scope: { name: 'lib', version: '2' },
    }
    await exporter.consume(metricsBatch([count(1, 1)], source))
    await until(() => value('otelcol_exporter_queue_size', { data_type: 'metrics' }) === 0)
    assert.deepEqual(
      [...peer.values().keys()],
      [
        'hits{job="shop",otel_scope_name="lib",otel_scope_version="2",service_name="shop",zone="z1"}',
      ],
    )
  })

  it('makes labels of some resource attributes alone, by patterns', async () => {
    const { peer, exporter, settled } = await start({
      resource_constant_labels: { included: ['k8s.*'], excluded: ['*.uid'] },
    })
    const resource = { 'service.name': 'shop', 'k8s.pod.name': 'p', 'k8s.pod.uid': 'u', zone: 'z' }
    await exporter.consume(metricsBatch([count(1, 1, { 'k8s.pod.name': 'mine' })], { resource }))
    await exporter.consume(metricsBatch([count(1, 2)], { resource }))
    await settled()
    assert.deepEqual(
      [...peer.values().keys()],
      ['hits_total{job="shop",k8s_pod_name="mine"}', 'hits_total{job="shop",k8s_pod_name="p"}'],
    )
  })

  it('sends 1.0 metadata once a minute when told to', async () => {
    const { peer, push, host } = await start({ send_metadata: true })
    const described = (ms: number) =>
      sum('hits', [point({}, { ...at(ms), asDouble: 1 })], {
        metric: { description: 'Hits.', unit: 'By' },
      })
    await push(described(1))
    await push(described(2))
    await host.clock.advance(61_000)
    await push(described(3))
    assert.deepEqual(
      peer.requests.map(({ metadata }) => [...metadata.values()]),
      [
        [{ type: 1, metricFamilyName: 'hits_bytes_total', help: 'Hits.', unit: 'bytes' }],
        [],
        [{ type: 1, metricFamilyName: 'hits_bytes_total', help: 'Hits.', unit: 'bytes' }],
      ],
    )
  })

  it('refuses for now what does not fit into the queue, before deltas are added', async () => {
    const { peer, exporter, host, value } = await start({
      remote_write_queue: { queue_size: 1, num_consumers: 1 },
    })
    peer.respond = () => 'never'
    await exporter.consume(metricsBatch([count(1, 1)]))
    assert.throws(
      () => exporter.consume(metricsBatch([count(2, 2)])),
      (error: Refusal) => error.retryable,
    )
    assert.equal(value('otelcol_exporter_enqueue_failed_metric_points'), 1)
    assert.ok(host.memory.heldBytes > 0)
  })

  it('without a queue answers only once it is delivered, and lets the caller repeat', async () => {
    const { peer, exporter, value, host } = await start({
      remote_write_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    })
    peer.respond = () => ({ status: 503 })
    await assert.rejects(
      async () => exporter.consume(metricsBatch([count(1, 1)])),
      (error: Refusal) => error.retryable,
    )
    assert.deepEqual(host.drops, [])
    peer.respond = () => undefined
    await exporter.consume(metricsBatch([count(1, 1)]))
    assert.equal(peer.values().size, 1)
    assert.equal(value('otelcol_exporter_sent_metric_points'), 1)
  })

  it('adds no delta twice that a caller repeats', async () => {
    const { peer, exporter, host } = await start({
      remote_write_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    })
    const piece = (start: number, end: number, value: number) =>
      point({}, { ...from(start), ...at(end), asInt: value })
    const send = async (...points: PlainMessage[]) =>
      exporter.consume(metricsBatch([sum('hits', points, { sum: delta })]))
    await send(piece(0, 10, 1))
    peer.respond = () => ({ status: 503 })
    const repeated = [piece(10, 20, 2), piece(20, 30, 4)]
    await assert.rejects(() => send(...repeated))
    peer.respond = () => undefined
    await send(...repeated)
    await send(piece(30, 40, 8))
    assert.deepEqual(peer.values().get('hits_total{}'), [
      [baseMs + 10, 1],
      [baseMs + 30, 7],
      [baseMs + 40, 15],
    ])
    assert.deepEqual(host.drops, [])
  })

  it('refuses bytes that are no metrics and sends nothing of them', async () => {
    const { peer, exporter, host } = await start()
    const good = metricsBatch([count(1, 1)])
    const [group] = good.groups
    const broken = good.withGroups([
      { ...group, rest: Uint8Array.from([...group.rest, 0x12, 0x04, 0x12, 0x02, 0x2a, 0x7f]) },
    ])
    assert.throws(
      () => exporter.consume(broken),
      (error: Refusal) => error.code === 'invalid',
    )
    await host.clock.advance(1000)
    assert.equal(peer.requests.length, 0)
  })

  it('says by name what it does not support, and what cannot be', () => {
    const parse = (settings: object) =>
      prometheusRemoteWrite.config.safeParse({ endpoint: 'http://h/w', ...settings })
    assert.match(parse({ wal: { directory: '/tmp' } }).error!.message, /not supported yet/)
    const config = parse({
      translation_strategy: 'NoTranslation',
      convert_histograms_to_nhcb: true,
      headers: { 'content-type': 'x' },
    })
    const problems = prometheusRemoteWrite.check!(config.data, new Set())
    assert.deepEqual(
      problems.map(({ path, severity }) => [path.join('.'), severity]),
      [
        ['translation_strategy', undefined],
        ['convert_histograms_to_nhcb', undefined],
        ['headers.content-type', 'warning'],
      ],
    )
  })
})
