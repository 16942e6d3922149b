/**
 * Real Prometheus servers that refuse some of what is written, and that are killed and started again: the good arrives,
 * the bad is counted by cause, nothing acknowledged is lost, and every series stays in order.
 */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { cumulative, gauge, point, sum } from '../kit/metrics-request.ts'
import {
  type PrometheusProgram,
  prometheusPrograms,
  PrometheusServer,
} from '../kit/prometheus-server.ts'
import { pushMetrics, untilSent } from '../kit/push-metrics.ts'

const messages = {
  '1.0': 'prometheus.WriteRequest',
  '2.0': 'io.prometheus.write.v2.Request',
} as const

const gatewayYaml = (options: {
  http: number
  own: number
  url: string
  message: string
  queue: string
}) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
exporters:
  prometheus_remote_write:
    endpoint: ${options.url}
    protobuf_message: ${options.message}
    target_info: { enabled: false }
    remote_write_queue: ${options.queue}
    retry_on_failure: { initial_interval: 20ms, max_interval: 200ms }
service:
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus_remote_write] } }
  telemetry: { metrics: { address: "127.0.0.1:${options.own}" } }
`

for (const program of prometheusPrograms()) {
  // The newer one always takes them.
  if (program.major < 3) describe(`${program.title} without native histograms`, () => bare(program))
  for (const version of ['1.0', '2.0'] as const) {
    // The older server does not know 2.0: what it gets is 1.0.
    if (version === '2.0' && program.major < 3) continue
    describe(`${program.title} by ${version}`, () => suite(program, messages[version]))
  }
}

function suite(program: PrometheusProgram, message: string): void {
  const features = program.major >= 3 ? [] : ['native-histograms']
  let server: PrometheusServer
  let gateway: GatewayProcess
  let http = 0
  let own = 0
  let baseMs = 0
  const at = (ms: number) => ({ timeUnixNano: BigInt(baseMs + ms) * 1_000_000n })

  before(async () => {
    server = await PrometheusServer.start(program, { features })
    ;[http, own] = await freePorts(2)
    baseMs = Date.now() - 60_000
  })

  afterEach(async () => {
    assert.equal(await gateway.stop(), 0)
  })

  after(async () => {
    await server.stop()
  })

  async function start(queue: string): Promise<void> {
    gateway = await GatewayProcess.start(
      gatewayYaml({ http, own, url: server.writeUrl, message, queue }),
    )
  }

  async function ownMetrics(pattern: RegExp): Promise<string[]> {
    const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
    return page.split('\n').filter((line) => pattern.test(line) && !line.endsWith(' 0'))
  }

  test('bad series among good ones: the good arrive, the bad are counted by cause and logged once', async () => {
    // All in one shard and so in one request, and three times.
    await start('{ num_consumers: 1, min_size: 0 }')
    for (const round of [0, 1, 2]) {
      const ms = round * 1000
      const good = Array.from({ length: 40 }, (_, index) =>
        point({ index: String(index) }, { ...at(ms), asDouble: round * 100 + index }),
      )
      await pushMetrics(http, [
        gauge('good', good.slice(0, 20)),
        gauge('ancient', [point({}, { ...at(ms - 86_400_000), asDouble: 1 })]),
        gauge('good', good.slice(20)),
        // A 2.x server would take one from the future, and then nothing of today.
        gauge('older.still', [point({}, { ...at(ms - 2 * 86_400_000), asDouble: 1 })]),
        {
          name: 'good.weights',
          exponentialHistogram: {
            ...cumulative,
            dataPoints: [
              { ...at(ms), count: BigInt(round), sum: 0, scale: 0, zeroCount: BigInt(round) },
            ],
          },
        },
      ])
    }
    await untilSent(own)
    for (const { metric, values } of await server.stored('good')) {
      const index = Number(metric.index)
      const expected = [0, 1, 2].map((round) => [
        baseMs + round * 1000,
        String(round * 100 + index),
      ])
      assert.deepEqual(values, expected, metric.index)
    }
    assert.equal(await server.number('count(good)'), 40)
    const [{ histograms }] = await server.stored('good_weights')
    assert.deepEqual(
      histograms.map(([, { count }]) => count),
      ['0', '1', '2'],
    )
    assert.deepEqual(await server.stored('{__name__=~"ancient|older_still"}'), [])
    assert.deepEqual(await ownMetrics(/rejected_samples\{/), [
      'penstock_exporter_prometheusremotewrite_rejected_samples{exporter="prometheus_remote_write",cause="out_of_bounds"} 6',
    ])
    assert.deepEqual(await ownMetrics(/^otelcol_exporter_(sent|send_failed)_metric_points\{/), [
      'otelcol_exporter_sent_metric_points{exporter="prometheus_remote_write"} 123',
      'otelcol_exporter_send_failed_metric_points{exporter="prometheus_remote_write"} 6',
    ])
    for (const name of ['ancient', 'older_still']) {
      assert.equal(gateway.log.split(name).length - 1, 1, gateway.log)
    }
  })

  test('a sample older than what its series has is refused alone', async () => {
    await start('{ num_consumers: 1, min_size: 0 }')
    baseMs += 10_000
    await pushMetrics(http, [gauge('mixed', [point({}, { ...at(1000), asDouble: 1 })])])
    await untilSent(own)
    assert.equal(await gateway.stop(), 0)
    // A gateway that was started again does not know what the other sent.
    await start('{ num_consumers: 1, min_size: 0 }')
    await pushMetrics(http, [
      gauge('before', [point({}, { ...at(2000), asDouble: 1 })]),
      gauge('mixed', [point({}, { ...at(0), asDouble: 2 })]),
      gauge('behind', [point({}, { ...at(2000), asDouble: 1 })]),
    ])
    await pushMetrics(http, [gauge('mixed', [point({}, { ...at(3000), asDouble: 3 })])])
    await untilSent(own)
    const [{ values }] = await server.stored('mixed')
    assert.deepEqual(
      values.map(([timeMs, value]) => [timeMs - baseMs, value]),
      [
        [1000, '1'],
        [3000, '3'],
      ],
    )
    assert.equal((await server.query('{__name__=~"before|behind"}')).length, 2)
    assert.deepEqual(await ownMetrics(/rejected_samples\{/), [
      'penstock_exporter_prometheusremotewrite_rejected_samples{exporter="prometheus_remote_write",cause="out_of_order"} 1',
    ])
  })

  test('of 4000 series with three samples each 40 are bad: all that is good arrives, all that is bad is counted once', async () => {
    const [seriesCount, times] = [4000, [1000, 2000, 3000]]
    // What the server says first is not of order, so that what is late might be taken for stored.
    const isAncient = (index: number) => index % 200 === 7
    const isLate = (index: number) => index % 200 === 107
    const indices = Array.from({ length: seriesCount }, (_, index) => index)
    const points = (some: readonly number[], someTimes: readonly number[]) =>
      some.flatMap((index) =>
        someTimes.map((ms) =>
          point(
            { index: String(index) },
            { ...at(isAncient(index) ? ms - 86_400_000 : ms), asDouble: index * 10_000 + ms },
          ),
        ),
      )
    await start('{ num_consumers: 1, min_size: 0 }')
    baseMs += 10_000
    await pushMetrics(http, [gauge('mass', points(indices.filter(isLate), [2500]))])
    await untilSent(own)
    assert.equal(await gateway.stop(), 0)
    // A gateway that was started again does not know what the other sent.
    await start('{ num_consumers: 1, min_size: 0 }')
    await pushMetrics(http, [gauge('mass', points(indices, times))])
    await untilSent(own)
    const stored = await server.stored('mass')
    const found = new Map(stored.map(({ metric, values }) => [Number(metric.index), values]))
    for (const index of indices.filter((one) => !isAncient(one))) {
      const expected = (isLate(index) ? [2500, 3000] : times).map((ms) => [
        baseMs + ms,
        String(index * 10_000 + ms),
      ])
      assert.deepEqual(found.get(index), expected, String(index))
    }
    assert.equal(found.size, seriesCount - 20)
    assert.deepEqual(await ownMetrics(/rejected_samples\{/), [
      'penstock_exporter_prometheusremotewrite_rejected_samples{exporter="prometheus_remote_write",cause="out_of_order"} 40',
      'penstock_exporter_prometheusremotewrite_rejected_samples{exporter="prometheus_remote_write",cause="out_of_bounds"} 60',
    ])
    assert.deepEqual(await ownMetrics(/^otelcol_exporter_(sent|send_failed)_metric_points\{/), [
      'otelcol_exporter_sent_metric_points{exporter="prometheus_remote_write"} 11900',
      'otelcol_exporter_send_failed_metric_points{exporter="prometheus_remote_write"} 100',
    ])
  })

  test('a server that is killed and started again gets everything, in order', async () => {
    await start('{ num_consumers: 4, min_size: 50 }')
    baseMs = Date.now() - 30_000
    // Enough for all shards: neighbours share one.
    const [seriesCount, pushCount] = [150, 120]
    const push = (number: number) => {
      const points = Array.from({ length: seriesCount }, (_, index) =>
        point(
          { index: String(index) },
          { ...at(number * 10), asInt: BigInt(number * 1000 + index) },
        ),
      )
      return pushMetrics(http, [sum('ticks', points)])
    }
    let isDown: Promise<void> | undefined
    for (let number = 0; number < pushCount; number++) {
      await push(number)
      // In the midst of what is being sent.
      if (number === pushCount / 3) isDown = server.kill()
      if (number === (pushCount * 2) / 3) {
        await isDown
        await server.start()
      }
    }
    await untilSent(own)
    const stored = await server.stored('ticks_total')
    assert.equal(stored.length, seriesCount)
    for (const { metric, values } of stored) {
      const expected = Array.from({ length: pushCount }, (_, number) => [
        baseMs + number * 10,
        String(number * 1000 + Number(metric.index)),
      ])
      assert.deepEqual(values, expected, metric.index)
    }
    assert.match(gateway.log, /ECONNREFUSED|ECONNRESET|closed|other side/i)
  })
}

/** A server that refuses whole requests because of native histograms, and as if it were its own fault. */
function bare(program: PrometheusProgram): void {
  test('gets all else at once, and what it cannot take is counted', async () => {
    const server = await PrometheusServer.start(program)
    const [http, own] = await freePorts(2)
    const queue = '{ num_consumers: 1, min_size: 0 }'
    const gateway = await GatewayProcess.start(
      gatewayYaml({ http, own, url: server.writeUrl, message: messages['1.0'], queue }),
    )
    const time = { timeUnixNano: BigInt(Date.now()) * 1_000_000n }
    const indices = Array.from({ length: 40 }, (_, index) => index)
    const dataPoint = { ...time, count: 1n, sum: 0, scale: 0, zeroCount: 1n }
    try {
      await pushMetrics(http, [
        gauge('before', [point({}, { ...time, asDouble: 1 })]),
        { name: 'native', exponentialHistogram: { ...cumulative, dataPoints: [dataPoint] } },
        gauge(
          'after',
          indices.map((index) => point({ index: String(index) }, { ...time, asDouble: index })),
        ),
      ])
      await untilSent(own)
      assert.equal(await server.number('count({__name__=~"before|after"})'), 41)
      const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
      assert.match(page, /rejected_samples\{[^}]*cause="native_histograms_disabled"\} 1\n/)
      assert.match(page, /sent_metric_points\{exporter="prometheus_remote_write"\} 41\n/)
      assert.match(gateway.log, /native\{.*native histograms are disabled/s)
    } finally {
      assert.equal(await gateway.stop(), 0)
      await server.stop()
    }
  })
}
