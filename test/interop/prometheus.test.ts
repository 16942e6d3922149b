/** Debian's Prometheus scrapes what the official SDK pushed through a gateway, and answers queries with its values. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { debianProgram } from '../kit/debian-package.ts'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import {
  numberOf,
  type PrometheusProgram,
  prometheusPrograms,
  PrometheusServer,
} from '../kit/prometheus-server.ts'

const gatewayYaml = (ports: { http: number; exposition: number; own: number }) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${ports.http}" } } }
exporters:
  prometheus:
    endpoint: 127.0.0.1:${ports.exposition}
    const_labels: { cluster: east-1 }
    enable_open_metrics: true
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus] }
  telemetry: { metrics: { address: "127.0.0.1:${ports.own}" } }
`

const serverYaml = (ports: { exposition: number; own: number }) => `
global: { scrape_interval: 1s }
scrape_configs:
  - job_name: exposition
    honor_labels: true
    static_configs: [{ targets: ["127.0.0.1:${ports.exposition}"] }]
  - job_name: own
    static_configs: [{ targets: ["127.0.0.1:${ports.own}"] }]
`

const identity = {
  job: 'shop/checkout',
  instance: 'pod-1',
  cluster: 'east-1',
  otel_scope_name: 'orders',
  otel_scope_version: '2.0',
}

const expected: [name: string, value: string, labels: Record<string, string>][] = [
  ['orders_placed_total', '41.5', { payment_method: 'card' }],
  ['carts_open', '-3', {}],
  ['queue_fill_ratio', '0.75', {}],
  ['recovery_action_duration_milliseconds_count', '5', { action: 'restart' }],
  ['recovery_action_duration_milliseconds_sum', '5605', { action: 'restart' }],
]

for (const program of prometheusPrograms()) {
  describe(`${program.title} and what an SDK pushed`, () => suite(program))
}

function suite(program: PrometheusProgram): void {
  let gateway: GatewayProcess
  let server: PrometheusServer

  before(async () => {
    const [http, exposition, own] = await freePorts(3)
    gateway = await GatewayProcess.start(gatewayYaml({ http, exposition, own }))
    await push(http)
    server = await PrometheusServer.start(program, { config: serverYaml({ exposition, own }) })
    const areUp = async () => ((await server.query('up == 1')).length === 2 ? true : undefined)
    await eventually(areUp, 'two scraped targets', 30_000)
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await server.stop()
  })

  for (const [name, value, labels] of expected) {
    test(`${name} has the value that was pushed, and its labels`, async () => {
      const [sample, ...others] = await server.query(name)
      assert.deepEqual(others, [])
      assert.equal(sample.value, value)
      const { otel_scope_schema_url: _, ...rest } = sample.metric
      assert.deepEqual(rest, { __name__: name, ...identity, ...labels })
    })
  }

  test('histogram buckets are cumulative and complete', async () => {
    const buckets = await server.query('recovery_action_duration_milliseconds_bucket')
    const byBound = Object.fromEntries(
      buckets.map(({ metric, value }) => [Number(metric.le.replace('+Inf', 'Infinity')), value]),
    )
    assert.deepEqual(byBound, { 10: '1', 100: '3', 1000: '4', Infinity: '5' })
  })

  test('histogram_quantile gives what the buckets say', async () => {
    const [median] = await server.query(
      'histogram_quantile(0.5, recovery_action_duration_milliseconds_bucket)',
    )
    // Rank 2.5 of 5 lies in (10, 100], which holds 2 after 1: 10 + 90 * (2.5 - 1) / 2.
    assert.equal(numberOf(median.value!), 77.5)
  })

  test('target_info carries the other resource attributes', async () => {
    const [info] = await server.query('target_info{job="shop/checkout"}')
    assert.deepEqual([info.value, info.metric.k8s_pod_name], ['1', 'checkout-0'])
  })

  test('own counters are scraped under both ages of their names', async () => {
    for (const name of [
      'otelcol_receiver_accepted_metric_points',
      'otelcol_receiver_accepted_metric_points_total',
    ]) {
      const [sample] = await server.query(`${name}{receiver="otlp"}`)
      // Four points, exported twice: by the flush and by the shutdown.
      assert.equal(sample.value, '8', name)
    }
  })
}

test('promtool accepts the scrape configuration that we ship', () => {
  const file = new URL('../../deploy/prometheus/prometheus.yml', import.meta.url).pathname
  const checked = spawnSync(debianProgram('promtool', 'prometheus'), ['check', 'config', file], {
    encoding: 'utf8',
  })
  assert.equal(checked.status, 0, checked.stderr)
})

async function push(http: number): Promise<void> {
  const exporter = new OTLPMetricExporter({ url: `http://127.0.0.1:${http}/v1/metrics` })
  const provider = new MeterProvider({
    resource: resourceFromAttributes({
      'service.name': 'checkout',
      'service.namespace': 'shop',
      'service.instance.id': 'pod-1',
      'k8s.pod.name': 'checkout-0',
    }),
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 })],
  })
  const meter = provider.getMeter('orders', '2.0')
  meter
    .createCounter('orders.placed', { unit: '1', description: 'Orders placed.' })
    .add(41.5, { 'payment.method': 'card' })
  meter.createUpDownCounter('carts.open', { description: 'Open carts.' }).add(-3)
  meter
    .createObservableGauge('queue.fill', { unit: '1', description: 'Fill.' })
    .addCallback((result) => result.observe(0.75))
  const duration = meter.createHistogram('recovery.action.duration', {
    unit: 'ms',
    description: 'Duration of recovery actions.',
    advice: { explicitBucketBoundaries: [10, 100, 1000] },
  })
  for (const value of [5, 50, 50, 500, 5000]) duration.record(value, { action: 'restart' })
  await provider.forceFlush()
  await provider.shutdown()
}
