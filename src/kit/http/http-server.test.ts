import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { type Socket, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { certificate, certificatePath } from '../../../test/kit/certificates.ts'
import { settle } from '../../../test/kit/manual-clock.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { section } from '../../config/schema.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { type HttpRoute, HttpServer } from './http-server.ts'
import { httpServerShape } from './server-settings.ts'
import { send } from './unread-body.ts'

const schema = section(httpServerShape({ endpoint: 'localhost:0' }))
const parse = (settings: object) => schema.parse(settings)

const hello: HttpRoute = {
  method: 'GET',
  path: '/hello',
  handle: (request, response, client) => {
    request.resume()
    const who = client.metadata.get('x-name')?.join('+') ?? 'you'
    send(response, { status: 200, headers: ['Content-Type', 'text/plain'], body: `hello ${who}` })
  },
}
const endless: HttpRoute = {
  method: 'POST',
  path: '/endless',
  handle: (request) => void request.resume(),
}

async function serve(context: TestContext, settings: object = {}) {
  const host = testHost()
  const parts = { settings: parse(settings), where: 'http', routes: [hello, endless] }
  const server = new HttpServer(parts, host)
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  return { host, server, port: server.port! }
}

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

function ask(port: number, options: RequestOptions & { ca?: string } = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const start = options.protocol === 'https:' ? tlsRequest : httpRequest
    const asked = start({ port, path: '/hello', host: '127.0.0.1', agent: false, ...options })
    asked.on('error', reject)
    asked.on('response', (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      const { statusCode: status = 0, headers } = response
      response.on('end', () => resolve({ status, headers, text }))
      response.on('error', reject)
    })
    asked.end()
  })
}

async function rawSocket(port: number): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, text: () => text }
}

async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    assert.ok(round < 500, 'it never came')
    await new Promise((done) => setTimeout(done, 2))
  }
}

test('a GET route answers GET and HEAD, other methods are 405 and other paths 404, as text', async (context) => {
  const { port } = await serve(context)
  assert.equal((await ask(port)).text, 'hello you')
  const head = await ask(port, { method: 'HEAD', path: '/hello?a=1' })
  assert.equal(`${head.status} ${head.text}`, '200 ')
  const posted = await ask(port, { method: 'POST' })
  assert.equal(posted.status, 405)
  assert.equal(posted.headers.allow, 'GET, HEAD')
  assert.equal(posted.text, '405 method not allowed, supported: [GET, HEAD]')
  assert.equal((await ask(port, { path: '/' })).text, '404 page not found\n')
})

test('the defaults are those of confighttp', () => {
  const settings = parse({})
  assert.equal(settings.max_request_body_size, 20 * 1024 * 1024)
  assert.equal(settings.read_timeout, 0)
  assert.equal(settings.read_header_timeout, 60_000)
  assert.equal(settings.write_timeout, 30_000)
  assert.equal(settings.idle_timeout, 60_000)
  assert.equal(settings.keep_alives_enabled, true)
  assert.equal(settings.include_metadata, false)
  assert.equal(settings.tls, undefined)
  assert.equal(parse({ tls: null }).tls, undefined, 'an empty block is none, as in the Collector')
  assert.equal(schema.safeParse({ tls: {} }).success, false)
  assert.equal(settings.cors, undefined)
  assert.equal(parse({ max_request_body_size: 0 }).max_request_body_size, 20 * 1024 * 1024)
})

test('what is not supported is refused by name', () => {
  const complaint = (settings: object) =>
    schema
      .safeParse(settings)
      .error?.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)
  assert.match(complaint({ middlewares: [{ id: 'x' }] })![0], /^middlewares is not supported yet/)
  assert.match(complaint({ transport: 'unix' })![0], /^transport unix is not supported yet/)
  assert.match(
    complaint({ compression_algorithms: ['gzip', 'lz4'] })![0],
    /^compression_algorithms\.1 lz4 is not supp/,
  )
  assert.match(complaint({ compression_algorithms: ['br'] })![0], /^compression_algorithms\.0 /)
  assert.match(complaint({ idle_timeout: '-1s' })![0], /^idle_timeout must not be negative/)
  assert.match(complaint({ endpoint: '4318' })![0], /^endpoint must be host:port/)
})

test('an address in use, or not of this machine, is an error that names setting and endpoint', async (context) => {
  const { port } = await serve(context)
  const starting = (endpoint: string) =>
    new HttpServer({ settings: parse({ endpoint }), where: 'http', routes: [] }, testHost()).start()
  await assert.rejects(starting(`127.0.0.1:${port}`), {
    message:
      `http.endpoint 127.0.0.1:${port} cannot be listened on: another process, ` +
      'or another component, already listens there (EADDRINUSE)',
  })
  await assert.rejects(starting('192.0.2.1:0'), /no such address \(EADDRNOTAVAIL\)/)
})

test('localhost, every address, and IPv6 can be listened on', async (context) => {
  for (const endpoint of ['localhost:0', ':0', '0.0.0.0:0']) {
    const { port } = await serve(context, { endpoint })
    assert.equal((await ask(port)).status, 200, endpoint)
  }
})

test('response headers are on every answer, and their values stay secret', async (context) => {
  const settings = { response_headers: { 'X-Gateway': 'penstock' } }
  const { port } = await serve(context, settings)
  assert.equal((await ask(port)).headers['x-gateway'], 'penstock')
  assert.equal((await ask(port, { path: '/none' })).headers['x-gateway'], 'penstock')
  assert.doesNotMatch(JSON.stringify(parse(settings)), /penstock/)
})

test('headers go to the handler with include_metadata, all of a name', async (context) => {
  const { port } = await serve(context, { include_metadata: true })
  const { socket, text } = await rawSocket(port)
  socket.write('GET /hello HTTP/1.1\r\nHost: x\r\nX-Name: a\r\nx-name: b\r\n\r\n')
  await until(() => text().includes('hello'))
  assert.match(text(), /hello a\+b/)
  socket.destroy()
})

// confighttp of the Collector since 0.160: what keepalive says holds in place of the flat settings.
for (const [settings, connection] of [
  [{ keep_alives_enabled: false }, 'close'],
  [{ keepalive: { enabled: false } }, 'close'],
  [{ keep_alives_enabled: false, keepalive: {} }, 'keep-alive'],
  [{ keepalive: null }, 'keep-alive'],
] as const) {
  test(`by ${JSON.stringify(settings)} an answer says ${connection}`, async (context) => {
    const { port } = await serve(context, settings)
    const agent = new Agent({ keepAlive: true })
    assert.equal((await ask(port, { agent })).headers.connection, connection)
    agent.destroy()
  })
}

for (const settings of [
  { idle_timeout: '20ms' },
  { idle_timeout: '20ms', keepalive: {} },
  { keepalive: { idle_timeout: '20ms' } },
]) {
  test(`an idle connection is closed after ${JSON.stringify(settings)}`, async (context) => {
    const { port, server } = await serve(context, settings)
    const { socket, text } = await rawSocket(port)
    socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => text().includes('hello'))
    await until(() => server.connectionCount === 0)
  })
}

test('headers that take too long are answered 408, by one client as by a thousand logged once', async (context) => {
  const { host, port } = await serve(context, { read_header_timeout: '40ms' })
  for (let round = 0; round < 2; round++) {
    const { socket, text } = await rawSocket(port)
    socket.write('GET /hello HTTP/1.1\r\nHos')
    await once(socket, 'close')
    assert.match(text(), /^HTTP\/1\.1 408 Request Timeout\r\nConnection: close/)
  }
  assert.deepEqual(
    host.lines.filter((line) => line.level === 'warn').map((line) => line.message),
    ['a request took too long to arrive'],
  )
})

test('an answer that takes longer than write_timeout costs the connection', async (context) => {
  const { host, port, server } = await serve(context, { write_timeout: '10s' })
  const cut = assert.rejects(ask(port, { method: 'POST', path: '/endless' }), {
    code: 'ECONNRESET',
  })
  await until(() => host.clock.timerCount === 1)
  await host.clock.advance(9_999)
  assert.equal(server.connectionCount, 1)
  await host.clock.advance(1)
  await cut
  assert.equal((await ask(port)).status, 200)
  await until(() => host.clock.timerCount === 0)
})

test('connections beyond max_connections are closed at once, and that is said', async (context) => {
  const { host, port } = await serve(context, { max_connections: 1 })
  const first = await rawSocket(port)
  const second = await rawSocket(port)
  await once(second.socket, 'close')
  assert.match(host.lines.at(-1)!.message, /closed at once: http\.max_connections is 1/)
  first.socket.destroy()
})

test('what is not HTTP is answered 400, and the log names the likely mistake', async (context) => {
  const send = async (bytes: Uint8Array | string) => {
    const { host, port } = await serve(context)
    const { socket, text } = await rawSocket(port)
    socket.write(bytes)
    await once(socket, 'close')
    return `${text().split('\r\n')[0]}: ${host.lines.at(-1)!.message}`
  }
  assert.equal(
    await send(Buffer.from('16030100010100', 'hex')),
    'HTTP/1.1 400 Bad Request: a client speaks TLS to this plaintext server: see tls',
  )
  assert.equal(
    await send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'HTTP/1.1 400 Bad Request: a client speaks HTTP/2 to this HTTP/1.1 server: is it gRPC?',
  )
  assert.match(await send('hello\r\n\r\n'), /what is not HTTP \(HPE_INVALID_METHOD\)/)
  assert.match(
    await send(`GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431/,
  )
})

const origin = 'https://shop.example.com'
const preflight = {
  method: 'OPTIONS',
  headers: {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'x-a',
  },
}

test('a preflight from an allowed origin is answered, wildcards inside origins included', async (context) => {
  const cors = { allowed_origins: ['https://*.example.com', 'http://a.b'], max_age: 7200 }
  const { port } = await serve(context, { cors, response_headers: { 'x-gateway': 'p' } })
  const { status, headers } = await ask(port, preflight)
  assert.equal(status, 204)
  assert.equal(headers['access-control-allow-origin'], origin)
  assert.equal(headers['access-control-allow-credentials'], 'true')
  assert.equal(headers['access-control-max-age'], '7200')
  assert.match(headers['access-control-allow-methods']!, /POST/)
  assert.match(headers['access-control-allow-headers']!, /Content-Type.*X-Requested-With/)
  assert.equal(headers['x-gateway'], 'p')
  const allowed = async (from: string) =>
    (await ask(port, { headers: { origin: from } })).headers['access-control-allow-origin']
  assert.equal(await allowed('http://a.b'), 'http://a.b')
  assert.equal(await allowed('HTTPS://A.EXAMPLE.COM'), 'HTTPS://A.EXAMPLE.COM')
  for (const from of ['http://axb', 'https://example.com', 'https://a.example.com.evil', 'null']) {
    assert.equal(await allowed(from), undefined, from)
  }
  assert.equal((await ask(port, { headers: { origin } })).text, 'hello you')
})

test('headers listed are allowed besides the safe ones; a star allows what is asked for', async (context) => {
  const asking = async (allowed_headers: string[], allowed_origins = ['*']) => {
    const cors = { allowed_origins, allowed_headers, exposed_headers: ['X-B'] }
    const { port } = await serve(context, { cors })
    return (await ask(port, preflight)).headers
  }
  const listed = await asking(['X-A'])
  assert.equal(listed['access-control-allow-origin'], '*')
  assert.match(listed['access-control-allow-headers']!, /Content-Type.*, X-A$/)
  assert.equal(listed['access-control-expose-headers'], 'X-B')
  assert.equal((await asking(['*']))['access-control-allow-headers'], 'x-a')
})

test('without origins there is no CORS: OPTIONS is a method like any other', async (context) => {
  const { port } = await serve(context, { cors: { allowed_headers: ['X-A'] } })
  const { status, headers } = await ask(port, preflight)
  assert.equal(status, 405)
  assert.equal(headers['access-control-allow-origin'], undefined)
})

const tls = { cert_file: certificatePath('server'), key_file: certificatePath('server-key') }
const trusting = { protocol: 'https:', ca: certificate('authority') }

test('over TLS it answers who trusts it, and says who spoke plaintext', async (context) => {
  const { host, port, server } = await serve(context, { tls })
  assert.equal((await ask(port, trusting)).text, 'hello you')
  const { socket } = await rawSocket(port)
  socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(socket, 'close')
  assert.equal(host.lines.at(-1)!.message, 'a client speaks plaintext to this TLS server')
  await until(() => server.connectionCount === 0)
})

test('with client_ca_file only clients with a certificate of it are served', async (context) => {
  const settings = { tls: { ...tls, client_ca_file: certificatePath('authority') } }
  const { port } = await serve(context, settings)
  const as = (name: 'client' | 'intruder') =>
    ask(port, { ...trusting, cert: certificate(name), key: certificate(`${name}-key`) } as object)
  assert.equal((await as('client')).status, 200)
  await assert.rejects(as('intruder'))
  await assert.rejects(ask(port, trusting))
})

test('certificates are reloaded while it runs, for new connections only', async (context) => {
  const host = testHost()
  let name: 'server' | 'renewed' = 'server'
  const readFile = (path: string) =>
    host.disk.readFile(certificatePath(path === 'key' ? `${name}-key` : name))
  const settings = parse({ tls: { cert_file: 'cert', key_file: 'key', reload_interval: '10s' } })
  const parts = { settings, where: '', routes: [hello] }
  const server = new HttpServer(parts, { ...host, disk: { ...host.disk, readFile } })
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  const peerName = async () => {
    const socket = connectTls({ port: server.port!, ca: certificate('authority') })
    await once(socket, 'secureConnect')
    const { subject } = socket.getPeerCertificate()
    socket.destroy()
    return subject.CN
  }
  const agent = new TlsAgent({ keepAlive: true })
  await ask(server.port!, { ...trusting, agent })
  name = 'renewed'
  await host.clock.advance(10_000)
  assert.equal(await peerName(), 'renewed')
  assert.equal((await ask(server.port!, { ...trusting, agent })).status, 200)
  agent.destroy()
  await server.stop(AbortSignal.timeout(1000))
  assert.equal(host.clock.timerCount, 0)
})

test('a bad certificate is an error at start that names the file', async () => {
  const settings = parse({ tls: { ...tls, cert_file: '/nowhere.pem' } })
  const server = new HttpServer({ settings, where: 'http', routes: [] }, testHost())
  await assert.rejects(server.start(), /^Error: http\.tls\.cert_file \/nowhere\.pem cannot be read/)
  await server.stop(AbortSignal.abort())
})

test('stopping closes idle connections, TLS ones and half-open ones too, and frees the port', async (context) => {
  for (const settings of [{}, { tls }]) {
    const { server, port } = await serve(context, settings)
    const silent = await rawSocket(port)
    const agent = new TlsAgent({ keepAlive: true })
    const used = await (settings.tls === undefined
      ? rawSocket(port)
      : ask(port, { ...trusting, agent }))
    if ('socket' in used) used.socket.write('GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /he')
    await settle()
    await server.stop(AbortSignal.timeout(3000))
    const next = createServer().listen(port, '127.0.0.1')
    await once(next, 'listening')
    next.close()
    agent.destroy()
    silent.socket.destroy()
  }
})

test('stopping before starting, and twice, does no harm', async (context) => {
  const unstarted = new HttpServer({ settings: parse({}), where: '', routes: [] }, testHost())
  await unstarted.stop(AbortSignal.abort())
  const { server } = await serve(context)
  await server.stop(AbortSignal.abort())
  await server.stop(AbortSignal.abort())
})

test('one client object serves a connection, with an address that has no IPv6 prefix', async (context) => {
  const clients: ClientInfo[] = []
  const route: HttpRoute = {
    method: 'GET',
    path: '/',
    handle: (_request, response, client) => {
      clients.push(client)
      send(response, { status: 204, headers: [], body: '' })
    },
  }
  const settings = parse({ endpoint: ':0' })
  const server = new HttpServer({ settings, where: '', routes: [route] }, testHost())
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  const agent = new Agent({ keepAlive: true })
  await ask(server.port!, { path: '/', agent })
  await ask(server.port!, { path: '/', agent })
  agent.destroy()
  assert.equal(clients[0].address, '127.0.0.1')
  assert.equal(clients[0], clients[1])
})
