import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { type ClientOptions, Metadata, compressionAlgorithms } from '@grpc/grpc-js'
import { ForeignClient, RawClient, frame } from '../../../test/kit/grpc-peers.ts'
import { type TestHost, testHost } from '../../../test/kit/test-host.ts'
import { until } from '../../../test/kit/until.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { decodeStatus } from '../../otlp/responses.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { GrpcServer } from './grpc-server.ts'
import { type GrpcServerSettings, grpcServerSettings } from './server-config.ts'
import type { UnaryMethod } from './unary-method.ts'

const path = '/test.Service/Call'
const mib = 1024 * 1024
const now = AbortSignal.abort()

interface Started {
  readonly host: TestHost
  readonly server: GrpcServer
  readonly received: Uint8Array[]
  readonly clients: ClientInfo[]
  readonly method: { -readonly [Key in keyof UnaryMethod]: UnaryMethod[Key] }
  readonly foreign: (options?: ClientOptions) => ForeignClient
  readonly raw: () => RawClient
}

/** A server whose one method keeps what it gets and answers with the same bytes. */
async function start(context: TestContext, config: object = {}): Promise<Started> {
  const host = testHost()
  const received: Uint8Array[] = []
  const clients: ClientInfo[] = []
  const method: Started['method'] = {
    answer: (message, client) => {
      received.push(message)
      clients.push(client)
      return message
    },
  }
  const settings = grpcServerSettings('localhost:0').parse(config) as GrpcServerSettings
  const methods = new Map([[path, method]])
  const server = new GrpcServer({ settings, where: 'grpc', methods }, host)
  await server.start()
  context.after(() => server.stop(now))
  return {
    host,
    server,
    received,
    clients,
    method,
    foreign: (options) => {
      const client = new ForeignClient(server.port, options)
      context.after(() => client.close())
      return client
    },
    raw: () => {
      const client = new RawClient(server.port)
      context.after(() => client.close())
      return client
    },
  }
}

test('unary calls are answered, from an empty message to one of many frames', async (context) => {
  const { host, received, foreign } = await start(context)
  const client = foreign({ 'grpc.max_receive_message_length': -1 })
  for (const length of [0, 1, 100, 16_379, 16_380, 70_000, 300_000, 4 * mib]) {
    const message = randomBytes(length)
    const result = await client.call(path, message)
    assert.equal(result.code, 'OK')
    assert.deepEqual(result.message, message)
  }
  assert.equal(received.length, 8)
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.memory.peakBytes, 4 * mib)
})

test('two hundred calls at a time on one connection each get their own answer', async (context) => {
  const { server, host, method, foreign } = await start(context)
  let waiting: (() => void)[] = []
  method.answer = (message) => new Promise((resolve) => waiting.push(() => resolve(message)))
  const client = foreign()
  const messages = Array.from({ length: 200 }, (_, index) => randomBytes(100 + 200 * index))
  const calls = messages.map((message) => client.call(path, message))
  await until(() => waiting.length === 200)
  assert.equal(server.connectionCount, 1)
  assert.equal(
    host.memory.heldBytes,
    messages.reduce((sum, message) => sum + message.length, 0),
  )
  for (const answer of waiting.toReversed()) answer()
  waiting = []
  for (const [index, call] of calls.entries()) {
    assert.deepEqual((await call).message, messages[index])
  }
  assert.equal(host.memory.heldBytes, 0)
})

test('grpc-js sends gzip and deflate, and what arrives is what was meant', async (context) => {
  const { received, host, foreign } = await start(context)
  const message = Buffer.from('resource spans '.repeat(20_000))
  const { gzip, deflate } = compressionAlgorithms
  for (const [index, algorithm] of [gzip, deflate].entries()) {
    const client = foreign({ 'grpc.default_compression_algorithm': algorithm })
    assert.equal((await client.call(path, message)).code, 'OK')
    assert.deepEqual(Buffer.from(received[index]), message)
  }
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.memory.peakBytes, message.length)
})

test('every encoding that gRPC names is read, and each message says for itself', async (context) => {
  const { raw } = await start(context)
  const message = Buffer.from('spans '.repeat(1000))
  // A block of literals: length as a varint, then tag 61 << 2 with two length bytes.
  const snappy = Buffer.concat([Buffer.from([0xf0, 0x2e, 0xf4, 0x6f, 0x17]), message])
  const client = raw()
  for (const [encoding, body] of [
    ['gzip', gzipSync(message)],
    ['deflate', deflateSync(message)],
    ['zstd', zstdCompressSync(message)],
    ['snappy', snappy],
  ] as const) {
    const headers = { 'grpc-encoding': encoding }
    const packed = await client.request({ path, headers, pieces: [frame(body, { flag: 1 })] })
    assert.equal(packed.trailers['grpc-status'], '0', encoding)
    assert.deepEqual(packed.body.subarray(5), message)
    const plain = await client.request({ path, headers, pieces: [frame(message)] })
    assert.deepEqual(plain.body.subarray(5), message)
  }
})

test('an encoding that is not known is UNIMPLEMENTED, with a list of those that are', async (context) => {
  const { raw, received } = await start(context)
  const headers = { 'grpc-encoding': 'br' }
  const answer = await raw().request({ path, headers, pieces: [frame(Buffer.from('x'))] })
  assert.equal(answer.headers['grpc-status'], '12')
  assert.equal(answer.headers['grpc-accept-encoding'], 'identity,gzip,zstd,deflate,snappy')
  assert.equal(received.length, 0)
})

test('a message over the limit is RESOURCE_EXHAUSTED without RetryInfo, on the wire and inflated', async (context) => {
  const { host, foreign, raw, received } = await start(context, { max_recv_msg_size_mib: 1 })
  const plain = await foreign().call(path, Buffer.alloc(mib + 1))
  assert.equal(plain.code, 'RESOURCE_EXHAUSTED')
  assert.match(plain.details, /1048577 bytes .* limit of 1048576/)
  assert.deepEqual(plain.metadata.get('grpc-status-details-bin'), [])
  assert.equal((await foreign().call(path, Buffer.alloc(mib))).code, 'OK')
  assert.equal(received.length, 1)
  const gzip = foreign({ 'grpc.default_compression_algorithm': compressionAlgorithms.gzip })
  assert.equal((await gzip.call(path, Buffer.alloc(mib))).code, 'OK')
  const inflated = await gzip.call(path, Buffer.alloc(mib + 1))
  assert.equal(inflated.code, 'RESOURCE_EXHAUSTED')
  assert.deepEqual(inflated.metadata.get('grpc-status-details-bin'), [])
  const huge = await raw().request({
    path,
    leaveOpen: true,
    pieces: [frame(Buffer.alloc(100), { announced: 0xffffffff })],
  })
  assert.equal(huge.headers['grpc-status'], '8')
  assert.match(String(huge.headers['grpc-message']), /4294967295/)
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.memory.peakBytes, mib)
})

test('what is not welcome is refused at its prefix with RetryInfo, and its body is not read', async (context) => {
  const { host, server, method, foreign, received } = await start(context)
  const asked: number[] = []
  method.admit = (byteLength) => {
    asked.push(byteLength)
    return new Refusal('unavailable', 'memory is full', { retryAfterMs: 1500 })
  }
  const client = foreign()
  const result = await client.call(path, Buffer.alloc(4 * mib))
  assert.equal(result.code, 'UNAVAILABLE')
  assert.equal(result.details, 'memory is full')
  const [details] = result.metadata.get('grpc-status-details-bin')
  assert.deepEqual(decodeStatus(details as Buffer), {
    code: 14,
    message: 'memory is full',
    retryDelayMs: 1500,
  })
  assert.deepEqual(asked, [4 * mib])
  assert.equal(host.memory.peakBytes, 0)
  delete method.admit
  for (let round = 0; round < 5; round++) {
    assert.equal((await client.call(path, Buffer.alloc(4 * mib))).code, 'OK')
  }
  assert.equal(received.length, 5)
  assert.equal(server.connectionCount, 1, 'the same connection goes on')
})

test('a refusal becomes its status; RESOURCE_EXHAUSTED carries RetryInfo when it may be retried', async (context) => {
  const { method, host, foreign } = await start(context)
  const client = foreign()
  for (const [refusal, code, retryDelayMs] of [
    [new Refusal('invalid', 'bad: 100 % ü\n'), 'INVALID_ARGUMENT', undefined],
    [new Refusal('exhausted', 'queue is full'), 'RESOURCE_EXHAUSTED', 0],
    [new Refusal('too_large', 'too large', { retryAfterMs: 5 }), 'RESOURCE_EXHAUSTED', undefined],
    [new Refusal('unavailable', 'later'), 'UNAVAILABLE', undefined],
    [new Refusal('unauthenticated', 'who'), 'UNAUTHENTICATED', undefined],
    [new Error('surprise'), 'INTERNAL', undefined],
  ] as const) {
    for (const isAsync of [false, true]) {
      method.answer = () => {
        if (isAsync) return Promise.reject(refusal)
        throw refusal
      }
      const result = await client.call(path, Buffer.from('x'))
      assert.equal(result.code, code)
      assert.equal(result.details, refusal.message)
      const [details] = result.metadata.get('grpc-status-details-bin')
      const decoded = details === undefined ? undefined : decodeStatus(details as Buffer)
      assert.equal(decoded?.retryDelayMs, retryDelayMs)
    }
  }
  assert.equal(host.memory.heldBytes, 0)
})

test('an unknown method or service is UNIMPLEMENTED', async (context) => {
  const { foreign } = await start(context)
  const client = foreign()
  for (const unknown of [
    '/test.Service/Other',
    '/other.Service/Call',
    '/grpc.health.v1.Health/Watch',
  ]) {
    const result = await client.call(unknown, Buffer.alloc(100_000))
    assert.equal(result.code, 'UNIMPLEMENTED')
    assert.equal(result.details, `unknown method ${unknown}, or no pipeline for its signal`)
  }
})

test('streaming calls are refused: more than one request message is UNIMPLEMENTED', async (context) => {
  const { foreign, received, host } = await start(context)
  const same = (bytes: Buffer) => bytes
  const code = await new Promise((resolve) => {
    const stream = foreign().client.makeClientStreamRequest(path, same, same, (error) =>
      resolve(error?.code),
    )
    stream.write(Buffer.from('one'))
    stream.write(Buffer.from('two'))
    stream.end()
  })
  assert.equal(code, 12)
  assert.equal(received.length, 0)
  assert.equal(host.memory.heldBytes, 0)
})

test('broken framing is refused by what is wrong with it', async (context) => {
  const { host, raw, received } = await start(context)
  const client = raw()
  const whole = frame(Buffer.from('hello'))
  const cases: [string, readonly Uint8Array[], string, RegExp][] = [
    ['no message', [], '12', /got none/],
    ['part of a prefix', [whole.subarray(0, 3)], '13', /after its prefix/],
    ['part of a message', [whole.subarray(0, 7)], '13', /after 2 of 5 bytes/],
    ['two messages in one piece', [Buffer.concat([whole, whole])], '12', /got more/],
    ['two messages', [whole, whole], '12', /got more/],
    ['unknown flag', [frame(Buffer.from('x'), { flag: 2 })], '13', /compression flag 2/],
    ['compressed without encoding', [frame(Buffer.from('x'), { flag: 1 })], '13', /grpc-encoding/],
  ]
  for (const [name, pieces, code, message] of cases) {
    const answer = await client.request({ path, pieces })
    assert.equal(answer.headers[':status'], 200, name)
    assert.equal(answer.headers['grpc-status'], code, name)
    assert.match(String(answer.headers['grpc-message']), message, name)
  }
  const headers = { 'grpc-encoding': 'gzip' }
  const corrupt = { path, headers, pieces: [frame(Buffer.from('no gzip'), { flag: 1 })] }
  assert.equal((await client.request(corrupt)).headers['grpc-status'], '3')
  assert.equal(received.length, 0)
  assert.equal(host.memory.heldBytes, 0)
})

test('a message may come in pieces cut anywhere', async (context) => {
  const { raw, received } = await start(context)
  const client = raw()
  const message = randomBytes(40)
  const bytes = frame(message)
  for (let cut = 1; cut < bytes.length; cut++) {
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut, cut + 3), bytes.subarray(cut + 3)]
    const answer = await client.request({ path, pieces })
    assert.equal(answer.trailers['grpc-status'], '0', `cut at ${cut}`)
  }
  for (const got of received) assert.deepEqual(Buffer.from(got), message)
})

test('what is not a gRPC call gets an HTTP status', async (context) => {
  const { raw } = await start(context)
  const client = raw()
  const statusOf = async (headers: Record<string, string>) =>
    (await client.request({ path, headers, pieces: [frame(Buffer.from('x'))] })).headers[':status']
  assert.equal(await statusOf({ 'content-type': 'application/json' }), 415)
  assert.equal(await statusOf({ 'content-type': 'application/grpc-web' }), 415)
  assert.equal(await statusOf({ 'content-type': 'application/grpc+json' }), 415)
  assert.equal(await statusOf({ 'content-type': 'application/grpc+proto' }), 200)
  assert.equal(await statusOf({ 'content-type': 'application/grpc; charset=utf-8' }), 200)
  assert.equal(await statusOf({ ':method': 'PUT' }), 405)
})

test('grpc-timeout ends a call that is not answered in time', async (context) => {
  const { host, method, raw } = await start(context)
  let answer = () => {}
  method.answer = (message) => new Promise((resolve) => (answer = () => resolve(message)))
  const client = raw()
  const pieces = [frame(Buffer.from('hello'))]
  const call = client.request({ path, headers: { 'grpc-timeout': '500m' }, pieces })
  await until(() => host.memory.heldBytes === 5)
  await host.clock.advance(499)
  const longer = client.request({ path, headers: { 'grpc-timeout': '60S' }, pieces })
  await until(() => host.memory.heldBytes === 10)
  const answerLonger = answer
  await host.clock.advance(20)
  assert.equal((await call).headers['grpc-status'], '4')
  assert.equal(host.memory.heldBytes, 10, 'the method still has both messages')
  answerLonger()
  assert.equal((await longer).trailers['grpc-status'], '0')
  const malformed = await client.request({ path, headers: { 'grpc-timeout': '5 s' }, pieces })
  assert.equal(malformed.headers['grpc-status'], '13')
})

test('a request that never ends is given up, and its bytes with it', async (context) => {
  const { host, raw } = await start(context)
  const client = raw()
  const silent = client.request({ path, leaveOpen: true })
  const pieces = [frame(Buffer.alloc(10), { announced: 64 * 1000 })]
  const stuck = client.request({ path, leaveOpen: true, pieces })
  await until(() => host.memory.heldBytes === 64_000)
  await host.clock.advance(30_100)
  assert.equal((await silent).headers['grpc-status'], '4')
  assert.equal(host.memory.heldBytes, 64_000, 'a thousand bytes at the least rate are a second')
  await host.clock.advance(1000)
  assert.equal((await stuck).headers['grpc-status'], '4')
  assert.equal(host.memory.heldBytes, 0)
})

test('a call that its client gives up is forgotten', async (context) => {
  const { host, method, foreign, raw } = await start(context)
  let answer = () => {}
  method.answer = (message) => new Promise((resolve) => (answer = () => resolve(message)))
  const call = foreign().call(path, Buffer.from('hello'))
  await until(() => host.memory.heldBytes === 5)
  call.cancel()
  assert.equal((await call).code, 'CANCELLED')
  answer()
  await until(() => host.memory.heldBytes === 0)
  const client = raw()
  const pieces = [frame(Buffer.alloc(10), { announced: 1000 })]
  const half = client.request({ path, leaveOpen: true, pieces })
  await until(() => host.memory.heldBytes === 1000)
  client.session.destroy()
  await half
  await until(() => host.memory.heldBytes === 0)
})

test('metadata is kept only when asked for, as the Collector keeps it', async (context) => {
  const metadata = new Metadata()
  metadata.add('X-Tenant', 'one')
  metadata.add('x-tenant', 'two')
  metadata.add('trace-bin', Buffer.from([0, 255, 16]))
  const plain = await start(context)
  await plain.foreign().call(path, Buffer.from('x'), {}, metadata)
  assert.equal(plain.clients[0].address, '127.0.0.1')
  assert.equal(plain.clients[0].metadata.size, 0)
  const { server, clients, foreign } = await start(context, { include_metadata: true })
  await foreign().call(path, Buffer.from('x'), { deadline: Date.now() + 60_000 }, metadata)
  const kept = clients[0].metadata
  assert.deepEqual(kept.get('x-tenant'), ['one', 'two'])
  assert.deepEqual(kept.get('trace-bin'), ['\u0000ÿ\u0010'])
  assert.deepEqual(kept.get('host'), [`localhost:${server.port}`])
  assert.deepEqual(kept.get('content-type'), ['application/grpc'])
  assert.match(kept.get('user-agent')![0], /^grpc-node-js/)
  for (const name of [':path', ':method', 'te', 'grpc-timeout']) assert.ok(!kept.has(name), name)
})

test('the health service tells what the service says of itself', async (context) => {
  const { host, foreign } = await start(context)
  const client = foreign()
  const check = (service: string) =>
    client.call(
      '/grpc.health.v1.Health/Check',
      Buffer.from([0x0a, service.length, ...Buffer.from(service)]),
    )
  assert.deepEqual((await check('')).message, Buffer.from([8, 1]))
  assert.deepEqual((await check('test.Service')).message, Buffer.from([8, 1]))
  assert.equal((await check('other.Service')).code, 'NOT_FOUND')
  Object.assign(host.status, { isReady: false })
  assert.deepEqual((await check('')).message, Buffer.from([8, 2]))
  const empty = await client.call('/grpc.health.v1.Health/Check', Buffer.alloc(0))
  assert.deepEqual(empty.message, Buffer.from([8, 2]))
})
