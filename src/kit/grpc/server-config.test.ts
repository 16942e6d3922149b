import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type GrpcServerSettings,
  concurrentStreamsMax,
  grpcServerSettings,
  keepaliveTimes,
  messageBytesMax,
} from './server-config.ts'

const schema = grpcServerSettings('localhost:4317')
const parse = (value: unknown) => schema.parse(value) as GrpcServerSettings

function complaints(value: object): string[] {
  const issues = schema.safeParse(value).error?.issues ?? []
  return issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)
}

test('grpc: alone means the defaults of the Collector', () => {
  const settings = parse(null)
  assert.equal(settings.endpoint, 'localhost:4317')
  assert.equal(settings.tls, undefined)
  assert.equal(settings.include_metadata, false)
  assert.equal(messageBytesMax(settings), 4 * 1024 * 1024)
  assert.equal(concurrentStreamsMax(settings), 1000)
  assert.deepEqual(keepaliveTimes(settings), {
    maxIdleMs: Infinity,
    maxAgeMs: Infinity,
    ageGraceMs: Infinity,
    pingMs: 7_200_000,
    pingTimeoutMs: 20_000,
    clientPingGapMs: 300_000,
    permitPingWithoutStream: false,
  })
})

test('a 0 means the default too, and nothing pings more than once a second', () => {
  const keepalive = {
    server_parameters: {
      max_connection_idle: '0s',
      max_connection_age: 0,
      max_connection_age_grace: '0s',
      time: '10ms',
      timeout: 0,
    },
    enforcement_policy: { min_time: 0 },
  }
  const settings = parse({ keepalive, max_recv_msg_size_mib: 16, max_concurrent_streams: 7 })
  const times = keepaliveTimes(settings)
  assert.equal(times.maxAgeMs, Infinity)
  assert.equal(times.maxIdleMs, Infinity)
  assert.equal(times.pingMs, 1000)
  assert.equal(times.pingTimeoutMs, 20_000)
  assert.equal(times.clientPingGapMs, 300_000)
  assert.equal(messageBytesMax(settings), 16 * 1024 * 1024)
  assert.equal(concurrentStreamsMax(settings), 7)
})

test('enabled: false turns it off; keys of the Collector without effect here are accepted', () => {
  assert.equal(schema.parse({ enabled: false }), undefined)
  assert.equal(schema.parse(undefined), undefined)
  assert.deepEqual(complaints({ read_buffer_size: 524_288, write_buffer_size: 0 }), [])
})

test('what is not supported yet is refused by name, what is unknown as well', () => {
  const [middlewares] = complaints({ middlewares: ['a'] })
  assert.match(middlewares, /^middlewares is not supported yet/)
  assert.equal(complaints({ max_recv_msg_size: 4 }).length, 1)
})

test('the endpoint is host:port, or a path of a unix socket', () => {
  assert.deepEqual(complaints({ endpoint: '[::1]:4317' }), [])
  assert.match(complaints({ endpoint: '/run/otlp.sock' })[0], /^endpoint must be host:port/)
  assert.deepEqual(complaints({ endpoint: '/run/otlp.sock', transport: 'unix' }), [])
  assert.match(complaints({ endpoint: '', transport: 'unix' })[0], /^endpoint must be the path/)
})

test('times are not negative, each complained of at its own place', () => {
  const keepalive = {
    server_parameters: { max_connection_age: '-1s' },
    enforcement_policy: { min_time: '-5m' },
  }
  assert.deepEqual(complaints({ keepalive }), [
    'keepalive.server_parameters.max_connection_age must not be negative',
    'keepalive.enforcement_policy.min_time must not be negative',
  ])
})
