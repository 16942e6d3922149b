import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { certificate, certificatePath } from '../../../../test/kit/certificates.ts'
import { parseExposition } from '../../../../test/kit/exposition.ts'
import { delta, gauge, metricsBatch, point, sum } from '../../../../test/kit/metrics-request.ts'
import { type TestHost, testHost } from '../../../../test/kit/test-host.ts'
import { PrometheusExporter } from './prometheus-exporter.ts'
import { settings as schema } from './settings.ts'

async function scraped(config: object, use: (port: number) => Promise<void>): Promise<void> {
  const host = testHost({ signals: ['metrics'] })
  const settings = schema.parse({ endpoint: '127.0.0.1:0', ...config })
  const exporter = new PrometheusExporter(settings, host)
  await exporter.start()
  try {
    exporter.consume(metricsBatch([gauge('room', [point({ floor: '1' }, { asDouble: 21.5 })])]))
    await use(exporter.port!)
  } finally {
    await exporter.stop(AbortSignal.timeout(50))
  }
  assert.equal(host.clock.timerCount, 0)
}

async function scrape(port: number, options: RequestOptions): Promise<string> {
  const request = get({ host: 'localhost', port, path: '/metrics', agent: false, ...options })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  return String(response.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
}

const tls = { cert_file: certificatePath('server'), key_file: certificatePath('server-key') }
const trusting = { ca: certificate('authority') }

test('the page is served by TLS, gzip included', async () => {
  await scraped({ tls }, async (port) => {
    for (const encoding of ['identity', 'gzip']) {
      const page = await scrape(port, { ...trusting, headers: { 'accept-encoding': encoding } })
      const samples = parseExposition(page, 'text').get('room')?.samples
      assert.equal(samples?.[0].value, '21.5')
    }
    await assert.rejects(scrape(port, { ca: certificate('stranger') }))
  })
})

test('with client_ca_file a scraper needs a certificate of it', async () => {
  const config = { tls: { ...tls, client_ca_file: certificatePath('authority') } }
  await scraped(config, async (port) => {
    const as = (name: 'client' | 'intruder') =>
      scrape(port, { ...trusting, cert: certificate(name), key: certificate(`${name}-key`) })
    assert.match(await as('client'), /^room\{floor="1"\} 21\.5$/m)
    await assert.rejects(as('intruder'))
    await assert.rejects(scrape(port, trusting))
  })
})

const second = 1_000_000_000n
const shop = { 'service.name': 'shop', 'service.instance.id': 'a', 'host.name': 'h1' }

/** A page of counters in bytes, one of them of two deltas, by who offers OpenMetrics. */
async function pageOf(config: object, between: (host: TestHost) => Promise<void> = async () => {}) {
  const host = testHost({ signals: ['metrics'] })
  const settings = schema.parse({ endpoint: '127.0.0.1:0', ...config })
  const exporter = new PrometheusExporter(settings, host)
  await exporter.start()
  const counter = (name: string, timeUnixNano: bigint, fields: object) =>
    sum(name, [point({}, { timeUnixNano, asInt: 1n })], fields)
  const unit = { metric: { unit: 'By' } }
  const take = (...metrics: ReturnType<typeof sum>[]) =>
    exporter.consume(metricsBatch(metrics, { resource: shop, scope: { name: 'lib' } }))
  try {
    take(counter('hits', second, unit), counter('steps', second, { ...unit, sum: delta }))
    take(counter('falls', second, { ...unit, sum: delta }))
    await between(host)
    take(counter('steps', 2n * second, { ...unit, sum: delta }))
    const headers = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' }
    const answer = await fetch(`http://127.0.0.1:${exporter.port}/metrics`, { headers })
    const page = await answer.text()
    return `${page}told: ${answer.headers.get('x-told')}`
  } finally {
    await exporter.stop(AbortSignal.timeout(50))
  }
}

const told: [setting: object, page: RegExp][] = [
  [{ namespace: 'ns' }, /^ns_hits_bytes_total\{/m],
  [{ add_metric_suffixes: false }, /^hits\{/m],
  [{ translation_strategy: 'UnderscoreEscapingWithoutSuffixes' }, /^hits\{/m],
  [{ const_labels: { region: 'eu' } }, /^hits_bytes_total\{.*region="eu".*\} 1$/m],
  [{ send_timestamps: true }, /^hits_bytes_total\{.*\} 1 1000$/m],
  [{ without_scope_info: true }, /^hits_bytes_total\{(?!.*otel_scope).*\} 1$/m],
  [{ resource_constant_labels: { included: ['host.*'] } }, /^hits_.*host_name="h1"/m],
  [{ resource_to_telemetry_conversion: { enabled: true } }, /^hits_.*service_name="shop"/m],
  [
    { resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: true } },
    /^hits_bytes_total\{(?!.*service_name).*host_name="h1"/m,
  ],
  [{ keep_identifying_resource_attributes: true }, /^target_info\{.*service_name="shop"/m],
  [{ enable_open_metrics: true }, /^# EOF$/m],
  [{ max_series: 1 }, /^(?![\s\S]*steps_bytes)[\s\S]*hits_bytes/],
  [{ delta_to_cumulative: { max_streams: 1 } }, /^(?![\s\S]*falls_bytes)[\s\S]*steps_bytes/],
  [{ response_headers: { 'X-Told': 'yes' } }, /^told: yes$/m],
]

for (const [setting, expected] of told) {
  test(`the page is as it is told by ${JSON.stringify(setting)}`, async () => {
    assert.match(await pageOf(setting), expected)
    assert.doesNotMatch(await pageOf({}), expected)
  })
}

const lateness: [setting: object, page: RegExp][] = [
  [{ metric_expiration: '1m' }, /^(?![\s\S]*hits_bytes)[\s\S]*steps_bytes/],
  [{ delta_to_cumulative: { max_stale: '1m' } }, /^steps_bytes_total\{.*\} 1$/m],
]

for (const [setting, expected] of lateness) {
  test(`after two and a half minutes the page is as told by ${JSON.stringify(setting)}`, async () => {
    const wait = (host: TestHost) => host.clock.advance(150_000)
    assert.match(await pageOf(setting, wait), expected)
    assert.doesNotMatch(await pageOf({}, wait), expected)
  })
}
