import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { certificate, certificatePath } from '../../../../test/kit/certificates.ts'
import { startHttpPeer } from '../../../../test/kit/http-peer.ts'
import { delta, gauge, metricsBatch, point, sum } from '../../../../test/kit/metrics-request.ts'
import { closeRemoteWrites, startRemoteWrite, v2 } from '../../../../test/kit/remote-write-rig.ts'
import { until } from '../../../../test/kit/until.ts'

const second = 1_000_000_000n
const source = {
  resource: { 'service.name': 'shop', 'host.name': 'h1' },
  scope: { name: 'lib' },
}
const counter = (name: string, timeUnixNano: bigint, fields: object = {}) =>
  sum(name, [point({}, { timeUnixNano, asInt: 1n })], { metric: { unit: 'By' }, ...fields })
const fills = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    gauge(`fill${index}`, [point({}, { timeUnixNano: second, asInt: 1n })]),
  )

afterEach(closeRemoteWrites)

/** All that was written, a line a sample, after minutes between the first and the second half of it. */
async function written(settings: object, minutes = 0): Promise<string> {
  const { peer, host, exporter, settled } = await startRemoteWrite({
    target_info: { enabled: true },
    ...settings,
  })
  const push = async (...metrics: ReturnType<typeof sum>[]) => {
    await exporter.consume(metricsBatch(metrics, source))
    await settled()
  }
  await push(counter('hits', second), counter('steps', second, { sum: delta }))
  await push(counter('falls', second, { sum: delta }))
  await host.clock.advance(minutes * 60_000)
  await push(counter('steps', 2n * second, { sum: delta }))
  assert.deepEqual(peer.violations, [])
  const lines = [...peer.values()].flatMap(([series, values]) =>
    values.map(([timeMs, value]) => `${series} ${value} ${timeMs}`),
  )
  return lines.join('\n')
}

const series: [setting: object, lines: RegExp, minutes?: number][] = [
  [{ namespace: 'ns' }, /^ns_hits_bytes_total\{/m],
  [{ add_metric_suffixes: false }, /^hits\{/m],
  [{ ...v2, translation_strategy: 'NoTranslation' }, /^hits\{.*otel_scope_name/m],
  [{ external_labels: { region: 'eu' } }, /^hits_bytes_total\{.*region="eu"/m],
  [{ disable_scope_info: true }, /^hits_bytes_total\{(?!.*otel_scope)/m],
  [{ resource_constant_labels: { included: ['host.*'] } }, /^hits_.*host_name="h1"/m],
  [{ resource_to_telemetry_conversion: { enabled: true } }, /^hits_.*service_name="shop"/m],
  [
    { resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: true } },
    /^hits_bytes_total\{(?!.*service_name).*host_name="h1"/m,
  ],
  [{ keep_identifying_resource_attributes: true }, /^target_info\{.*service_name="shop"/m],
  [{ target_info: { enabled: false } }, /^(?![\s\S]*target_info)/],
  [{ delta_to_cumulative: { max_streams: 1 } }, /^(?![\s\S]*falls_bytes)[\s\S]*steps_bytes/],
  [{ delta_to_cumulative: { max_stale: '1m' } }, /^steps_bytes_total\{.*\} 1 2000$/m, 3],
]

describe('remote write', () => {
  for (const [setting, expected, minutes] of series) {
    it(`writes as it is told by ${JSON.stringify(setting)}`, async () => {
      assert.match(await written(setting, minutes), expected)
      assert.doesNotMatch(await written({}, minutes), expected)
    })
  }

  it('compresses as hard as compression_params.level says', async () => {
    const lengthAt = async (level: number | undefined) => {
      const { peer, push } = await startRemoteWrite({
        compression: 'zstd',
        compression_params: { level },
        remote_write_queue: { num_consumers: 1 },
      })
      await push(...fills(2000))
      assert.deepEqual(peer.violations, [])
      return Number(peer.requests[0].headers['content-length'])
    }
    const [byDefault, fast, small] = [
      await lengthAt(undefined),
      await lengthAt(1),
      await lengthAt(19),
    ]
    assert.equal(byDefault, fast)
    assert.ok(small < fast, `${small} bytes at level 19, ${fast} at level 1`)
  })

  it('names the host that headers say', async () => {
    const { peer, push } = await startRemoteWrite({ headers: { Host: 'mimir.example.com' } })
    await push(counter('hits', second))
    assert.equal(peer.requests[0].headers.host, 'mimir.example.com')
  })
})

describe('the connections of remote write', () => {
  /** A server and every connection it was ever asked for. */
  async function serve(listener: RequestListener) {
    const sockets: Socket[] = []
    const server = createServer(listener).on('connection', (socket: Socket) => sockets.push(socket))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`
    const close = () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
    return { url, sockets, close }
  }
  const succeed: RequestListener = (request, response) =>
    void request.resume().on('end', () => response.writeHead(204).end())

  for (const [max_conns_per_host, expected] of [
    [0, 3],
    [1, 1],
    [2, 2],
  ]) {
    it(`are ${max_conns_per_host || 'many'} at a time with max_conns_per_host ${max_conns_per_host}`, async (context) => {
      const waiting: (() => void)[] = []
      const server = await serve((request, response) => {
        waiting.push(() => response.writeHead(204).end())
        request.resume()
      })
      context.after(server.close)
      const { exporter, settled } = await startRemoteWrite({
        endpoint: server.url,
        max_conns_per_host,
      })
      await exporter.consume(metricsBatch(fills(100), source))
      await until(() => waiting.length >= expected)
      const answering = setInterval(() => waiting.splice(0).forEach((answer) => answer()), 1)
      context.after(() => clearInterval(answering))
      await settled()
      assert.ok(max_conns_per_host === 0 || server.sockets.length === expected)
    })
  }

  for (const [kept, expected] of [
    [{ disable_keep_alives: false }, 1],
    [{ disable_keep_alives: true }, 2],
    [{ keepalive: { enabled: false } }, 2],
    [{ disable_keep_alives: true, keepalive: {} }, 1],
  ] as const) {
    it(`are ${expected} for two requests with ${JSON.stringify(kept)}`, async (context) => {
      const server = await serve(succeed)
      context.after(server.close)
      const { push } = await startRemoteWrite({
        endpoint: server.url,
        ...kept,
        max_conns_per_host: 1,
      })
      await push(counter('hits', second))
      await push(counter('hits', 2n * second))
      assert.equal(server.sockets.length, expected)
    })
  }

  for (const [hint, idle] of [
    ['', { idle_conn_timeout: '20ms' }],
    ['timeout=60', { idle_conn_timeout: '20ms' }],
    ['', { keepalive: { idle_conn_timeout: '20ms' } }],
  ] as const) {
    it(`end by ${JSON.stringify(idle)}, whatever the server asks: ${hint}`, async (context) => {
      const server = await serve((request, response) => {
        if (hint !== '') response.setHeader('keep-alive', hint)
        else response.setHeader('connection', 'keep-alive')
        succeed(request, response)
      })
      context.after(server.close)
      const { push } = await startRemoteWrite({ endpoint: server.url, ...idle })
      await push(counter('hits', second))
      await until(() => server.sockets[0].closed)
    })
  }

  it('go through proxy_url', async (context) => {
    const asked: string[] = []
    const proxy = await serve((request, response) => {
      asked.push(request.url ?? '')
      succeed(request, response)
    })
    context.after(proxy.close)
    const { push } = await startRemoteWrite({
      endpoint: 'http://far.invalid/api/v1/write',
      proxy_url: new URL(proxy.url).origin,
    })
    await push(counter('hits', second))
    assert.deepEqual(asked, ['http://far.invalid/api/v1/write'])
  })

  it('are secured as tls says', async (context) => {
    const server = await startHttpPeer({
      cert: certificate('server'),
      key: certificate('server-key'),
    })
    context.after(() => server.close())
    const write = async (tls: object) => {
      const { push, host } = await startRemoteWrite({
        endpoint: server.url.replace('127.0.0.1', 'localhost'),
        tls,
        retry_on_failure: { enabled: false },
      })
      await push(counter('hits', second))
      return [server.requests.splice(0).length, host.drops.length]
    }
    assert.deepEqual(await write({ ca_file: certificatePath('authority') }), [1, 0])
    assert.deepEqual(await write({}), [0, 1])
  })
})
