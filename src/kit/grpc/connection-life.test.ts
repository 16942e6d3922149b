import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { type Socket, connect } from 'node:net'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { credentials } from '@grpc/grpc-js'
import { certificate, certificatePath } from '../../../test/kit/certificates.ts'
import { ForeignClient, RawClient, frame } from '../../../test/kit/grpc-peers.ts'
import { settle } from '../../../test/kit/manual-clock.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { until } from '../../../test/kit/until.ts'
import { GrpcServer } from './grpc-server.ts'
import { type GrpcServerSettings, grpcServerSettings } from './server-config.ts'
import type { UnaryMethod, UnaryReply } from './unary-method.ts'

const path = '/test.Service/Call'
const hello = Buffer.from('hello')
const minuteMs = 60_000

/** A server whose calls wait until `answerAll`, or echo at once when `isEager`. */
async function start(
  context: TestContext,
  config: object = {},
  isEager = true,
  connectionCountMax?: number,
) {
  const host = testHost()
  const waiting: (() => void)[] = []
  const answer = (message: Uint8Array): UnaryReply | Promise<UnaryReply> =>
    isEager ? message : new Promise((resolve) => waiting.push(() => resolve(message)))
  const settings = grpcServerSettings('localhost:0').parse(config) as GrpcServerSettings
  const server = new GrpcServer(
    {
      settings,
      where: 'protocols.grpc',
      methods: new Map([[path, { answer }]]),
      connectionCountMax,
    },
    host,
  )
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  const closing = <T extends { close(): void }>(client: T): T => {
    context.after(() => client.close())
    return client
  }
  return {
    host,
    server,
    waiting,
    closing,
    answerAll: () => waiting.splice(0).forEach((go) => go()),
  }
}

interface Goaway {
  readonly code: number
  readonly lastStreamId: number
  readonly reason: string
}

function goaways(client: RawClient): Goaway[] {
  const seen: Goaway[] = []
  client.session.on('goaway', (code, lastStreamId, data) =>
    seen.push({ code, lastStreamId, reason: String(data ?? '') }),
  )
  return seen
}

const keepalive = (server_parameters: object, enforcement_policy = {}) => ({
  keepalive: { server_parameters, enforcement_policy },
})

test('a connection that has reached its age finishes its calls, and its client comes back on another', async (context) => {
  const config = keepalive({ max_connection_age: '10m' })
  const { host, server, waiting, closing, answerAll } = await start(context, config, false)
  const client = closing(new ForeignClient(server.port))
  const first = client.call(path, hello)
  await until(() => waiting.length === 1)
  await host.clock.advance(9 * minuteMs - 1)
  assert.equal(server.connectionCount, 1)
  // The age is spread by a tenth either way.
  await host.clock.advance(2 * minuteMs)
  const second = client.call(path, hello)
  await until(() => waiting.length === 2)
  answerAll()
  assert.equal((await first).code, 'OK')
  assert.equal((await second).code, 'OK')
  await until(() => server.connectionCount === 1)
})

test('ageing says so by two GOAWAYs, the first for calls under way, and cuts after its grace', async (context) => {
  const config = keepalive({ max_connection_age: '10m', max_connection_age_grace: '5s' })
  const { host, server, waiting, closing } = await start(context, config, false)
  const client = closing(new RawClient(server.port))
  const seen = goaways(client)
  const call = client.request({ path, pieces: [frame(hello)] })
  await until(() => waiting.length === 1)
  // The test host's first random number is about 0: the age is a tenth less.
  await host.clock.advance(9 * minuteMs + 1000)
  await until(() => seen.length >= 2)
  assert.deepEqual(seen[0], { code: 0, lastStreamId: 2 ** 31 - 1, reason: 'max_age' })
  assert.equal(seen[1].code, 0)
  assert.equal(seen[1].lastStreamId, 1)
  assert.equal(server.connectionCount, 1)
  await host.clock.advance(5000)
  await call
  await until(() => server.connectionCount === 0)
  assert.equal(host.memory.heldBytes, 5, 'the method still has the message')
})

test('a connection without calls is closed after max_connection_idle, one with calls is not', async (context) => {
  const config = keepalive({ max_connection_idle: '1m' })
  const { host, server, waiting, closing, answerAll } = await start(context, config, false)
  const client = closing(new RawClient(server.port))
  const seen = goaways(client)
  const call = client.request({ path, pieces: [frame(hello)] })
  await until(() => waiting.length === 1)
  await host.clock.advance(5 * minuteMs)
  assert.equal(seen.length, 0)
  answerAll()
  assert.equal((await call).trailers['grpc-status'], '0')
  await host.clock.advance(minuteMs - 1)
  assert.equal(server.connectionCount, 1)
  await host.clock.advance(minuteMs)
  await until(() => server.connectionCount === 0)
  assert.equal(seen[0].reason, 'max_idle')
})

test('a silent client is pinged, and cut off when it does not answer', async (context) => {
  const config = keepalive({ time: '1m', timeout: '5s' })
  const { host, server, closing } = await start(context, config)
  const live = closing(new RawClient(server.port))
  await live.request({ path, pieces: [frame(hello)] })
  let pings = 0
  live.session.on('ping', () => pings++)
  const dead: Socket = connect(server.port, '127.0.0.1')
  context.after(() => dead.destroy())
  // The preface and empty SETTINGS, then nothing, not even for a PING.
  dead.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  dead.write(Buffer.from('000000040000000000', 'hex'))
  dead.resume()
  await until(() => server.connectionCount === 2)
  await settle()
  // It was heard in the first minute, and is not in the second.
  await host.clock.advance(2 * minuteMs)
  await until(() => pings === 1)
  await settle()
  await host.clock.advance(5000)
  await until(() => server.connectionCount === 1)
  await host.clock.advance(2 * minuteMs)
  await until(() => pings >= 2)
  assert.equal(server.connectionCount, 1)
})

test('a connection that never speaks HTTP/2 does not stay', async (context) => {
  const { host, server } = await start(context)
  const silent = connect(server.port, '127.0.0.1')
  context.after(() => silent.destroy())
  await until(() => server.connectionCount === 1)
  await host.clock.advance(20_000)
  await until(() => server.connectionCount === 0)
  const confused = connect(server.port, '127.0.0.1')
  confused.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n')
  confused.resume()
  await once(confused, 'close')
})

test('too many pings end the connection with ENHANCE_YOUR_CALM', async (context) => {
  const { host, server, closing } = await start(context)
  const client = closing(new RawClient(server.port))
  const seen = goaways(client)
  const ping = () => new Promise((resolve) => client.session.ping(resolve))
  await client.request({ path, pieces: [frame(hello)] })
  // Right after an answer a ping measures bandwidth; then one in 2 h and two offences are allowed.
  for (let count = 0; count < 3; count++) await ping()
  assert.equal(server.connectionCount, 1)
  await host.clock.advance(minuteMs)
  void ping()
  await until(() => seen.length > 0)
  assert.equal(seen[0].code, 11)
  assert.equal(seen[0].reason, 'too_many_pings')
  await until(() => server.connectionCount === 0)
})

test('pings no closer than min_time are welcome, without calls only when permitted', async (context) => {
  const config = keepalive({}, { min_time: '10s', permit_without_stream: true })
  const { host, server, closing } = await start(context, config)
  const client = closing(new RawClient(server.port))
  for (let count = 0; count < 10; count++) {
    await new Promise((resolve) => client.session.ping(resolve))
    await host.clock.advance(10_000)
  }
  assert.equal(server.connectionCount, 1)
})

test('calls over max_concurrent_streams wait at the client, or are sent again', async (context) => {
  const config = { max_concurrent_streams: 10 }
  const { server, waiting, closing, answerAll } = await start(context, config, false)
  const client = closing(new ForeignClient(server.port))
  const calls = Array.from({ length: 300 }, () => client.call(path, hello))
  let seenMax = 0
  let answered = 0
  for (const call of calls) void call.then(() => answered++)
  await until(() => {
    seenMax = Math.max(seenMax, waiting.length)
    answerAll()
    return answered === 300
  })
  for (const call of calls) assert.equal((await call).code, 'OK')
  assert.ok(seenMax <= 10, `${seenMax} at a time`)
  assert.equal(server.connectionCount, 1)
})

test('connections over the limit are turned away, and that is said once', async (context) => {
  const { host, server, closing } = await start(context, {}, true, 1)
  const first = closing(new RawClient(server.port))
  await first.request({ path, pieces: [frame(hello)] })
  for (let count = 0; count < 2; count++) {
    const second = connect(server.port, '127.0.0.1')
    second.on('error', () => {})
    await once(second, 'close')
  }
  assert.equal(server.connectionCount, 1)
  assert.deepEqual(
    host.lines.filter((line) => line.level === 'warn').map((line) => line.message),
    ['gRPC connections are turned away'],
  )
})

test('an IPv4 client of an IPv6 socket is known by its IPv4 address', async (context) => {
  const host = testHost()
  const addresses: string[] = []
  const settings = grpcServerSettings(':0').parse({}) as GrpcServerSettings
  const method: UnaryMethod = { answer: (_, client) => void addresses.push(client.address) }
  const methods = new Map([[path, method]])
  const server = new GrpcServer({ settings, where: 'protocols.grpc', methods }, host)
  await server.start()
  context.after(() => server.stop(AbortSignal.abort()))
  const client = new RawClient(server.port)
  context.after(() => client.close())
  await client.request({ path, pieces: [frame(hello)] })
  assert.deepEqual(addresses, ['127.0.0.1'])
})

test('a flood of resets ends the connection', async (context) => {
  const { server, closing } = await start(context)
  const client = closing(new RawClient(server.port))
  const seen = goaways(client)
  await once(client.session, 'remoteSettings')
  for (let round = 0; round < 20 && !client.session.destroyed; round++) {
    for (let count = 0; count < 100 && !client.session.destroyed; count++) {
      const stream = client.session.request({ ':method': 'POST', ':path': path })
      stream.on('error', () => {})
      stream.close(8)
    }
    await settle()
  }
  await until(() => server.connectionCount === 0)
  assert.ok(seen.length > 0)
})

test('stop is over at once for a client that is connected and has no call', async (context) => {
  const { server, closing } = await start(context)
  const client = closing(new ForeignClient(server.port))
  assert.equal((await client.call(path, hello)).code, 'OK')
  assert.equal(server.connectionCount, 1)
  // The clock stands still: whatever waited for a deadline would wait for ever.
  await server.stop(new AbortController().signal)
  await until(() => server.connectionCount === 0)
})

test('stop lets calls finish that are under way, refuses new connections, and then ends', async (context) => {
  const { server, waiting, closing, answerAll } = await start(context, {}, false)
  const { port } = server
  const client = closing(new ForeignClient(port))
  const idle = closing(new ForeignClient(port))
  const calls = [client.call(path, hello), client.call(path, hello)]
  await until(() => waiting.length === 2)
  const stopped = server.stop(new AbortController().signal)
  assert.equal((await idle.call(path, hello)).code, 'UNAVAILABLE')
  answerAll()
  for (const call of calls) assert.equal((await call).code, 'OK')
  await stopped
  await until(() => server.connectionCount === 0)
})

test('stop cuts at its deadline what has not finished', async (context) => {
  const { host, server, waiting, closing, answerAll } = await start(context, {}, false)
  const client = closing(new ForeignClient(server.port))
  const call = client.call(path, hello)
  const half = closing(new RawClient(server.port))
  const pieces = [frame(Buffer.alloc(10), { announced: 1000 })]
  const unfinished = half.request({ path, leaveOpen: true, pieces })
  const silent = connect(server.port, '127.0.0.1')
  context.after(() => silent.destroy())
  await until(() => waiting.length === 1 && host.memory.heldBytes === 1005)
  const deadline = new AbortController()
  const stopped = server.stop(deadline.signal)
  await settle()
  deadline.abort()
  await stopped
  await unfinished
  assert.equal((await call).code, 'UNAVAILABLE')
  assert.equal(host.memory.heldBytes, 5)
  answerAll()
  await until(() => host.memory.heldBytes === 0)
  assert.equal(host.clock.timerCount, 0)
})

test('a port in use is an error of start', async (context) => {
  const { server } = await start(context)
  const settings = grpcServerSettings(`localhost:${server.port}`).parse({}) as GrpcServerSettings
  const second = new GrpcServer({ settings, where: 'grpc', methods: new Map() }, testHost())
  await assert.rejects(second.start(), /grpc\.endpoint localhost:\d+ .* \(EADDRINUSE\)/)
  await second.stop(AbortSignal.abort())
})

test('a unix socket serves as well', async (context) => {
  const endpoint = join(tmpdir(), `penstock-grpc-${process.pid}.sock`)
  context.after(() => rmSync(endpoint, { force: true }))
  const { closing } = await start(context, { endpoint, transport: 'unix' })
  const session = closing(
    connectHttp2('http://localhost', { createConnection: () => connect(endpoint) }),
  )
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
  })
  stream.end(frame(hello))
  stream.resume()
  const [trailers] = await once(stream, 'trailers')
  assert.equal(trailers['grpc-status'], '0')
})

const tls = {
  cert_file: certificatePath('server'),
  key_file: certificatePath('server-key'),
}

test('TLS: a client that trusts the authority is served, one that does not is not', async (context) => {
  const { server, closing } = await start(context, { tls })
  const trusting = credentials.createSsl(Buffer.from(certificate('authority')))
  const client = closing(new ForeignClient(server.port, {}, trusting))
  assert.equal((await client.call(path, hello)).code, 'OK')
  const stranger = credentials.createSsl(Buffer.from(certificate('stranger')))
  const wary = closing(new ForeignClient(server.port, {}, stranger))
  assert.equal((await wary.call(path, hello)).code, 'UNAVAILABLE')
  const plain = closing(new ForeignClient(server.port))
  assert.equal((await plain.call(path, hello)).code, 'UNAVAILABLE')
})

test('TLS with client_ca_file: only clients of that authority are served', async (context) => {
  const config = { tls: { ...tls, client_ca_file: certificatePath('authority') } }
  const { server, closing } = await start(context, config)
  const as = (name?: 'client' | 'intruder') =>
    closing(
      new ForeignClient(
        server.port,
        {},
        credentials.createSsl(
          Buffer.from(certificate('authority')),
          name === undefined ? null : Buffer.from(certificate(`${name}-key`)),
          name === undefined ? null : Buffer.from(certificate(name)),
        ),
      ),
    ).call(path, hello)
  assert.equal((await as('client')).code, 'OK')
  assert.equal((await as('intruder')).code, 'UNAVAILABLE')
  assert.equal((await as()).code, 'UNAVAILABLE')
})

test('TLS: a missing certificate is an error of start that names the setting', async () => {
  const config = { tls: { ...tls, cert_file: '/nowhere/server.pem' } }
  const settings = grpcServerSettings('localhost:0').parse(config) as GrpcServerSettings
  const options = { settings, where: 'protocols.grpc', methods: new Map() }
  const server = new GrpcServer(options, testHost())
  await assert.rejects(server.start(), /protocols\.grpc\.tls\.cert_file \/nowhere\/server\.pem/)
})
