import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { settle } from '../../../../test/kit/manual-clock.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { HttpServer } from '../../../kit/http/http-server.ts'
import { MetricsPage, type RenderPage } from './metrics-page.ts'
import { settings as schema } from './settings.ts'

async function serving(
  options: { config?: object; render?: RenderPage },
  use: (port: number, host: ReturnType<typeof testHost>, page: MetricsPage) => Promise<void>,
): Promise<void> {
  const host = testHost()
  const settings = schema.parse({ endpoint: '127.0.0.1:0', ...options.config })
  const render = options.render ?? (() => texts('a 1\n', 'b 2\n'))
  const page = new MetricsPage(settings, host, render)
  const server = new HttpServer({ settings, where: '', routes: [page.route] }, host)
  await server.start()
  try {
    await use(server.port!, host, page)
  } finally {
    await server.stop(AbortSignal.timeout(50))
  }
  assert.equal(host.clock.timerCount, 0)
}

function texts(...pieces: string[]): Iterator<Uint8Array> {
  return pieces.map((piece) => Buffer.from(piece)).values()
}

async function ask(port: number, path: string, headers = {}): Promise<IncomingMessage> {
  const [response] = (await once(get({ port, path, headers, agent: false }), 'response')) as [
    IncomingMessage,
  ]
  return response
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const result = (host: ReturnType<typeof testHost>, name: string) =>
  host.meter.value('penstock_exporter_prometheus_scrapes', { exporter: host.id, result: name })

test('the page is at /metrics, and only there, and only to be read', async () => {
  const config = { response_headers: { 'x-served-by': 'penstock' } }
  await serving({ config }, async (port, host) => {
    const page = await ask(port, '/metrics?x=1')
    assert.equal(page.statusCode, 200)
    assert.equal(page.headers['x-served-by'], 'penstock')
    assert.match(page.headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/)
    assert.equal(String(await bodyOf(page)), 'a 1\nb 2\n')
    assert.equal((await ask(port, '/')).statusCode, 404)
    const posted = await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })
    assert.equal(posted.status, 405)
    await posted.text()
    const head = await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(result(host, 'complete'), 2)
  })
})

test('gzip for who accepts it', async () => {
  await serving({}, async (port) => {
    const page = await ask(port, '/metrics', { 'accept-encoding': 'gzip' })
    assert.equal(page.headers['content-encoding'], 'gzip')
    assert.equal(String(gunzipSync(await bodyOf(page))), 'a 1\nb 2\n')
  })
})

/** A page far beyond what sockets hold, that tells how much of it was made. */
function longPage(): { render: RenderPage; madeCount: () => number } {
  let madeCount = 0
  const pieces = function* () {
    for (; madeCount < 4000; madeCount++) yield Buffer.alloc(65_536, 'x')
  }
  return { render: pieces, madeCount: () => madeCount }
}

test('a reader that does not read holds no memory, is cut off at its deadline, and blocks nobody', async () => {
  const { render, madeCount } = longPage()
  const config = { max_concurrent_scrapes: 1, write_timeout: '10s' }
  await serving({ config, render }, async (port, host) => {
    const slow = connect(port, '127.0.0.1')
    await once(slow, 'connect')
    slow.pause()
    slow.write('GET /metrics HTTP/1.1\r\nhost: x\r\nx-prometheus-scrape-timeout-seconds: 2\r\n\r\n')
    let before = -1
    while (madeCount() === 0 || madeCount() !== before) {
      before = madeCount()
      await settle()
    }
    assert(before < 400, `${before} pieces were made for a reader of none`)
    const second = await ask(port, '/metrics')
    assert.equal(second.statusCode, 503)
    assert.equal(second.headers['retry-after'], '1')
    await bodyOf(second)
    await host.clock.advance(2001)
    assert.equal(result(host, 'aborted'), 1)
    assert.equal(result(host, 'refused'), 1)
    slow.destroy()
  })
})

/** A reader of nothing, once its page waits for it. */
async function stalledReader(port: number, madeCount: () => number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.pause()
  const start = madeCount()
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  let before = start
  while (madeCount() === start || madeCount() !== before) {
    before = madeCount()
    await settle()
  }
  return socket
}

test('of readers that stand still for a second, the one that does longest makes room for another', async () => {
  const { render, madeCount } = longPage()
  const config = { max_concurrent_scrapes: 2 }
  let isShort = false
  const renderNext: RenderPage = (...page) => (isShort ? texts('a 1\n') : render(...page))
  await serving({ config, render: renderNext }, async (port, host) => {
    const first = await stalledReader(port, madeCount)
    await host.clock.advance(600)
    const second = await stalledReader(port, madeCount)
    isShort = true
    await host.clock.advance(400)
    const refused = await ask(port, '/metrics')
    assert.equal(refused.statusCode, 503, 'a second is not over')
    await bodyOf(refused)
    await host.clock.advance(1)
    const page = await ask(port, '/metrics')
    assert.equal(page.statusCode, 200)
    assert.equal(String(await bodyOf(page)), 'a 1\n')
    assert.deepEqual([result(host, 'displaced'), result(host, 'aborted')], [1, 0])
    // The first was cut off; the second still has its page.
    const ended = once(first.resume(), 'close')
    await ended
    assert.equal(second.destroyed, false)
    second.destroy()
    while (result(host, 'aborted') === 0) await settle()
    assert.deepEqual([result(host, 'displaced'), result(host, 'refused')], [1, 1])
  })
})

test('while stopping, a reader that takes nothing for five seconds is cut off', async () => {
  const { render, madeCount } = longPage()
  await serving({ render }, async (port, host, page) => {
    const reader = await stalledReader(port, madeCount)
    const cutting = page.cutStalled()
    await host.clock.advance(4500)
    assert.equal(result(host, 'aborted'), 0)
    await host.clock.advance(500)
    while (result(host, 'aborted') === 0) await settle()
    assert.equal(host.lines.at(-1)?.level, 'warn')
    cutting.cancel()
    await once(reader.resume(), 'close')
  })
})

test('a page that was made but cannot leave is cut off at its deadline too', async () => {
  const { render } = longPage()
  const pages: RenderPage[] = [render, () => texts('a 1\n')]
  const renderNext: RenderPage = (...page) => (pages.shift() ?? render)(...page)
  await serving({ render: renderNext }, async (port, host) => {
    const slow = connect(port, '127.0.0.1')
    await once(slow, 'connect')
    slow.pause()
    const request = 'GET /metrics HTTP/1.1\r\nhost: x\r\n'
    // The second answer is short, and waits behind the first.
    slow.write(`${request}\r\n${request}x-prometheus-scrape-timeout-seconds: 2\r\n\r\n`)
    while (pages.length > 0) await settle()
    await settle()
    assert.equal(result(host, 'complete'), 0)
    await host.clock.advance(2001)
    assert.equal(result(host, 'aborted'), 1)
    await host.clock.advance(30_000)
    slow.destroy()
  })
})

test('a reader that goes away ends the making of its page', async () => {
  const { render, madeCount } = longPage()
  await serving({ render }, async (port, host) => {
    const page = await ask(port, '/metrics', { 'accept-encoding': 'gzip' })
    page.destroy()
    while (result(host, 'aborted') === 0) await settle()
    assert(madeCount() < 4000)
  })
})

test('a page that fails is cut off, never ended as if whole', async () => {
  const render: RenderPage = function* () {
    yield Buffer.from('a 1\n')
    throw new Error('broken')
  }
  await serving({ render }, async (port, host) => {
    await assert.rejects(async () => bodyOf(await ask(port, '/metrics')))
    assert.equal(host.lines.at(-1)?.message, 'a scrape failed')
  })
})
