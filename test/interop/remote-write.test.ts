/** Real Prometheus servers take what the gateway writes to them, and answer with the exact values that were pushed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { freePorts, GatewayProcess, seriesValue } from '../kit/gateway-process.ts'
import { cumulative, delta, gauge, point, sum } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'
import {
  type FoundExemplar,
  numberOf,
  type PrometheusProgram,
  prometheusPrograms,
  PrometheusServer,
} from '../kit/prometheus-server.ts'
import { pushMetrics, untilSent } from '../kit/push-metrics.ts'
import { assertClassic, assertCustom, assertExactNumbers, assertNative } from './assert-stored.ts'
import { classicMetric, exactNumbersMetric, exponentialMetric } from './metric-cases.ts'

const ways = ['1.0', '2.0'] as const
const traceId = 'ab'.repeat(16)
const spanId = 'cd'.repeat(8)

const gatewayYaml = (options: { http: number; own: number; url: string }) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
exporters:
  prometheusremotewrite:
    endpoint: ${options.url}
    external_labels: { way: "1.0" }
    send_metadata: true
    remote_write_queue: { min_size: 0 }
  prometheusremotewrite/v2:
    endpoint: ${options.url}
    external_labels: { way: "2.0" }
    protobuf_message: io.prometheus.write.v2.Request
    remote_write_queue: { min_size: 0 }
  prometheusremotewrite/custom:
    endpoint: ${options.url}
    external_labels: { way: custom }
    protobuf_message: io.prometheus.write.v2.Request
    convert_histograms_to_nhcb: true
    remote_write_queue: { min_size: 0 }
service:
  pipelines:
    metrics:
      receivers: [otlp]
      exporters: [prometheusremotewrite, prometheusremotewrite/v2, prometheusremotewrite/custom]
  telemetry: { metrics: { address: "127.0.0.1:${options.own}" } }
`

for (const program of prometheusPrograms()) {
  describe(`remote write to ${program.title}`, () => suite(program))
}

function suite(program: PrometheusProgram): void {
  const isModern = program.major >= 3
  const baseMs = Date.now() - 60_000
  const at = (ms: number) => ({ timeUnixNano: BigInt(baseMs + ms) * 1_000_000n })
  const from = (ms: number) => ({ startTimeUnixNano: BigInt(baseMs + ms) * 1_000_000n })
  const exemplar = (ms: number, value: number) => ({
    ...at(ms),
    asDouble: value,
    traceId: `hex:${traceId}`,
    spanId: `hex:${spanId}`,
    filteredAttributes: [{ key: 'user.id', value: { stringValue: 'u1' } }],
  })
  let gateway: GatewayProcess
  let server: PrometheusServer
  let http = 0
  let own = 0

  before(async () => {
    const features = isModern
      ? ['promql-experimental-functions', 'st-storage']
      : ['native-histograms']
    server = await PrometheusServer.start(program, { features })
    ;[http, own] = await freePorts(2)
    gateway = await GatewayProcess.start(gatewayYaml({ http, own, url: server.writeUrl }))
    await pushAll()
    await untilSent(own)
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await server.stop()
  })

  const push = (...metrics: PlainMessage[]) => pushMetrics(http, metrics)

  const summary = (fields: PlainMessage): PlainMessage => ({
    name: 'spent',
    unit: 's',
    summary: { dataPoints: [fields] },
  })
  const native = (name: string, fields: PlainMessage): PlainMessage => ({
    name,
    exponentialHistogram: { ...cumulative, dataPoints: [{ scale: 0, ...fields }] },
  })
  const classic = (name: string, fields: PlainMessage): PlainMessage => ({
    name,
    histogram: { ...cumulative, dataPoints: [{ explicitBounds: [1, 10], ...fields }] },
  })

  async function pushAll(): Promise<void> {
    const times = { ...from(-1000), ...at(0) }
    // Of a native histogram in a 1.0 message, servers look at the exemplars before they know the series.
    await push(native('weights', { ...at(-500), count: 1n, sum: 1, zeroCount: 1n }))
    await push(
      exactNumbersMetric('exact', times),
      classicMetric('lag', times),
      exponentialMetric('wait', times),
      sum(
        'orders.placed',
        [
          {
            ...point({ 'payment.method': 'card' }, { ...times, asDouble: 41.5 }),
            exemplars: [exemplar(-1, 1.5)],
          },
        ],
        { metric: { description: 'Orders that were placed.', unit: '{order}' } },
      ),
      classic('sizes', {
        ...times,
        count: 3n,
        sum: 26,
        bucketCounts: [1n, 1n, 1n],
        exemplars: [exemplar(-3, 0.5), exemplar(-2, 5), exemplar(-1, 20.5)],
      }),
      native('weights', {
        ...times,
        count: 2n,
        sum: 3.5,
        positive: { offset: 0, bucketCounts: [1n, 1n] },
        exemplars: [exemplar(-2, 1.5), exemplar(-1, 2)],
      }),
      summary({
        ...times,
        count: 4n,
        sum: 8,
        quantileValues: [
          { quantile: 0.5, value: 2 },
          { quantile: 0.999, value: NaN },
        ],
      }),
    )
    // A counter that begins anew after its second point, and the steps of a delta.
    for (const [index, value] of [10, 20, 5, 8].entries()) {
      const start = from(index < 2 ? -1000 : 1500)
      await push(
        sum('restarted', [point({}, { ...start, ...at(index * 1000), asDouble: value })]),
        sum(
          'steps',
          [
            point(
              {},
              { ...from(index * 1000 - 1000), ...at(index * 1000), asInt: BigInt(index + 1) },
            ),
          ],
          { sum: delta },
        ),
        {
          name: 'growing',
          histogram: {
            ...delta,
            dataPoints: [
              {
                ...from(index * 1000 - 1000),
                ...at(index * 1000),
                count: 2n,
                sum: 3,
                explicitBounds: [1],
                bucketCounts: [1n, 1n],
              },
            ],
          },
        },
      )
    }
    // Series that have a value and then none.
    const ended = { ...at(2000), flags: 1 }
    await push(
      gauge('gone', [point({}, { ...at(1000), asDouble: 1 })]),
      classic('gone.sizes', { ...at(1000), count: 1n, sum: 1, bucketCounts: [1n, 0n, 0n] }),
      native('gone.weights', { ...at(1000), count: 1n, sum: 1, zeroCount: 1n }),
      { ...summary({ ...at(1000), count: 1n, sum: 1 }), name: 'gone.spent' },
    )
    await push(
      gauge('gone', [point({}, ended)]),
      classic('gone.sizes', ended),
      native('gone.weights', ended),
      { ...summary(ended), name: 'gone.spent' },
    )
    // All in its first bucket, then in its second, which is at other bounds.
    const bounded = (times: object, explicitBounds: number[], bucketCounts: bigint[]) => {
      const fields = { ...times, count: 4n, sum: 8, explicitBounds, bucketCounts }
      return { name: 'rebounded', histogram: { ...cumulative, dataPoints: [fields] } }
    }
    await push(bounded(at(1000), [0.5, 1000], [4n, 0n, 0n]))
    await push(bounded(at(2000), [1, 2, 1000], [0n, 4n, 0n, 0n]))
    // And the quantiles of a summary.
    for (const [ms, quantile] of [
      [1000, 0.5],
      [2000, 0.9],
    ]) {
      const quantileValues = [{ quantile, value: ms }]
      await push({
        ...summary({ ...at(ms), count: 1n, sum: 1, quantileValues }),
        name: 'requantiled',
      })
    }
    // And those of a service that is restarted in another version.
    for (const [version, metric] of [
      [1, bounded({ ...from(500), ...at(1000) }, [0.5, 1000], [4n, 0n, 0n])],
      [2, bounded({ ...from(1500), ...at(2000) }, [1, 2, 1000], [0n, 4n, 0n, 0n])],
    ] as const) {
      const resource = { 'service.name': 'upgraded', 'service.version': version }
      await pushMetrics(http, [{ ...metric, name: 'upgraded' }], { resource })
    }
    // One that Prometheus refuses for good, among good ones.
    await push(
      gauge('good', [point({}, { ...at(3000), asDouble: 7 })]),
      gauge('ancient', [point({}, { ...at(-86_400_000), asDouble: 1 })]),
      gauge('also.good', [point({}, { ...at(3000), asDouble: 8 })]),
    )
  }

  for (const way of ways) {
    const only = `way="${way}"`
    const labels = { job: 'shop/checkout', instance: 'pod-1', way }

    test(`${way}: numbers are what was pushed, to the last digit`, async () => {
      await assertExactNumbers(server, 'exact', only)
    })

    test(`${way}: classic histograms and their quantiles`, async () => {
      await assertClassic(server, 'lag_seconds', only)
    })

    test(`${way}: native histograms and their quantiles`, async () => {
      await assertNative(server, program, 'wait_seconds', only)
    })

    const expected: [name: string, value: number, labels: Record<string, string>][] = [
      ['orders_placed_total', 41.5, { payment_method: 'card' }],
      ['spent_seconds', 2, { quantile: '0.5' }],
      ['spent_seconds', NaN, { quantile: '0.999' }],
      ['spent_seconds_sum', 8, {}],
      ['spent_seconds_count', 4, {}],
      ['target_info', 1, { k8s_pod_name: 'checkout-0' }],
      ['good', 7, {}],
      ['also_good', 8, {}],
    ]
    for (const [name, value, more] of expected) {
      test(`${way}: ${name} ${JSON.stringify(more)} has the value that was pushed`, async () => {
        const selector = Object.entries(more).map(([key, text]) => `${key}="${text}"`)
        const found = await server.query(`${name}{${[only, ...selector].join()}}`)
        assert.deepEqual(
          found.map(({ metric, value }) => [metric, numberOf(value!)]),
          [[{ __name__: name, ...labels, ...more }, value]],
        )
      })
    }

    test(`${way}: a counter that began anew is a reset, and its every value is there`, async () => {
      const [{ values }] = await server.stored(`restarted_total{${only}}`)
      assert.deepEqual(
        values.map(([timeMs, value]) => [timeMs - baseMs, value]),
        [
          [0, '10'],
          [1000, '20'],
          [2000, '5'],
          [3000, '8'],
        ],
      )
      assert.equal(await server.number(`resets(restarted_total{${only}}[5m])`), 1)
    })

    test(`${way}: deltas become what was accumulated, in order`, async () => {
      const [{ values }] = await server.stored(`steps_total{${only}}`)
      assert.deepEqual(
        values.map(([timeMs, value]) => [timeMs - baseMs, value]),
        [
          [0, '1'],
          [1000, '3'],
          [2000, '6'],
          [3000, '10'],
        ],
      )
      const buckets = await server.stored(`growing_bucket{${only},le="1"}`)
      assert.deepEqual(
        buckets.map(({ values }) => values.map(([, value]) => value)),
        [['1', '2', '3', '4']],
      )
      assert.equal(await server.number(`growing_sum{${only}}`), 12)
    })

    test(`${way}: what has no recorded value any more is over at once`, async () => {
      const selector = `{__name__=~"gone.*",${only}}`
      assert.deepEqual(await server.query(selector), [])
      const stored = await server.stored(selector)
      assert.deepEqual(
        stored.map(({ metric, values, histograms }) => [
          metric.__name__,
          metric.le,
          [...values, ...histograms].map(([timeMs]) => timeMs - baseMs),
        ]),
        [
          ['gone', undefined, [1000]],
          ['gone_sizes_bucket', '+Inf', [1000]],
          ['gone_sizes_bucket', '1', [1000]],
          ['gone_sizes_bucket', '10', [1000]],
          ['gone_sizes_count', undefined, [1000]],
          ['gone_sizes_sum', undefined, [1000]],
          ['gone_spent_seconds_count', undefined, [1000]],
          ['gone_spent_seconds_sum', undefined, [1000]],
          ['gone_weights', undefined, [1000]],
        ],
      )
      // A moment before they ended they were all there.
      assert.equal((await server.query(selector, baseMs + 1999)).length, stored.length)
    })

    test(`${way}: buckets and quantiles of before are over with the point that has others`, async () => {
      const parts = async (timeMs?: number) => {
        const found = await server.query(`{__name__=~"re(bounded|quantiled).*",${only}}`, timeMs)
        const ofParts = found.filter(({ metric }) => metric.le ?? metric.quantile)
        return Object.fromEntries(
          ofParts.map(({ metric: { __name__: name, le, quantile }, value }) => [
            `${name} ${le ?? quantile}`,
            Number(value),
          ]),
        )
      }
      const before = {
        'rebounded_bucket 0.5': 4,
        'rebounded_bucket 1000': 4,
        'rebounded_bucket +Inf': 4,
        'requantiled_seconds 0.5': 1000,
      }
      const after = {
        'rebounded_bucket 1': 0,
        'rebounded_bucket 2': 4,
        'rebounded_bucket 1000': 4,
        'rebounded_bucket +Inf': 4,
        'requantiled_seconds 0.9': 2000,
      }
      assert.deepEqual(await parts(baseMs + 1999), before)
      assert.deepEqual(await parts(baseMs + 2000), after)
      assert.deepEqual(await parts(), after)
      // Of (1, 2]. With a bucket of before, it would lie in that.
      const median = `histogram_quantile(0.5, rebounded_bucket{${only}})`
      assert.equal(await server.number(median), 1.5)
      assert.equal(await server.number(median, baseMs + 1999), 0.25)
    })

    test(`${way}: a service in another version has but the buckets of that`, async () => {
      const selector = `upgraded_bucket{${only}}`
      const bounds = async (timeMs?: number) =>
        (await server.query(selector, timeMs)).map(({ metric }) => metric.le).toSorted()
      assert.deepEqual(await bounds(baseMs + 1999), ['+Inf', '0.5', '1000'])
      assert.deepEqual(await bounds(), ['+Inf', '1', '1000', '2'])
      assert.equal(await server.number(`histogram_quantile(0.5, ${selector})`), 1.5)
    })

    test(`${way}: target_info joins by job and instance`, async () => {
      // Not that of the other service, of which two versions have one each.
      const info = `target_info{job="${labels.job}"}`
      const join = `* on (job, instance, way) group_left (k8s_pod_name) ${info}`
      const found = await server.query(`orders_placed_total{${only}} ${join}`)
      assert.deepEqual(
        found.map(({ metric, value }) => [metric.k8s_pod_name, value]),
        [['checkout-0', '41.5']],
      )
    })

    test(`${way}: exemplars are found by their series, with ids, attributes and times`, async () => {
      const withAll = (ms: number, value: string) => ({
        labels: { trace_id: traceId, span_id: spanId, user_id: 'u1' },
        value,
        timeMs: baseMs + ms,
      })
      const own = `instance="pod-1",job="shop/checkout"`
      const found = await server.exemplars(
        `{__name__=~"orders_placed_total|sizes.*|weights",${only}}`,
      )
      const expected: [string, FoundExemplar[]][] = [
        [`orders_placed_total{${own},payment_method="card",${only}}`, [withAll(-1, '1.5')]],
        [`sizes_bucket{${own},le="+Inf",${only}}`, [withAll(-1, '20.5')]],
        [`sizes_bucket{${own},le="1",${only}}`, [withAll(-3, '0.5')]],
        [`sizes_bucket{${own},le="10",${only}}`, [withAll(-2, '5')]],
        [`weights{${own},${only}}`, [withAll(-2, '1.5'), withAll(-1, '2')]],
      ]
      assert.deepEqual(found, new Map(expected))
    })
  }

  test('histograms have custom buckets where the server knows them, and else are classic', async () => {
    const only = 'way="custom"'
    if (isModern) await assertCustom(server, 'lag_seconds', only)
    else await assertClassic(server, 'lag_seconds', only)
    assert.equal((await server.query(`gone_sizes{${only}}`)).length, 0)
  })

  test('the one sample that the server refuses is counted by cause and logged once, with its series', async () => {
    assert.deepEqual(await server.stored('ancient'), [])
    const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
    for (const exporter of ['prometheusremotewrite', 'prometheusremotewrite/v2']) {
      const rejected = page
        .split('\n')
        .filter((line) => /rejected_samples\{/.test(line) && line.includes(`"${exporter}"`))
        .filter((line) => !line.endsWith(' 0'))
      assert.equal(rejected.length, 1, rejected.join('\n'))
      assert.match(rejected[0], /cause="out_of_bounds".* 1$/)
      const failed = `otelcol_exporter_send_failed_metric_points{exporter="${exporter}"}`
      assert.equal(seriesValue(page, failed), 1)
    }
    const lines = gateway.log.split(/\n(?=\[)/).filter((line) => line.includes('ancient'))
    assert.equal(lines.length, 3, lines.join('\n'))
  })

  test('2.0 is given up once for a server that does not know it, and never for one that does', async () => {
    const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
    const fallbacks = 'penstock_exporter_prometheusremotewrite_fallbacks'
    const value = seriesValue(page, `${fallbacks}{exporter="prometheusremotewrite/v2"}`)
    assert.equal(value, isModern ? 0 : 1)
  })
}
