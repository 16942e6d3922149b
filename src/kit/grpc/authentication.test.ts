import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { z } from 'zod'
import { startGrpcPeer } from '../../../test/kit/grpc-peer.ts'
import { ForeignClient } from '../../../test/kit/grpc-peers.ts'
import { testAuthenticator } from '../../../test/kit/test-authenticator.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { until } from '../../../test/kit/until.ts'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { signals } from '../../otlp/signal.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { grpcClientShape } from './client-settings.ts'
import { GrpcClient } from './grpc-client.ts'
import { GrpcServer } from './grpc-server.ts'
import { type GrpcServerSettings, grpcServerSettings } from './server-config.ts'

const path = '/test.Service/Call'
const exportPath = `/${signals.traces.grpcService}/Export`
const noBytes = new Uint8Array(0)
const never = new AbortController().signal

function withKey(key: string): Metadata {
  const metadata = new Metadata()
  metadata.set('x-key', key)
  return metadata
}

async function serve(context: TestContext, settings: object = {}) {
  const authenticator = testAuthenticator()
  const host = testHost({ extensions: { keys: authenticator } })
  const clients: ClientInfo[] = []
  const answer = (_message: Uint8Array, client: ClientInfo) => void clients.push(client)
  const server = new GrpcServer(
    {
      settings: grpcServerSettings('localhost:0').parse({
        auth: { authenticator: 'keys' },
        ...settings,
      }) as GrpcServerSettings,
      where: 'grpc',
      methods: new Map([[path, { answer }]]),
    },
    host,
  )
  await server.start()
  const client = new ForeignClient(server.port, { 'grpc.max_send_message_length': -1 })
  context.after(async () => {
    client.close()
    await server.stop(AbortSignal.abort())
  })
  return { authenticator, host, server, clients, client }
}

test('a call without good credentials is UNAUTHENTICATED', async (context) => {
  const { client, clients } = await serve(context)
  for (const metadata of [new Metadata(), withKey('bad')]) {
    const refused = await client.call(path, noBytes, {}, metadata)
    assert.equal(refused.code, 'UNAUTHENTICATED')
    assert.equal(refused.details, 'no good key')
  }
  assert.equal(clients.length, 0)
})

test('one with good credentials is served, and its client has their attributes', async (context) => {
  const { client, clients } = await serve(context, { include_metadata: true })
  assert.equal((await client.call(path, noBytes, {}, withKey('good'))).code, 'OK')
  assert.equal(clients[0].auth.get('subject'), 'tester')
  assert.deepEqual(clients[0].metadata.get('x-key'), ['good'])
})

test('a message of 100 MB without credentials is refused before any of it is held', async (context) => {
  const { client, host } = await serve(context, { max_recv_msg_size_mib: 200 })
  const refused = await client.call(path, new Uint8Array(100 * 1024 * 1024))
  assert.equal(refused.code, 'UNAUTHENTICATED')
  assert.equal(host.memory.peakBytes, 0)
})

test('health is told without credentials, for probes have none', async (context) => {
  const { client, authenticator } = await serve(context)
  const { code, message } = await client.call('/grpc.health.v1.Health/Check', noBytes)
  assert.equal(code, 'OK')
  assert.deepEqual([...message!], [8, 1])
  assert.equal(authenticator.judgedCount, 0)
})

test('while a verdict is worked out a call waits, and one that is given up is forgotten', async (context) => {
  const idle = { server_parameters: { max_connection_idle: '1s' } }
  const { authenticator, client, clients, host, server } = await serve(context, { keepalive: idle })
  authenticator.holdsBack = true
  const given = client.call(path, noBytes, {}, withKey('good'))
  await until(() => authenticator.judgedCount === 1)
  given.cancel()
  await given
  const second = client.call(path, noBytes, {}, withKey('good'))
  await until(() => authenticator.judgedCount === 2)
  authenticator.release()
  authenticator.release()
  assert.equal((await second).code, 'OK')
  assert.equal(clients.length, 1)
  assert.equal(host.memory.heldBytes, 0)
  await host.clock.advance(10_000)
  await until(() => server.connectionCount === 0)
})

async function connect(context: TestContext) {
  const peer = await startGrpcPeer()
  const authenticator = testAuthenticator()
  const settings = z.strictObject(grpcClientShape()).parse({
    endpoint: peer.address,
    timeout: 0,
    tls: { insecure: true },
    headers: { 'X-Own': 'o' },
    auth: { authenticator: 'keys' },
  })
  const client = new GrpcClient(settings, testHost({ extensions: { keys: authenticator } }))
  context.after(() => {
    client.close()
    peer.close()
  })
  return { peer, authenticator, client }
}

test('a client signs each call, beside its own metadata, at once or later', async (context) => {
  const { peer, authenticator, client } = await connect(context)
  const sender = { address: '10.0.0.7', metadata: new Map(), auth: new Map() }
  for (const isSlow of [false, true]) {
    authenticator.isSlow = isSlow
    await client.call({ path: exportPath, message: noBytes, abort: never, client: sender })
    const { metadata } = peer.requests.at(-1)!
    assert.deepEqual(metadata.get('x-key'), ['good'])
    assert.deepEqual(metadata.get('x-client'), ['10.0.0.7'])
    assert.deepEqual(metadata.get('x-own'), ['o'])
  }
})

test('without credentials no call is made', async (context) => {
  const { peer, authenticator, client } = await connect(context)
  authenticator.key = new Refusal('unavailable', 'no token yet')
  const call = client.call({ path: exportPath, message: noBytes, abort: never })
  await assert.rejects(call, { code: 'unavailable', message: 'no token yet' })
  assert.equal(peer.requests.length, 0)
})

test('what gRPC cannot send is refused for good, and not said', async (context) => {
  const { peer, authenticator, client } = await connect(context)
  authenticator.key = 'caf\u00e9'
  const call = client.call({ path: exportPath, message: noBytes, abort: never })
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof Refusal)
    assert.equal(error.code, 'invalid')
    assert.match(error.message, /x-key/)
    assert.doesNotMatch(error.message, /caf/)
    return true
  })
  assert.equal(peer.requests.length, 0)
})

test('what the peer does not take is signed once more where that gives something else', async (context) => {
  const { peer, authenticator, client } = await connect(context)
  peer.respond = ({ metadata }) =>
    metadata.get('x-key')[0] === 'new' ? noBytes : { code: 16, details: 'old key' }
  authenticator.nextKey = 'new'
  await client.call({ path: exportPath, message: noBytes, abort: never })
  assert.equal(peer.requests.length, 2)
  authenticator.key = 'old'
  const call = client.call({ path: exportPath, message: noBytes, abort: never })
  await assert.rejects(call, { code: 'unauthenticated' })
  assert.equal(peer.requests.length, 3)
})
