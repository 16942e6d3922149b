import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { testHost } from '../../../../test/kit/test-host.ts'
import { HealthCheck } from './health-check.ts'
import { healthCheck } from './index.ts'

const ready = { isReady: true, reason: '', readySinceMs: Date.UTC(2026, 0, 1) }

async function withPage(
  options: { settings?: object; status?: object },
  use: (url: string, host: ReturnType<typeof testHost>) => Promise<void>,
): Promise<void> {
  const settings = healthCheck.config.parse({ endpoint: '127.0.0.1:0', ...options.settings })
  const host = testHost()
  const page = healthCheck.create(settings, { ...host, status: { ...ready, ...options.status } })
  assert(page instanceof HealthCheck)
  await page.start()
  try {
    await use(`http://127.0.0.1:${page.port}`, host)
  } finally {
    await page.stop(AbortSignal.timeout(1000))
  }
}

test('a ready gateway answers 200 with since when it has been up', async () => {
  await withPage({}, async (url, host) => {
    await host.clock.advance(3_723_500)
    const response = await fetch(url)
    assert.equal(response.status, 200)
    assert.equal(response.headers.get('content-type'), 'application/json')
    assert.deepEqual(await response.json(), {
      status: 'Server available',
      upSince: '2026-01-01T00:00:00.000Z',
      uptime: '1h2m3.5s',
    })
  })
})

test('a gateway that is not ready answers 503 with the reason', async () => {
  const status = { isReady: false, reason: 'shutting down', readySinceMs: 0 }
  await withPage({ status }, async (url) => {
    const response = await fetch(url)
    assert.equal(response.status, 503)
    assert.deepEqual(await response.json(), {
      status: 'Server not available',
      upSince: '0001-01-01T00:00:00Z',
      uptime: '',
      reason: 'shutting down',
    })
  })
})

test('only the configured path answers, and one ending in a slash answers below it', async () => {
  const statusOf = async (path: string, asked: string) => {
    let status = 0
    await withPage({ settings: { path } }, async (url) => {
      const response = await fetch(url + asked)
      status = response.status
      await response.text()
    })
    return status
  }
  assert.equal(await statusOf('/', '/health?full=1'), 200)
  assert.equal(await statusOf('/health', '/health?full=1'), 200)
  assert.equal(await statusOf('/health', '/'), 404)
  assert.equal(await statusOf('/health', '/health/x'), 404)
  assert.equal(await statusOf('/health/', '/health/x'), 200)
})

test('localhost is the IPv4 loopback address, whatever the resolver says first', async () => {
  await withPage({ settings: { endpoint: 'localhost:0' } }, async (url) => {
    assert.equal((await fetch(url)).status, 200)
  })
})

test('own bodies replace the JSON', async () => {
  const settings = { response_body: { healthy: 'fine' } }
  await withPage({ settings }, async (url) => {
    assert.equal(await (await fetch(url)).text(), 'fine')
  })
  const status = { isReady: false, reason: 'starting' }
  await withPage({ settings, status }, async (url) => {
    const { reason } = (await (await fetch(url)).json()) as { reason: string }
    assert.equal(reason, 'starting', 'the other body is still ours')
  })
})

test('a port in use is an error at start, and stop does not wait for idle clients', async () => {
  await withPage({}, async (url) => {
    const { host } = new URL(url)
    const settings = healthCheck.config.parse({ endpoint: host })
    const second = healthCheck.create(settings, testHost())
    await assert.rejects(async () => second.start?.(), /^Error: endpoint .*EADDRINUSE/)
    const idle = connect(Number(new URL(url).port), '127.0.0.1')
    await new Promise((done) => idle.once('connect', done))
  })
})

test('what belongs to the second version is refused by name', () => {
  const complaintOf = (settings: object) => {
    const { error } = healthCheck.config.safeParse(settings)
    return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join()
  }
  assert.match(complaintOf({ use_v2: true })!, /^use_v2 is not supported yet/)
  assert.match(complaintOf({ grpc: { endpoint: 'x:1' } })!, /^grpc is not supported yet/)
  assert.match(complaintOf({ http: {} })!, /^http is not supported yet/)
  assert.match(complaintOf({ component_health: {} })!, /^component_health is not supported yet/)
  assert.equal(
    complaintOf({ use_v2: false, check_collector_pipeline: { interval: '1m' } }),
    undefined,
  )
})
