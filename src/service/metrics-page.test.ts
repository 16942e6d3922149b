import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testHost } from '../../test/kit/test-host.ts'
import { metricsPageServer } from './metrics-page.ts'
import { OwnMetrics } from './own-metrics.ts'

async function serving(
  metrics: OwnMetrics,
  use: (origin: string) => Promise<void>,
): Promise<ReturnType<typeof testHost>> {
  const host = testHost()
  const server = metricsPageServer('127.0.0.1:0', metrics, host)
  await server.start()
  try {
    await use(`http://127.0.0.1:${server.port}`)
  } finally {
    await server.stop(AbortSignal.timeout(50))
  }
  return host
}

test('own metrics are at /metrics, for reading only', async () => {
  const metrics = new OwnMetrics()
  metrics.gauge('doors', 'Open doors.').set(3)
  const host = await serving(metrics, async (origin) => {
    const page = await fetch(`${origin}/metrics?x=1`)
    assert.match(page.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(await page.text(), /^doors 3$/m)
    const statuses = [
      (await fetch(`${origin}/`)).status,
      (await fetch(`${origin}/metrics`, { method: 'POST' })).status,
      (await fetch(`${origin}/metrics`, { method: 'HEAD' })).status,
    ]
    assert.deepEqual(statuses, [404, 405, 200])
  })
  assert.equal(host.clock.timerCount, 0)
})

test('a page that cannot be made is an error, and the server lives on', async () => {
  const metrics = new OwnMetrics()
  let isBroken = true
  metrics.observe('doors', 'Open doors.', {}, () => {
    if (isBroken) throw new Error('no doors')
    return 3
  })
  await serving(metrics, async (origin) => {
    const failed = await fetch(`${origin}/metrics`)
    assert.equal(failed.status, 500)
    assert.match(await failed.text(), /no doors/)
    isBroken = false
    assert.equal((await fetch(`${origin}/metrics`)).status, 200)
  })
})
