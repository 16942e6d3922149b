/**
 * What only remote write 2.0 has: start times, metadata, UTF-8 names. Judged each time by a receiver that decodes with
 * protobufjs and enforces the specification, and by a Prometheus 3 if there is one.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { cumulative, gauge, point, sum } from '../kit/metrics-request.ts'
import {
  modernPrograms,
  type PrometheusProgram,
  PrometheusServer,
} from '../kit/prometheus-server.ts'
import { pushMetrics, untilSent } from '../kit/push-metrics.ts'
import type { PlainMessage } from '../kit/oracle.ts'
import {
  type RemoteWritePeer,
  startRemoteWritePeer,
  type WrittenSample,
} from '../kit/remote-write-peer.ts'

const exporter = (name: string, url: string, more: string) => `
  prometheus_remote_write/${name}:
    endpoint: ${url}
    protobuf_message: io.prometheus.write.v2.Request
    external_labels: { way: ${name} }
    remote_write_queue: { min_size: 0 }
    ${more}`

const gatewayYaml = (http: number, own: number, url: string) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
exporters: ${exporter('plain', url, '')}
${exporter('verbatim', url, 'translation_strategy: NoTranslation')}
${exporter('suffixed', url, 'translation_strategy: NoUTF8EscapingWithSuffixes')}
service:
  pipelines:
    metrics:
      receivers: [otlp]
      exporters:
        - prometheus_remote_write/plain
        - prometheus_remote_write/verbatim
        - prometheus_remote_write/suffixed
  telemetry: { metrics: { address: "127.0.0.1:${own}" } }
`

// It passes on what it stored, which tells what it took for metadata.
const serverYaml = (url: string) => `
global: {}
remote_write:
  - url: ${url}
    protobuf_message: io.prometheus.write.v2.Request
    send_native_histograms: true
    queue_config: { batch_send_deadline: 100ms }
`

describe('remote write 2.0 to a receiver that enforces the specification', () => strictSuite())

for (const program of modernPrograms('remote write 2.0')) {
  describe(`remote write 2.0 to ${program.title}`, () => suite(program))
}

function everyKind(startMs: number, timeMs: number): PlainMessage[] {
  const inNanos = (ms: number) => BigInt(ms) * 1_000_000n
  const times = { startTimeUnixNano: inNanos(startMs), timeUnixNano: inNanos(timeMs) }
  return [
    sum('http.server.sent', [point({ 'http.route': '/a' }, { ...times, asInt: 4n })], {
      metric: { description: 'What was sent.', unit: 'By' },
    }),
    gauge('fill', [point({}, { ...times, asDouble: 0.5 })], { unit: '1', description: 'Fill.' }),
    {
      name: 'http.server.duration',
      unit: 's',
      description: 'How long it took.',
      histogram: {
        ...cumulative,
        dataPoints: [{ ...times, count: 2n, sum: 3, explicitBounds: [1], bucketCounts: [1n, 1n] }],
      },
    },
    {
      name: 'wait',
      unit: 'ms',
      exponentialHistogram: {
        ...cumulative,
        dataPoints: [
          {
            ...times,
            count: 3n,
            sum: 5,
            scale: 0,
            positive: { offset: 0, bucketCounts: [1n, 2n] },
          },
        ],
      },
    },
    {
      name: 'spent',
      unit: 'h',
      description: 'Time\\that "was" spent.',
      summary: { dataPoints: [{ ...times, count: 1n, sum: 2 }] },
    },
  ]
}

/** Help, type and unit of every series of `plain`. */
function assertMetadata({ accepted }: RemoteWritePeer): void {
  const metadata = new Map(accepted.flatMap((request) => [...request.metadata]))
  const found = [...metadata]
    .filter(([series]) => series.includes('way="plain"') && !series.startsWith('last{'))
    .map(([series, { type, help, unit }]) => [series.split('{')[0], type, help, unit])
  const histogram = [3, 'How long it took.', 'seconds']
  const expected = [
    ['http_server_sent_bytes_total', 1, 'What was sent.', 'bytes'],
    ['fill_ratio', 2, 'Fill.', ''],
    ['http_server_duration_seconds_bucket', ...histogram],
    ['http_server_duration_seconds_bucket', ...histogram],
    ['http_server_duration_seconds_count', ...histogram],
    ['http_server_duration_seconds_sum', ...histogram],
    ['wait_milliseconds', 3, '', 'milliseconds'],
    ['spent_hours_count', 5, 'Time\\that "was" spent.', 'hours'],
    ['spent_hours_sum', 5, 'Time\\that "was" spent.', 'hours'],
    ['target_info', 2, 'Target metadata', ''],
  ]

  const inOrder = (rows: unknown[][]) => rows.map((row) => JSON.stringify(row)).sort()
  assert.deepEqual(inOrder(found), inOrder(expected))
}

function strictSuite(): void {
  let gateway: GatewayProcess
  let peer: RemoteWritePeer
  const baseMs = Date.now()
  const samples = (name: string, way: string): WrittenSample[] =>
    peer.accepted
      .flatMap((request) => request.samples)
      .filter(({ series }) => series.startsWith(`${name}{`) && series.includes(`way="${way}"`))

  before(async () => {
    peer = await startRemoteWritePeer()
    const [http, own] = await freePorts(2)
    gateway = await GatewayProcess.start(gatewayYaml(http, own, peer.url))
    await pushMetrics(http, everyKind(baseMs - 30_000, baseMs))
    await untilSent(own)
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await peer.close()
  })

  test('everything came by 2.0, and no rule of it was broken', () => {
    assert.deepEqual(peer.violations, [])
    assert.deepEqual([...new Set(peer.requests.map(({ version }) => version))], [2])
  })

  const values: [name: string, values: number[]][] = [
    ['http_server_sent_bytes_total', [4]],
    ['http_server_duration_seconds_bucket', [1, 2]],
    ['http_server_duration_seconds_count', [2]],
    ['http_server_duration_seconds_sum', [3]],
    ['spent_hours_count', [1]],
    ['spent_hours_sum', [2]],
  ]
  for (const [name, expected] of values) {
    test(`${name} has its start time`, () => {
      const found = samples(name, 'plain').sort((a, b) => a.value - b.value)
      assert.deepEqual(
        found.map((one) => [one.startMs - baseMs, one.timeMs - baseMs, one.value]),
        expected.map((value) => [-30_000, 0, value]),
      )
    })
  }

  test('a native histogram has its start time', () => {
    const [{ startMs, timeMs, histogram }] = samples('wait_milliseconds', 'plain')
    assert.deepEqual([startMs - baseMs, timeMs - baseMs], [-30_000, 0])
    const { countInt, sum: total, schema = 0, positiveDeltas } = histogram!
    assert.deepEqual([countInt, total, schema, positiveDeltas], [3n, 5, 0, [1n, 1n]])
  })

  test('a gauge has no start', () => {
    const [{ startMs, timeMs, value }] = samples('fill_ratio', 'plain')
    assert.deepEqual([startMs, timeMs - baseMs, value], [0, 0, 0.5])
  })

  test('help, type and unit are there', () => assertMetadata(peer))

  const verbatim: [name: string, way: string, label: string, value: number][] = [
    ['http.server.sent', 'verbatim', 'http.route="/a"', 4],
    ['http.server.sent_bytes_total', 'suffixed', 'http.route="/a"', 4],
    ['http.server.duration_count', 'verbatim', 'job="shop/checkout"', 2],
    ['http.server.duration_seconds_bucket', 'suffixed', 'le="1"', 1],
    ['target_info', 'verbatim', 'k8s.pod.name="checkout-0"', 1],
  ]
  for (const [name, way, label, value] of verbatim) {
    test(`${name} with ${label} comes as it is`, () => {
      const found = samples(name, way).filter(({ series }) => series.includes(label))
      assert.deepEqual(
        found.map((one) => one.value),
        [value],
      )
    })
  }
}

function suite(program: PrometheusProgram): void {
  let gateway: GatewayProcess
  let server: PrometheusServer
  let next: RemoteWritePeer
  let baseMs = 0

  before(async () => {
    next = await startRemoteWritePeer()
    server = await PrometheusServer.start(program, {
      features: [
        'created-timestamp-zero-ingestion',
        'metadata-wal-records',
        'type-and-unit-labels',
      ],
      config: serverYaml(next.url),
    })
    const [http, own] = await freePorts(2)
    gateway = await GatewayProcess.start(gatewayYaml(http, own, server.writeUrl))
    // What is older than its own start a server does not pass on.
    baseMs = Date.now()
    await pushMetrics(http, everyKind(baseMs - 30_000, baseMs))
    await pushMetrics(http, [
      gauge('last', [point({}, { timeUnixNano: BigInt(baseMs + 1) * 1_000_000n, asDouble: 1 })]),
    ])
    await untilSent(own)
    const isPassedOn = () =>
      [...next.values().keys()].filter((key) => key.startsWith('last{')).length
    await eventually(
      () => (isPassedOn() === 3 ? true : undefined),
      'the last sample, passed on',
      30_000,
    )
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await server.stop()
    await next.close()
  })

  const reset = [
    ['http_server_sent_bytes_total', '4'],
    ['http_server_duration_seconds_count', '2'],
    ['http_server_duration_seconds_sum', '3'],
    ['spent_hours_count', '1'],
  ] as const
  for (const [name, value] of reset) {
    test(`${name} begins with 0 at its start time`, async () => {
      const [{ values }] = await server.stored(`${name}{way="plain"}`)
      assert.deepEqual(
        values.map(([timeMs, text]) => [timeMs - baseMs, text]),
        [
          [-30_000, '0'],
          [0, value],
        ],
      )
    })
  }

  test('a native histogram begins empty at its start time', async () => {
    const [{ histograms }] = await server.stored('wait_milliseconds{way="plain"}')
    assert.deepEqual(
      histograms.map(([timeMs, { count, sum }]) => [timeMs - baseMs, count, sum]),
      [
        [-30_000, '0', '0'],
        [0, '3', '5'],
      ],
    )
  })

  test('a gauge has no start', async () => {
    const [{ values }] = await server.stored('fill_ratio{way="plain"}')
    assert.deepEqual(
      values.map(([timeMs, text]) => [timeMs - baseMs, text]),
      [[0, '0.5']],
    )
  })

  const kinds: [series: string, type: string | undefined, unit: string | undefined][] = [
    ['http_server_sent_bytes_total', 'counter', 'bytes'],
    ['fill_ratio', 'gauge', undefined],
    ['http_server_duration_seconds_bucket', 'histogram', 'seconds'],
    ['wait_milliseconds', 'histogram', 'milliseconds'],
    ['spent_hours_sum', 'summary', 'hours'],
    ['target_info', 'gauge', undefined],
  ]
  for (const [series, type, unit] of kinds) {
    test(`${series} is known as ${type} in ${unit}`, async () => {
      const [{ metric }] = await server.query(`${series}{way="plain"}`)
      assert.deepEqual([metric.__type__, metric.__unit__], [type, unit])
    })
  }

  test('help, type and unit reach whoever reads from the server by 2.0', () => {
    assert.deepEqual(next.violations, [])
    assertMetadata(next)
  })

  const verbatim: [query: string, value: number][] = [
    ['{"http.server.sent", way="verbatim", "http.route"="/a"}', 4],
    ['{"http.server.sent_bytes_total", way="suffixed", "http.route"="/a"}', 4],
    ['sum by ("http.route") ({"http.server.sent", way="verbatim"})', 4],
    ['{"http.server.duration_count", way="verbatim"}', 2],
    ['{"http.server.duration_seconds_bucket", way="suffixed", le="1"}', 1],
    ['histogram_quantile(0.5, {"http.server.duration_bucket", way="verbatim"})', 1],
    ['histogram_count({"wait_milliseconds", way="suffixed"})', 3],
    ['{"target_info", way="verbatim", "k8s.pod.name"="checkout-0"}', 1],
  ]
  for (const [query, value] of verbatim) {
    test(`${query} is found`, async () => assert.equal(await server.number(query), value))
  }
}
