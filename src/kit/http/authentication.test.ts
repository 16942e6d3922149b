import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import process from 'node:process'
import { type TestContext, test } from 'node:test'
import { startHttpPeer } from '../../../test/kit/http-peer.ts'
import { testAuthenticator } from '../../../test/kit/test-authenticator.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { until } from '../../../test/kit/until.ts'
import { section } from '../../config/schema.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { httpClientShape } from './client-settings.ts'
import { HttpClient } from './http-client.ts'
import { HttpServer } from './http-server.ts'
import { httpServerShape } from './server-settings.ts'
import { send } from './unread-body.ts'

const schema = section(httpServerShape({ endpoint: '127.0.0.1:0' }))
const mib = 1024 * 1024

async function serve(context: TestContext, settings: object = {}) {
  const authenticator = testAuthenticator()
  const host = testHost({ extensions: { keys: authenticator } })
  const clients: ClientInfo[] = []
  const handle = (
    request: IncomingMessage,
    response: Parameters<typeof send>[0],
    client: ClientInfo,
  ) => {
    clients.push(client)
    request.resume()
    send(response, { status: 200, headers: [], body: 'in' })
  }
  const routes = (['GET', 'POST'] as const).map((method) => ({ method, path: '/in', handle }))
  const auth = { authenticator: 'keys', ...('auth' in settings ? (settings.auth as object) : {}) }
  const parts = { settings: schema.parse({ ...settings, auth }), where: '', routes }
  const server = new HttpServer(parts, host)
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  return { authenticator, host, server, clients, url: `http://127.0.0.1:${server.port}` }
}

test('a request without good credentials is 401 with what would be good ones, on every path', async (context) => {
  const { url, clients } = await serve(context)
  for (const path of ['/in', '/elsewhere']) {
    const refused = await fetch(url + path, { headers: { 'x-key': 'bad' } })
    assert.equal(refused.status, 401)
    assert.equal(refused.headers.get('www-authenticate'), 'Test realm="kit"')
    assert.equal(await refused.text(), 'no good key\n')
  }
  assert.equal(clients.length, 0)
})

test('one with good credentials is served, and its client has their attributes', async (context) => {
  const { url, clients } = await serve(context)
  const headers = { 'x-key': 'good', 'x-name': 'n' }
  for (let count = 0; count < 2; count++)
    assert.equal((await fetch(`${url}/in`, { headers })).status, 200)
  const [client] = clients
  assert.deepEqual([...client.auth], [['subject', 'tester']])
  assert.equal(client.address, '127.0.0.1')
  assert.equal(client.metadata.size, 0)
})

test('include_metadata keeps the headers beside the attributes', async (context) => {
  const { url, clients } = await serve(context, { include_metadata: true })
  await fetch(`${url}/in`, { headers: { 'x-key': 'good', 'x-name': 'n' } })
  assert.equal(clients[0].auth.get('subject'), 'tester')
  assert.deepEqual(clients[0].metadata.get('x-name'), ['n'])
})

test('request_params are taken for headers, and go before them', async (context) => {
  const { url } = await serve(context, { auth: { request_params: ['X-Key'] } })
  const status = async (path: string, key?: string) => {
    const response = await fetch(url + path, key === undefined ? {} : { headers: { 'x-key': key } })
    return response.status
  }
  assert.equal(await status('/in?X-Key=good'), 200)
  assert.equal(await status('/in?X-Key=bad', 'good'), 401)
  assert.equal(await status('/in?other=good', 'good'), 200)
  assert.equal(await status('/in?x-key=good'), 401, 'a query is told apart by case')
})

test('an upload of 100 MB without credentials is refused before any of it is read', async (context) => {
  const { url, host, clients } = await serve(context)
  const before = process.memoryUsage().arrayBuffers
  const upload = httpRequest(`${url}/in`, {
    method: 'POST',
    headers: { 'content-length': String(100 * mib) },
  })
  upload.on('error', () => {})
  const chunk = new Uint8Array(mib)
  let sentMib = 0
  let sentMibMax = 100
  const more = () => {
    while (sentMib < sentMibMax && upload.write(chunk)) sentMib++
  }
  upload.on('drain', more)
  more()
  const [response] = (await once(upload, 'response')) as [IncomingMessage]
  sentMibMax = 0
  assert.equal(response.statusCode, 401)
  assert.equal(response.headers.connection, 'close')
  assert.ok(sentMib < 50, `${sentMib} MiB went out before the answer`)
  assert.ok(process.memoryUsage().arrayBuffers - before < 30 * mib)
  assert.equal(host.memory.peakBytes, 0)
  assert.equal(clients.length, 0)
  upload.destroy()
})

test('a client that waits for 100 Continue is refused without being told to go on', async (context) => {
  const { server } = await serve(context)
  const socket = connect(server.port!, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.write(
    'POST /in HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n',
  )
  await once(socket, 'end')
  assert.match(text, /^HTTP\/1\.1 401 /)
  assert.doesNotMatch(text, /100 Continue/)
})

test('while a verdict is worked out nothing is read, and a client that leaves is forgotten', async (context) => {
  const { authenticator, server, clients } = await serve(context)
  authenticator.holdsBack = true
  const upload = httpRequest({
    port: server.port,
    host: '127.0.0.1',
    path: '/in',
    method: 'POST',
    headers: { 'x-key': 'good', 'content-length': String(100 * mib) },
  })
  upload.on('error', () => {})
  upload.write(new Uint8Array(1024))
  await until(() => authenticator.judgedCount === 1)
  upload.destroy()
  await until(() => server.connectionCount === 0)
  authenticator.release()
  await new Promise((done) => setImmediate(done))
  assert.equal(clients.length, 0)
  const asked = fetch(`http://127.0.0.1:${server.port}/in`, { headers: { 'x-key': 'good' } })
  await until(() => authenticator.judgedCount === 2)
  authenticator.release()
  assert.equal((await asked).status, 200)
})

test('browsers may ask what they may send without credentials', async (context) => {
  const { url } = await serve(context, { cors: { allowed_origins: ['https://a.example'] } })
  const preflight = {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  }
  assert.equal((await fetch(`${url}/in`, preflight)).status, 204)
  const refused = await fetch(`${url}/in`, { headers: { origin: 'https://a.example' } })
  assert.equal(refused.status, 401)
  assert.equal(refused.headers.get('access-control-allow-origin'), 'https://a.example')
})

test('a server whose authenticator does not run does not start', async () => {
  const settings = schema.parse({ auth: { authenticator: 'gone' } })
  const server = new HttpServer({ settings, where: '', routes: [] }, testHost())
  await assert.rejects(server.start(), /auth\.authenticator gone is no server authenticator/)
})

async function connectTo(context: TestContext) {
  const peer = await startHttpPeer()
  const authenticator = testAuthenticator()
  const settings = section(httpClientShape()).parse({ auth: { authenticator: 'keys' } })
  const client = new HttpClient(settings, testHost({ extensions: { keys: authenticator } }))
  context.after(async () => {
    await client.close()
    await peer.close()
  })
  const sender = { address: '10.0.0.7', metadata: new Map(), auth: new Map() }
  const post = (userInfo = '') =>
    client.post({
      url: new URL(peer.url.replace('//', `//${userInfo}`)),
      headers: { 'x-own': 'o' },
      body: new Uint8Array(1),
      abort: AbortSignal.timeout(2000),
      client: sender,
    })
  return { peer, authenticator, post }
}

test('a client signs each request, beside its own headers and the credentials of its URL', async (context) => {
  const { peer, authenticator, post } = await connectTo(context)
  for (const isSlow of [false, true]) {
    authenticator.isSlow = isSlow
    await post('a:b@')
    const { headers } = peer.requests.at(-1)!
    assert.equal(headers['x-key'], 'good')
    assert.equal(headers['x-client'], '10.0.0.7')
    assert.equal(headers['x-own'], 'o')
    assert.equal(headers.authorization, 'Basic YTpi')
  }
})

test('without credentials nothing is sent', async (context) => {
  const { peer, authenticator, post } = await connectTo(context)
  authenticator.key = new Refusal('unavailable', 'no token yet')
  await assert.rejects(post(), { code: 'unavailable', message: 'no token yet' })
  assert.equal(peer.requests.length, 0)
})

test('what the peer does not take is signed once more where that gives something else', async (context) => {
  const { peer, authenticator, post } = await connectTo(context)
  peer.respond = ({ headers }) => ({ status: headers['x-key'] === 'new' ? 200 : 401 })
  authenticator.nextKey = 'new'
  assert.equal((await post()).status, 200)
  authenticator.key = 'old'
  assert.equal((await post()).status, 401)
  assert.equal(peer.requests.length, 3)
})
