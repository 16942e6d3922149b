import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { type Socket, connect } from 'node:net'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Client } from 'undici'
import { settle } from '../../../../test/kit/manual-clock.ts'
import { countedSpans, spanNames } from '../../../../test/kit/spans.ts'
import { testAuthenticator } from '../../../../test/kit/test-authenticator.ts'
import { testHost, type TestHost } from '../../../../test/kit/test-host.ts'
import { compressBody } from '../../../kit/compression/compress.ts'
import type { HttpServer } from '../../../kit/http/http-server.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { encodeJson } from '../../../otlp/encode-json.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { decodeStatus } from '../../../otlp/responses.ts'
import { type Signal, signalNames } from '../../../otlp/signal.ts'
import { createHttpSide } from './http-side.ts'
import { type HttpSideSettings, httpSideSettings } from './http-settings.ts'

const threeSpans = encodeBatch(countedSpans(3))
const proto = { 'content-type': 'application/x-protobuf' }
const json = { 'content-type': 'application/json' }

interface Reply {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

interface Sent {
  readonly path?: string
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array | string
  readonly agent?: Agent
}

async function serve(
  context: TestContext,
  settings: object = {},
  wanted: readonly Signal[] = signalNames,
) {
  const extensions = { keys: testAuthenticator() }
  const host = testHost({ signals: wanted, extensions })
  const parsed = httpSideSettings().parse({ endpoint: '127.0.0.1:0', ...settings })
  const server: HttpServer = createHttpSide(parsed as HttpSideSettings, host)
  await server.start()
  const port = server.port!
  context.after(() => server.stop(AbortSignal.abort()))
  return { host, server, port, post: (sent: Sent = {}) => post(port, sent) }
}

function post(port: number, sent: Sent): Promise<Reply> {
  const { path = '/v1/traces', method = 'POST', headers = proto, body = threeSpans, agent } = sent
  return new Promise((resolve, reject) => {
    const length = { 'content-length': String(Buffer.byteLength(body)) }
    const asked = httpRequest(
      { port, path, method, headers: { ...length, ...headers }, agent: agent ?? false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response
          resolve({ status, headers, body: Buffer.concat(chunks) })
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

function statusIn(reply: Reply) {
  const isJson = reply.headers['content-type'] === 'application/json'
  return decodeStatus(reply.body, isJson ? 'json' : 'proto')
}

async function rawSocket(port: number): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, text: () => text }
}

/** Waits for what sockets bring, without a fixed time. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    assert.ok(round < 500, 'it never came')
    await new Promise((done) => setTimeout(done, 2))
  }
}

test('protobuf and JSON, with parameters and in any case, are answered in their own form', async (context) => {
  const { host, post } = await serve(context)
  for (const type of ['application/x-protobuf', 'Application/X-Protobuf; charset=utf-8']) {
    const reply = await post({ headers: { 'content-type': type } })
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['content-type'], 'application/x-protobuf')
    assert.equal(reply.body.length, 0)
  }
  const body = encodeJson(countedSpans(3))
  for (const type of ['application/json', 'application/json;charset=UTF-8']) {
    const reply = await post({ headers: { 'content-type': type }, body })
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['content-type'], 'application/json')
    assert.equal(reply.body.toString(), '{}')
  }
  assert.equal(host.sink.itemCount, 12)
  for (const batch of host.sink.batches) assert.deepEqual(spanNames(batch), ['s0', 's1', 's2'])
  assert.equal(host.memory.heldBytes, 0)
  assert.ok(host.memory.peakBytes >= threeSpans.length)
})

test('each signal has its path, configured ones too, matched exactly', async (context) => {
  const paths = { traces_url_path: 'in/:spans', metrics_url_path: '/m*' }
  const { host, post } = await serve(context, paths)
  const statusOf = async (path: string) => (await post({ path, body: '' })).status
  assert.equal(await statusOf('/in/:spans'), 200)
  assert.equal(await statusOf('/in/:spans?tenant=a'), 200)
  assert.equal(await statusOf('/m*'), 200)
  assert.equal(await statusOf('/v1/logs'), 200)
  for (const path of ['/v1/traces', '/in/x', '/m1', '/v1/logs/', '/V1/logs']) {
    assert.equal(await statusOf(path), 404, path)
  }
  assert.equal(host.sink.batches.length, 0)
})

test('a signal that no pipeline wants is not found', async (context) => {
  const { post } = await serve(context, {}, ['metrics'])
  const reply = await post()
  assert.equal(reply.status, 404)
  assert.equal(statusIn(reply)!.message, 'no pipeline takes traces from this receiver')
  assert.equal(
    (await post({ headers: { 'content-type': 'text/plain' } })).body.toString(),
    '404 page not found\n',
  )
  assert.equal((await post({ path: '/v1/metrics', body: '' })).status, 200)
})

test('who has mistyped a path is told those that there are', async (context) => {
  const { post } = await serve(context, { metrics_url_path: '/m' }, ['metrics', 'logs'])
  const reply = await post({ path: '/v1/metrics?x=1' })
  assert.equal(reply.status, 404)
  assert.equal(statusIn(reply)!.message, 'no such path; known here: /m, /v1/logs')
  const unwanted = await post({ path: '/v1/traces?x=1' })
  assert.equal(statusIn(unwanted)!.message, 'no pipeline takes traces from this receiver')
})

test('other methods are 405, with what is allowed', async (context) => {
  const { post } = await serve(context)
  for (const method of ['GET', 'PUT', 'OPTIONS', 'DELETE', 'HEAD', 'PROPFIND']) {
    const reply = await post({ method, headers: {}, body: '' })
    assert.equal(reply.status, 405, method)
    assert.equal(reply.headers.allow, 'POST')
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8')
  }
  const reply = await post({ method: 'PUT', headers: json, body: '{}' })
  assert.equal(reply.status, 405)
  assert.equal(statusIn(reply)!.message, 'method not allowed, supported: [POST]')
})

test('other content types are 415 in the words of the Collector', async (context) => {
  const { post } = await serve(context)
  const types = ['text/plain', 'application/x-protobufs', 'application/jsonl', 'multipart/json']
  for (const type of types) {
    const reply = await post({ headers: { 'content-type': type } })
    assert.equal(reply.status, 415, type)
    const words =
      '415 unsupported media type, supported: [application/json, application/x-protobuf]'
    assert.equal(reply.body.toString(), words)
  }
  assert.equal((await post({ headers: {} })).status, 415)
})

test('what cannot be decoded is 400 with a Status in the form of the request', async (context) => {
  const { host, post } = await serve(context)
  const broken = await post({ body: Uint8Array.of(0x0a, 0x7f, 1) })
  assert.equal(broken.status, 400)
  assert.equal(statusIn(broken)!.code, 3)
  const brokenJson = await post({ headers: json, body: '{"resourceSpans": [{]}' })
  assert.equal(brokenJson.status, 400)
  assert.equal(brokenJson.headers['content-type'], 'application/json')
  assert.equal(statusIn(brokenJson)!.code, 3)
  assert.equal(host.memory.heldBytes, 0)
})

test('refusals of the pipeline become the statuses of the specification', async (context) => {
  const { host, post } = await serve(context)
  const table = [
    [new Refusal('invalid', 'm'), 400, 3],
    [new Refusal('unauthenticated', 'm'), 401, 16],
    [new Refusal('permission_denied', 'm'), 403, 7],
    [new Refusal('internal', 'm'), 500, 13],
    [new Error('m'), 500, 13],
    [new Refusal('exhausted', 'm'), 429, 8],
    [new Refusal('unavailable', 'm'), 503, 14],
    [new Refusal('deadline_exceeded', 'm'), 503, 4],
  ] as const
  for (const [error, status, code] of table) {
    for (const later of [false, true]) {
      host.sink.respond = () => {
        if (later) return Promise.reject(error)
        throw error
      }
      const reply = await post()
      assert.equal(reply.status, status)
      assert.deepEqual(statusIn(reply), { code, message: 'm' })
      assert.equal(reply.headers['retry-after'], undefined)
    }
  }
  assert.equal(host.memory.heldBytes, 0)
})

test('Retry-After is whole seconds, at least one, and never with what may not be retried', async (context) => {
  const { host, post } = await serve(context)
  const retryAfter = async (refusal: Refusal) => {
    host.sink.respond = () => Promise.reject(refusal)
    return (await post()).headers['retry-after']
  }
  assert.equal(await retryAfter(new Refusal('unavailable', '', { retryAfterMs: 0 })), '1')
  assert.equal(await retryAfter(new Refusal('unavailable', '', { retryAfterMs: 1001 })), '2')
  assert.equal(await retryAfter(new Refusal('exhausted', '', { retryAfterMs: 30_000 })), '30')
  assert.equal(await retryAfter(new Refusal('invalid', '', { retryAfterMs: 500 })), undefined)
})

test('the answer waits for the pipeline, and the bytes are held as long', async (context) => {
  const { host, post } = await serve(context)
  let finish = () => {}
  host.sink.respond = () => new Promise((done) => (finish = done))
  let isAnswered = false
  const reply = post().then((value) => {
    isAnswered = true
    return value
  })
  await until(() => host.memory.heldBytes === threeSpans.length)
  await settle()
  assert.equal(isAnswered, false)
  finish()
  assert.equal((await reply).status, 200)
  assert.equal(host.memory.heldBytes, 0)
})

test('every encoding is taken, in both forms', async (context) => {
  const { host, post } = await serve(context)
  const encodings = ['gzip', 'zstd', 'zlib', 'deflate', 'snappy', 'x-snappy-framed'] as const
  const plain = encodeBatch(countedSpans(200))
  for (const encoding of encodings) {
    const body = await compressBody(encoding, plain)
    const reply = await post({ headers: { ...proto, 'content-encoding': encoding }, body })
    assert.equal(reply.status, 200, encoding)
  }
  const body = gzipSync(encodeJson(countedSpans(200)))
  const reply = await post({ headers: { ...json, 'content-encoding': ' GZIP ' }, body })
  assert.equal(reply.status, 200)
  assert.equal((await post({ headers: { ...proto, 'content-encoding': 'identity' } })).status, 200)
  assert.deepEqual(
    host.sink.batches.map((batch) => batch.itemCount),
    [200, 200, 200, 200, 200, 200, 200, 3],
  )
  assert.ok(host.memory.peakBytes >= plain.length, 'inflated bytes are held as well')
  assert.equal(host.memory.heldBytes, 0)
})

test('a zstd body of many frames arrives whole', async (context) => {
  const { host, post } = await serve(context)
  const frames = [countedSpans(3, 'a'), countedSpans(2, 'b')].map((batch) =>
    zstdCompressSync(encodeBatch(batch)),
  )
  const body = Buffer.concat(frames)
  await post({ headers: { ...proto, 'content-encoding': 'zstd' }, body })
  assert.deepEqual(spanNames(host.sink.batches[0]), ['a0', 'a1', 'a2', 'b0', 'b1'])
})

const failures = (host: TestHost, transport: string) =>
  host.meter.value('otelcol_receiver_requests', {
    receiver: host.id,
    transport,
    outcome: 'failure',
  })

test('unknown, switched off and corrupt encodings are 400', async (context) => {
  const { host, post } = await serve(context, { compression_algorithms: ['gzip', 'deflate'] })
  const messageFor = async (encoding: string, body: Uint8Array = threeSpans) => {
    const headers = { ...proto, ...(encoding !== '' && { 'content-encoding': encoding }) }
    const reply = await post({ headers, body })
    return `${reply.status} ${statusIn(reply)?.message}`
  }
  const only = 'is not accepted, only gzip, deflate, zlib'
  assert.equal(await messageFor('lz4'), `400 Content-Encoding lz4 ${only}`)
  assert.equal(await messageFor('zstd'), `400 Content-Encoding zstd ${only}`)
  assert.equal(await messageFor(''), `400 Content-Encoding identity ${only}`)
  assert.match(await messageFor('gzip'), /^400 body is not valid gzip/)
  assert.match(await messageFor('gzip', gzipSync(threeSpans).subarray(0, -1)), /unexpected end/)
  assert.equal(await messageFor('zlib', await compressBody('zlib', threeSpans)), '200 ')
  assert.equal(failures(host, 'http'), 5)
})

test('an empty list of encodings takes bodies as they are', async (context) => {
  const { host, post } = await serve(context, { compression_algorithms: [] })
  assert.equal((await post({ headers: { ...proto, 'content-encoding': 'gzip' } })).status, 200)
  assert.equal(host.sink.itemCount, 3)
})

test('too large is 413, by declared length, by count, and inflated', async (context) => {
  const { host, port, post } = await serve(context, { max_request_body_size: 5000 })
  const large = encodeBatch(countedSpans(1000))
  const declared = await post({ body: large })
  assert.equal(declared.status, 413)
  assert.deepEqual(statusIn(declared), { code: 8, message: 'body is larger than 5000 bytes' })
  const gzipped = gzipSync(large)
  assert.ok(gzipped.length < 5000)
  const inflated = await post({ headers: { ...proto, 'content-encoding': 'gzip' }, body: gzipped })
  assert.equal(inflated.status, 413)
  assert.equal(statusIn(inflated)?.message, 'body inflates to more than 5000 bytes')
  const client = new Client(`http://127.0.0.1:${port}`)
  const chunked = await client.request({
    path: '/v1/traces',
    method: 'POST',
    headers: proto,
    body: Readable.from(
      (function* () {
        for (let offset = 0; offset < large.length; offset += 1000) {
          yield large.subarray(offset, offset + 1000)
        }
      })(),
    ),
  })
  assert.equal(chunked.statusCode, 413)
  await chunked.body.dump()
  await client.destroy()
  assert.equal(host.sink.batches.length, 0)
  assert.equal(failures(host, 'http'), 3)
  await until(() => host.memory.heldBytes === 0)
})

test('a large body arrives whole, whatever the pieces it came in', async (context) => {
  const { host, port } = await serve(context)
  const large = encodeBatch(countedSpans(20_000))
  const { socket, text } = await rawSocket(port)
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      `Content-Length: ${large.length}\r\n\r\n`,
  )
  for (let offset = 0; offset < large.length; offset += 50_000) {
    socket.write(large.subarray(offset, offset + 50_000))
    await settle()
  }
  await until(() => text().includes('HTTP/1.1 200'))
  assert.deepEqual(Buffer.from(encodeBatch(host.sink.batches[0])), Buffer.from(large))
  assert.equal(host.memory.peakBytes, large.length)
  socket.destroy()
})

test('no body is expected to inflate beyond the limit', async (context) => {
  const { host, post } = await serve(context, { max_request_body_size: 1000 })
  const asked: number[] = []
  host.sink.admit = (...args: unknown[]) => void asked.push(args[0] as number)
  const headers = { ...proto, 'content-encoding': 'gzip' }
  await post({ headers, body: new Uint8Array(900) })
  assert.deepEqual(asked, [1000])
})

test('the door is asked for what a body is expected to inflate to', async (context) => {
  const { host, post } = await serve(context)
  const asked: number[] = []
  host.sink.admit = (...args: unknown[]) => void asked.push(args[0] as number)
  await post()
  const body = gzipSync(threeSpans)
  await post({ headers: { ...proto, 'content-encoding': 'gzip' }, body })
  assert.deepEqual(asked, [threeSpans.length, body.length * 8])
})

test('a body without a length is taken, and asks for more room as it grows', async (context) => {
  const { host, port } = await serve(context)
  const large = encodeBatch(countedSpans(20_000))
  const asked: number[] = []
  host.sink.admit = (...args: unknown[]) => void asked.push(args[0] as number)
  const client = new Client(`http://127.0.0.1:${port}`)
  const send = async () => {
    const reply = await client.request({
      path: '/v1/traces',
      method: 'POST',
      headers: proto,
      body: Readable.from(
        (function* () {
          yield large.subarray(0, 10)
          yield large.subarray(10)
        })(),
      ),
    })
    await reply.body.dump()
    return reply
  }
  assert.equal((await send()).statusCode, 200)
  assert.equal(host.sink.itemCount, 20_000)
  assert.ok(large.length > 131_072 && large.length < 524_288, String(large.length))
  assert.deepEqual(asked.slice(0, 2), [65_536, 65_536])
  assert.equal(asked.at(-1)! * 2 >= large.length, true)
  let questions = 0
  host.sink.admit = () => (questions++ === 0 ? undefined : new Refusal('unavailable', 'full'))
  const refused = await send()
  assert.equal(refused.statusCode, 503)
  assert.equal(refused.headers['retry-after'], '1')
  await client.destroy()
  await until(() => host.memory.heldBytes === 0)
})

test('overload is answered before the body is read, and keep-alive survives it', async (context) => {
  const { host, port, server } = await serve(context)
  host.sink.refuseAtDoor = new Refusal('unavailable', 'data refused due to high memory usage')
  const { socket, text } = await rawSocket(port)
  const head = (length: number) =>
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
    `Content-Length: ${length}\r\n\r\n`
  socket.write(head(threeSpans.length))
  await until(() => text().includes('high memory usage'))
  assert.match(text(), /^HTTP\/1\.1 503 .*\r\nRetry-After: 1\r\n/s)
  assert.match(text(), /Connection: keep-alive/)
  assert.equal(host.memory.peakBytes, 0)
  host.sink.refuseAtDoor = undefined
  socket.write(threeSpans)
  socket.write(head(threeSpans.length))
  socket.write(threeSpans)
  await until(() => text().includes('HTTP/1.1 200'))
  assert.equal(host.sink.itemCount, 3)
  assert.equal(server.connectionCount, 1)
  socket.destroy()
})

test('a refused large body costs the connection, but its sender sees the answer first', async (context) => {
  const { host, port, server } = await serve(context)
  host.sink.refuseAtDoor = new Refusal('unavailable', 'no room', { retryAfterMs: 7000 })
  const { socket, text } = await rawSocket(port)
  const piece = Buffer.alloc(64 * 1024)
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      `Content-Length: ${100 * piece.length}\r\n\r\n`,
  )
  await until(() => text().includes('no room'))
  assert.match(text(), /Connection: close/)
  assert.match(text(), /Retry-After: 7/)
  for (let count = 0; count < 50; count++) socket.write(piece)
  await settle()
  assert.equal(server.connectionCount, 1, 'what is still sent is read for a moment')
  await host.clock.advance(2000)
  await until(() => server.connectionCount === 0)
  assert.equal(host.clock.timerCount, 0)
  socket.destroy()
})

test('who asks before sending is told to go on, or refused and cut off', async (context) => {
  const { host, port } = await serve(context)
  const expecting =
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
    `Expect: 100-continue\r\nContent-Length: ${threeSpans.length}\r\n\r\n`
  const welcome = await rawSocket(port)
  welcome.socket.write(expecting)
  await until(() => welcome.text().includes('HTTP/1.1 100 Continue'))
  assert.equal(host.memory.heldBytes, threeSpans.length)
  welcome.socket.write(threeSpans)
  await until(() => welcome.text().includes('HTTP/1.1 200'))
  host.sink.refuseAtDoor = new Refusal('unavailable', 'no room')
  const refused = await rawSocket(port)
  refused.socket.write(expecting)
  await once(refused.socket, 'close')
  assert.match(refused.text(), /^HTTP\/1\.1 503 .*Connection: close/s)
  assert.doesNotMatch(refused.text(), /100 Continue/)
  welcome.socket.destroy()
})

test('a client that goes away half-way leaves nothing held', async (context) => {
  const { host, server, port } = await serve(context)
  const { socket } = await rawSocket(port)
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      'Content-Length: 1000\r\n\r\nabc',
  )
  await until(() => host.memory.heldBytes === 1000)
  socket.destroy()
  await until(() => host.memory.heldBytes === 0)
  const chunked = await rawSocket(port)
  chunked.socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  )
  await until(() => host.memory.heldBytes > 0)
  chunked.socket.destroy()
  await until(() => host.memory.heldBytes === 0)
  await server.stop(AbortSignal.abort())
  assert.equal(host.clock.timerCount, 0)
  assert.equal(host.sink.batches.length, 0)
})

test('a body that takes too long is answered with what may be retried, and let go of', async (context) => {
  const { host, port } = await serve(context, { read_timeout: '60ms' })
  const { socket, text } = await rawSocket(port)
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      'Content-Length: 1000\r\n\r\nabc',
  )
  await until(() => host.memory.heldBytes === 1000)
  await once(socket, 'close')
  assert.match(text(), /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 1\r\n/)
  await until(() => host.memory.heldBytes === 0)
})

test('a body that comes slower than 64 kB a second after half a minute gives back what it holds', async (context) => {
  const { host, port } = await serve(context)
  const { socket, text } = await rawSocket(port)
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n' +
      'Content-Length: 6400000\r\n\r\nabc',
  )
  await until(() => host.memory.heldBytes === 6_400_000)
  await host.clock.advance(30_000 + 99_000)
  assert.equal(host.memory.heldBytes, 6_400_000)
  await host.clock.advance(2000)
  await until(() => text().startsWith('HTTP/1.1 503 Service Unavailable'))
  assert.equal(host.memory.heldBytes, 0)
  assert.match(text(), /Retry-After: 1\r\n/)
})

test('the peer’s address goes with the batch, headers only if include_metadata says so', async (context) => {
  const headers = { ...proto, 'X-Tenant': 'acme' }
  const without = await serve(context)
  const agent = new Agent({ keepAlive: true })
  await without.post({ headers, agent })
  await without.post({ headers, agent })
  agent.destroy()
  const [first, second] = without.host.sink.batches.map((batch) => batch.client)
  assert.equal(first?.address, '127.0.0.1')
  assert.equal(first.metadata.size, 0)
  assert.equal(first, second, 'one object for a connection')
  const including = await serve(context, { include_metadata: true })
  await including.post({ headers })
  const metadata = including.host.sink.batches[0].client!.metadata
  assert.deepEqual(metadata.get('x-tenant'), ['acme'])
  assert.deepEqual(metadata.get('host'), [`localhost:${including.port}`])
})

test('stopping finishes what was accepted, and closes the connection with the answer', async (context) => {
  const { host, port, server } = await serve(context)
  let finish = () => {}
  host.sink.respond = () => new Promise((done) => (finish = done))
  const agent = new Agent({ keepAlive: true })
  const reply = post(port, { agent })
  await until(() => host.memory.heldBytes > 0)
  const idle = await rawSocket(port)
  const stopped = server.stop(AbortSignal.timeout(5000))
  await once(idle.socket, 'close')
  await assert.rejects(post(port, {}), { code: 'ECONNREFUSED' })
  finish()
  const { status, headers } = await reply
  assert.equal(status, 200)
  assert.equal(headers.connection, 'close')
  await stopped
  assert.equal(server.connectionCount, 0)
  assert.equal(host.sink.itemCount, 3)
  agent.destroy()
})

test('stopping ends by its deadline, whatever is not answered by then', async (context) => {
  const { host, port, server } = await serve(context)
  host.sink.respond = () => new Promise(() => {})
  const cut = assert.rejects(post(port, {}), { code: 'ECONNRESET' })
  await until(() => host.memory.heldBytes > 0)
  const deadline = new AbortController()
  const stopped = server.stop(deadline.signal)
  deadline.abort()
  await stopped
  await cut
  await until(() => server.connectionCount === 0)
})

test('an authenticator is asked first, and its refusal is told in the form of the request', async (context) => {
  const { host, post } = await serve(context, { auth: { authenticator: 'keys' } })
  for (const headers of [proto, json]) {
    const reply = await post({ headers: { ...headers, 'x-key': 'bad' } })
    assert.equal(reply.status, 401)
    assert.equal(reply.headers['www-authenticate'], 'Test realm="kit"')
    assert.equal(reply.headers['content-type'], headers['content-type'])
    const { code, message } = statusIn(reply)!
    assert.deepEqual([code, message], [16, 'no good key'])
  }
  assert.equal((await post({ headers: { 'content-type': 'text/plain' } })).status, 401)
  assert.equal((await post({ headers: { ...proto, 'x-key': 'good' } })).status, 200)
  assert.equal(host.sink.batches[0].client?.auth.get('subject'), 'tester')
  assert.equal(host.sink.batches.length, 1)
})

test('a request whose target is a whole URL is served', async (context) => {
  const { host, post } = await serve(context)
  assert.equal((await post({ path: 'http://gateway:4318/v1/traces?a=b' })).status, 200)
  assert.equal((await post({ path: 'http://gateway:4318/v1/other' })).status, 404)
  assert.equal(host.sink.batches.length, 1)
})
