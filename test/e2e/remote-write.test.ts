/** A real gateway writes to a receiver that judges every message, and that fails in every way a server can. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, freePorts, GatewayProcess, seriesValue } from '../kit/gateway-process.ts'
import { cumulative, delta, gauge, point, sum } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'
import { pushMetrics } from '../kit/push-metrics.ts'
import { startRemoteWritePeer, type WrittenRequest } from '../kit/remote-write-peer.ts'

const messages = {
  1: 'prometheus.WriteRequest',
  2: 'io.prometheus.write.v2.Request',
} as const

const gatewayYaml = (options: {
  http: number
  own: number
  url: string
  version: 1 | 2
  queue: string
}) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
exporters:
  prometheus_remote_write:
    endpoint: ${options.url}
    protobuf_message: ${messages[options.version]}
    send_metadata: true
    remote_write_queue: ${options.queue}
    retry_on_failure: { initial_interval: 10ms, max_interval: 50ms }
service:
  pipelines: { metrics: { receivers: [otlp], exporters: [prometheus_remote_write] } }
  telemetry: { metrics: { address: "127.0.0.1:${options.own}" } }
`

const baseMs = Date.now() - 600_000
const at = (ms: number) => ({ timeUnixNano: BigInt(baseMs + ms) * 1_000_000n })

async function gatewayTo(url: string, version: 1 | 2, queue: string) {
  const [http, own] = await freePorts(2)
  const gateway = await GatewayProcess.start(gatewayYaml({ http, own, url, version, queue }))
  const page = async () => (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
  return { gateway, http, page }
}

/** Points of every type, of this many series each, with exemplars and starts. */
function everyType(number: number, seriesCount: number): PlainMessage[] {
  const times = { startTimeUnixNano: BigInt(baseMs - 1000) * 1_000_000n, ...at(number * 10) }
  const between = { startTimeUnixNano: at(number * 10 - 10).timeUnixNano, ...at(number * 10) }
  const exemplars = [{ ...at(number * 10), asDouble: 0.5, traceId: `hex:${'ab'.repeat(16)}` }]
  const each = (fields: PlainMessage) =>
    Array.from({ length: seriesCount }, (_, index) => point({ index: String(index) }, fields))
  return [
    gauge('fill', each({ ...times, asDouble: number }), { unit: '1', description: 'Fill.' }),
    sum('ticks', each({ ...times, asInt: BigInt(number), exemplars })),
    sum('steps', each({ ...between, asDouble: 1 }), { sum: delta }),
    {
      name: 'lag',
      unit: 's',
      histogram: {
        ...cumulative,
        dataPoints: each({
          ...times,
          count: BigInt(number),
          sum: number,
          explicitBounds: [1],
          bucketCounts: [BigInt(number), 0n],
          exemplars,
        }),
      },
    },
    {
      name: 'wait',
      exponentialHistogram: {
        ...cumulative,
        dataPoints: each({
          ...times,
          count: BigInt(number),
          scale: 3,
          positive: { offset: -2, bucketCounts: [BigInt(number)] },
          exemplars,
        }),
      },
    },
    {
      name: 'spent',
      summary: { dataPoints: each({ ...times, count: BigInt(number), sum: number }) },
    },
  ]
}

for (const version of [1, 2] as const) {
  test(`${version}.0: through every failure each series arrives whole and in order, from many shards`, async () => {
    const peer = await startRemoteWritePeer()
    const [pushCount, seriesCount] = [60, 20]
    let requestCount = 0
    peer.respond = () => {
      requestCount++
      if (requestCount % 11 === 0) return 'cut'
      if (requestCount % 7 === 0) return { status: 500 }
      return requestCount % 5 === 0 ? { status: 429 } : undefined
    }
    const queue = '{ num_consumers: 8, min_size: 100, flush_timeout: 20ms }'
    const { gateway, http, page } = await gatewayTo(peer.url, version, queue)
    try {
      for (let number = 1; number <= pushCount; number++) {
        await pushMetrics(http, everyType(number, seriesCount))
      }
      const sent = 'otelcol_exporter_sent_metric_points{exporter="prometheus_remote_write"}'
      const total = pushCount * seriesCount * 6
      const isSent = async () => (seriesValue(await page(), sent) === total ? true : undefined)
      await eventually(isSent, `${total} points sent\n${gateway.log}`, 30_000)

      assert.deepEqual(peer.violations, [])
      const values = peer.values()
      for (const name of [
        'ticks_total',
        'steps_total',
        'fill_ratio',
        'lag_seconds_sum',
        'spent_sum',
      ]) {
        for (let index = 0; index < seriesCount; index++) {
          const series = `${name}{index="${index}",instance="pod-1",job="shop/checkout"}`
          const expected = Array.from({ length: pushCount }, (_, number) => [
            baseMs + (number + 1) * 10,
            number + 1,
          ])
          assert.deepEqual(values.get(series), expected, series)
        }
      }
      const histograms = peer.accepted.flatMap(({ samples }) =>
        samples.filter(({ histogram }) => histogram !== undefined),
      )
      const whole = new Set(histograms.map(({ series, timeMs }) => `${series} ${timeMs}`))
      assert.equal(whole.size, pushCount * seriesCount)
      const exemplars = peer.accepted.flatMap((request) => request.exemplars)
      assert.ok(exemplars.length >= pushCount * seriesCount * 3)
      if (version === 2) {
        const starts = new Set(peer.accepted.flatMap(({ samples }) => samples).map(startedAs))
        assert.deepEqual([...starts].sort(), ['gauge not', 'other started', 'steps started'])
      }
      assert.ok(peer.requests.some(({ headers }) => headers['retry-attempt'] !== undefined))
    } finally {
      assert.equal(await gateway.stop(), 0)
      await peer.close()
    }
  })

  test(`${version}.0: nothing overtakes what waits for as long as Retry-After asks`, async () => {
    const peer = await startRemoteWritePeer()
    // Enough for both shards: neighbours share one.
    const seriesCount = 500
    const refused: { atMs: number; bytes: Uint8Array }[] = []
    const again: { waitedMs: number; isSame: boolean }[] = []
    // By shard: the series of a request tell which it is.
    const waiting = new Map<string, number>()
    const shardOf = ({ samples }: WrittenRequest) => samples[0].series
    peer.respond = (request) => {
      const shard = shardOf(request)
      const before = waiting.get(shard)
      if (before === undefined) {
        waiting.set(shard, refused.length)
        refused.push({ atMs: performance.now(), bytes: request.bytes })
        const status = refused.length % 2 === 0 ? 429 : 503
        return { status, headers: { 'Retry-After': '1' } }
      }
      if (before >= 0) {
        const { atMs, bytes } = refused[before]
        const isSame = Buffer.from(bytes).equals(request.bytes)
        again.push({ waitedMs: performance.now() - atMs, isSame })
        waiting.set(shard, -1)
      }
      return undefined
    }
    const queue = '{ num_consumers: 2, min_size: 0 }'
    const { gateway, http } = await gatewayTo(peer.url, version, queue)
    try {
      // Always in one order, so that a shard's requests begin with the same series.
      for (let number = 1; number <= 5; number++) {
        const points = Array.from({ length: seriesCount }, (_, index) =>
          point({ index: String(index) }, { ...at(number * 10), asInt: BigInt(number) }),
        )
        await pushMetrics(http, [sum('ticks', points)], {})
      }
      const isWhole = () => {
        const series = [...peer.values().values()]
        return series.length === seriesCount && series.every(({ length }) => length === 5)
          ? true
          : undefined
      }
      await eventually(isWhole, 'every sample')
      assert.deepEqual(peer.violations, [])
      assert.equal(again.length, 2)
      for (const { waitedMs, isSame } of again) {
        assert.ok(waitedMs >= 990, `after ${waitedMs} ms`)
        assert.ok(isSame, 'something else came first')
      }
    } finally {
      assert.equal(await gateway.stop(), 0)
      await peer.close()
    }
  })
}

test('2.0: a server that knows only 1.0 gets everything by 1.0, whichever way it says so', async () => {
  for (const old of [{ status: 415 }, { status: 204 }]) {
    const peer = await startRemoteWritePeer()
    peer.respond = (request) => (request.version === 2 ? old : undefined)
    const { gateway, http } = await gatewayTo(peer.url, 2, '{ num_consumers: 3, min_size: 0 }')
    try {
      for (let number = 1; number <= 5; number++) await pushMetrics(http, everyType(number, 5))
      assert.equal(await gateway.stop(), 0)
      const v1 = peer.requests.filter(({ version }) => version === 1)
      const series = new Map<string, number[]>()
      for (const { series: key, value } of v1.flatMap(({ samples }) => samples)) {
        if (key.startsWith('ticks_total{')) series.set(key, [...(series.get(key) ?? []), value])
      }
      assert.equal(series.size, 5)
      for (const [key, values] of series) assert.deepEqual(values, [1, 2, 3, 4, 5], key)
    } finally {
      await gateway.stop()
      await peer.close()
    }
  }
})

function startedAs({ series, startMs }: { series: string; startMs: number }): string {
  const state = startMs === 0 ? 'not' : 'started'
  if (/^(fill_ratio|target_info)\{/.test(series)) return `gauge ${state}`
  return series.startsWith('steps_total{') ? `steps ${state}` : `other ${state}`
}
