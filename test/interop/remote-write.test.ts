/** Debian's Prometheus takes what the gateway writes to it, and answers queries with the exact values that were pushed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { debianProgram } from '../kit/debian-package.ts'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { cumulative, delta, gauge, metricsRequest, point, sum } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'

const prometheusProgram = debianProgram('prometheus', 'prometheus')
const [http, own, prometheusPort] = await freePorts(3)
const folder = mkdtempSync(join(tmpdir(), 'penstock-remote-write-'))

const gatewayYaml = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
exporters:
  prometheusremotewrite:
    endpoint: http://127.0.0.1:${prometheusPort}/api/v1/write
    external_labels: { cluster: east-1 }
    send_metadata: true
    remote_write_queue: { min_size: 0 }
  prometheusremotewrite/v2:
    endpoint: http://127.0.0.1:${prometheusPort}/api/v1/write
    external_labels: { cluster: west-2 }
    protobuf_message: io.prometheus.write.v2.Request
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheusremotewrite, prometheusremotewrite/v2] }
  telemetry: { metrics: { address: "127.0.0.1:${own}" } }
`

let gateway: GatewayProcess
let prometheus: ChildProcess
const nowMs = Date.now() - 5000
const at = (ms: number) => ({ timeUnixNano: BigInt(nowMs + ms) * 1_000_000n })
const from = (ms: number) => ({ startTimeUnixNano: BigInt(nowMs + ms) * 1_000_000n })

before(async () => {
  const file = join(folder, 'prometheus.yml')
  writeFileSync(file, 'global: {}\n')
  prometheus = spawn(
    prometheusProgram,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${prometheusPort}`,
      '--web.enable-remote-write-receiver',
      '--enable-feature=exemplar-storage,native-histograms',
    ],
    { stdio: 'ignore' },
  )
  const isReady = async () =>
    (await fetch(`http://127.0.0.1:${prometheusPort}/-/ready`).catch(() => undefined))?.ok ||
    undefined
  await eventually(isReady, 'Prometheus', 30_000)
  gateway = await GatewayProcess.start(gatewayYaml)
  await pushAll()
  await eventually(
    async () => (await query('last_one')).length === 2 || undefined,
    'the last sample by both exporters',
    30_000,
  )
})

after(async () => {
  const exited = new Promise((done) => prometheus.once('exit', done))
  prometheus.kill('SIGTERM')
  await exited
  assert.equal(await gateway.stop(), 0)
  rmSync(folder, { recursive: true, force: true })
})

async function push(...metrics: PlainMessage[]): Promise<void> {
  const resource = {
    'service.name': 'checkout',
    'service.namespace': 'shop',
    'service.instance.id': 'pod-1',
    'k8s.pod.name': 'checkout-0',
  }
  const answer = await fetch(`http://127.0.0.1:${http}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: Buffer.from(metricsRequest(metrics, { resource })),
  })
  assert.equal(answer.status, 200)
}

async function pushAll(): Promise<void> {
  await push(
    sum('orders.placed', [
      {
        ...point({ 'payment.method': 'card' }, { ...from(-1000), ...at(0), asDouble: 41.5 }),
        exemplars: [{ ...at(-1), asDouble: 1.5, traceId: `hex:${'ab'.repeat(16)}` }],
      },
    ]),
    gauge('queue.fill', [point({}, { ...at(0), asDouble: 0.1 + 0.2 })], { unit: '1' }),
    gauge('gone', [point({}, { ...at(0), asDouble: 1 })]),
    {
      name: 'lag',
      unit: 's',
      histogram: {
        ...cumulative,
        dataPoints: [
          {
            ...at(0),
            count: 6n,
            sum: 9.5,
            explicitBounds: [0.005, 1, 10],
            bucketCounts: [1n, 2n, 3n, 0n],
          },
        ],
      },
    },
    {
      name: 'wait',
      unit: 's',
      exponentialHistogram: {
        ...cumulative,
        dataPoints: [
          {
            ...at(0),
            count: 10n,
            sum: 40,
            scale: 0,
            zeroCount: 2n,
            // (1, 2]: 2, (2, 4]: 4, (4, 8]: 2.
            positive: { offset: 0, bucketCounts: [2n, 4n, 2n] },
          },
        ],
      },
    },
  )
  // Steps of a delta, a series that ends, and one that is a day too old among good ones.
  for (let step = 1; step <= 4; step++) {
    await push(
      sum('steps', [point({}, { ...from(step * 100 - 100), ...at(step * 100), asDouble: step })], {
        sum: delta,
      }),
    )
  }
  await push(
    gauge('gone', [point({}, { ...at(500), flags: 1 })]),
    gauge('ancient', [point({}, { ...at(-86_400_000), asDouble: 1 })]),
    gauge('good', [point({}, { ...at(500), asDouble: 7 })]),
  )
  await push(gauge('last.one', [point({}, { ...at(600), asDouble: 1 })]))
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: string
}

async function api(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const search = new URLSearchParams(parameters).toString()
  const answer = await fetch(`http://127.0.0.1:${prometheusPort}/api/v1/${path}?${search}`)
  return ((await answer.json()) as { data: unknown }).data
}

async function query(expression: string): Promise<Sample[]> {
  const data = (await api('query', { query: expression })) as {
    result: { metric: Record<string, string>; value: [number, string] }[]
  }
  return data.result.map(({ metric, value }) => ({ metric, value: value[1] }))
}

for (const cluster of ['east-1', 'west-2']) {
  const own = { job: 'shop/checkout', instance: 'pod-1', cluster }
  const only = `{cluster="${cluster}"}`

  const expected: [name: string, value: string, labels: Record<string, string>][] = [
    ['orders_placed_total', '41.5', { payment_method: 'card' }],
    ['queue_fill_ratio', '0.30000000000000004', {}],
    ['lag_seconds_count', '6', {}],
    ['lag_seconds_sum', '9.5', {}],
    ['steps_total', '10', {}],
    ['good', '7', {}],
    ['target_info', '1', { k8s_pod_name: 'checkout-0' }],
  ]
  for (const [name, value, labels] of expected) {
    test(`${cluster}: ${name} has the value that was pushed, and its labels`, async () => {
      assert.deepEqual(await query(`${name}${only}`), [
        { metric: { __name__: name, ...own, ...labels }, value },
      ])
    })
  }

  test(`${cluster}: histogram_quantile agrees with the buckets, classic and native`, async () => {
    const quantile = async (series: string) =>
      Number((await query(`histogram_quantile(0.5, ${series})`))[0].value)
    // Rank 3 of 6 is the end of (0.005, 1].
    assert.equal(await quantile(`lag_seconds_bucket${only}`), 1)
    // Rank 5 of 10: 2 zeros, 2 in (1, 2], so the first quarter of (2, 4], linear in this version.
    assert.equal(await quantile(`wait_seconds${only}`), 2.5)
    assert.equal((await query(`histogram_count(wait_seconds${only})`))[0].value, '10')
    assert.equal((await query(`histogram_sum(wait_seconds${only})`))[0].value, '40')
  })

  test(`${cluster}: every step of a delta is there, in order`, async () => {
    const data = (await api('query', { query: `steps_total${only}[5m]` })) as {
      result: { values: [number, string][] }[]
    }
    assert.deepEqual(
      data.result[0].values.map(([seconds, value]) => [Math.round(seconds * 1000) - nowMs, value]),
      [
        [100, '1'],
        [200, '3'],
        [300, '6'],
        [400, '10'],
      ],
    )
  })

  test(`${cluster}: a series without a recorded value is over at once`, async () => {
    assert.deepEqual(await query(`gone${only}`), [])
    const data = (await api('query', { query: `gone${only}[5m]` })) as {
      result: { values: unknown[] }[]
    }
    assert.equal(data.result[0].values.length, 1)
  })

  test(`${cluster}: the exemplar is found by its series`, async () => {
    const [found] = (await api('query_exemplars', {
      query: `orders_placed_total${only}`,
      start: String(nowMs / 1000 - 60),
      end: String(nowMs / 1000 + 60),
    })) as { exemplars: { labels: Record<string, string>; value: string }[] }[]
    assert.deepEqual(
      found.exemplars.map(({ labels, value }) => [labels.trace_id, value]),
      [['ab'.repeat(16), '1.5']],
    )
  })
}

test('the one sample that Prometheus refuses is counted by cause, and no other', async () => {
  assert.deepEqual(await query('ancient'), [])
  const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
  const lines = page
    .split('\n')
    .filter(
      (line) => /rejected_samples(_total)?\{.*\} [^0]/.test(line) && !line.includes('_total{'),
    )
  assert.equal(lines.length, 2, page)
  for (const line of lines) assert.match(line, /cause="out_of_bounds".* 1$/)
})

test('2.0 was given up once for a server that does not know it', async () => {
  const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
  assert.match(page, /fallbacks\{[^}]*v2[^}]*\} 1\n/)
})
