import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { testHost } from '../../../../test/kit/test-host.ts'
import { otlp } from './index.ts'

const parse = (value: unknown) => otlp.config.parse(value)
const loopback = { endpoint: '127.0.0.1:0' }

/** A port that nobody listens on, as far as anyone can know. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const [outcome] = await Promise.race([
    once(socket, 'connect').then(() => [true]),
    once(socket, 'error').then(() => [false]),
  ]).catch(() => [false])
  socket.destroy()
  return outcome
}

test('a protocol that is named without settings is served at its usual address', () => {
  const config = parse({ protocols: { grpc: null, http: null } })
  assert.deepEqual(otlp.check?.(config, new Set()), [])
  assert.deepEqual(
    otlp.listens?.(config).map(({ path, endpoint }) => `${path.join('.')} ${endpoint}`),
    ['protocols.grpc.endpoint localhost:4317', 'protocols.http.endpoint localhost:4318'],
  )
  const onlyHttp = parse({ protocols: { grpc: { enabled: false }, http: {} } })
  assert.deepEqual(
    otlp.listens?.(onlyHttp).map(({ endpoint }) => endpoint),
    ['localhost:4318'],
  )
})

test('one protocol at least must be named', () => {
  for (const value of [null, {}, { protocols: null }, { protocols: {} }]) {
    assert.deepEqual(otlp.check?.(parse(value), new Set()), [
      { path: ['protocols'], message: 'must name at least one of grpc and http' },
    ])
  }
})

test('the OTLP receiver’s timeouts are those of the Collector, and paths get their slash', () => {
  const { http } = (
    parse({ protocols: { http: { logs_url_path: 'in/logs' } } }) as {
      protocols: { http: Record<string, unknown> }
    }
  ).protocols
  assert.equal(http.read_header_timeout, 0)
  assert.equal(http.write_timeout, 0)
  assert.equal(http.idle_timeout, 0)
  assert.equal(http.logs_url_path, '/in/logs')
  assert.equal(http.traces_url_path, '/v1/traces')
})

test('unknown keys and protocols are errors', () => {
  const { error } = otlp.config.safeParse({ protocols: { http: { cors_allowed_origins: [] } } })
  assert.match(error!.message, /cors_allowed_origins/)
  assert.equal(otlp.config.safeParse({ protocols: { https: {} } }).success, false)
})

test('both sides start and stop as one', async () => {
  const [grpcPort, httpPort] = [await freePort(), await freePort()]
  const config = parse({
    protocols: {
      grpc: { endpoint: `127.0.0.1:${grpcPort}` },
      http: { endpoint: `127.0.0.1:${httpPort}` },
    },
  })
  const receiver = otlp.create(config, testHost())
  await receiver.start?.()
  assert.deepEqual([await isListening(grpcPort), await isListening(httpPort)], [true, true])
  await receiver.stop?.(AbortSignal.timeout(2000))
  assert.deepEqual([await isListening(grpcPort), await isListening(httpPort)], [false, false])
})

test('a side that cannot start takes the other down, and says why', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const endpoint = `127.0.0.1:${(taken.address() as AddressInfo).port}`
  const freeOne = await freePort()
  const sides = [
    { grpc: { endpoint: `127.0.0.1:${freeOne}` }, http: { endpoint } },
    { grpc: { endpoint }, http: { endpoint: `127.0.0.1:${freeOne}` } },
  ]
  for (const protocols of sides) {
    const receiver = otlp.create(parse({ protocols }), testHost())
    await assert.rejects(async () => receiver.start?.(), /EADDRINUSE/)
    assert.equal(await isListening(freeOne), false)
  }
  taken.close()
  await once(taken, 'close')
})

test('it can be stopped without ever having started', async () => {
  const receiver = otlp.create(parse({ protocols: { grpc: loopback, http: loopback } }), testHost())
  await receiver.stop?.(AbortSignal.abort())
})
