import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { certificate, certificatePath } from '../../../../test/kit/certificates.ts'
import { parseExposition } from '../../../../test/kit/exposition.ts'
import { gauge, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
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
