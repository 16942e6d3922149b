import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ForeignClient } from '../../../../test/kit/grpc-peers.ts'
import { requestType } from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { type GrpcServerSettings, grpcServerSettings } from '../../../kit/grpc/server-config.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { type Signal, signalNames, signals } from '../../../otlp/signal.ts'
import { createGrpcSide } from './grpc-side.ts'

const exportPath = (signal: Signal) => `/${signals[signal].grpcService}/Export`

/** A resource with two items. */
const requests: Readonly<Record<Signal, object>> = {
  traces: { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }, { name: 'b' }] }] }] },
  logs: { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: {} }, { body: {} }] }] }] },
  metrics: {
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ gauge: { dataPoints: [{ asInt: 1 }, { asInt: 2 }] } }] }] },
    ],
  },
}

function requestBytes(signal: Signal): Uint8Array {
  const type = requestType(signal)
  return type.encode(type.fromObject(requests[signal])).finish()
}

async function start(context: TestContext, wanted: readonly Signal[] = signalNames) {
  const host = testHost({ signals: wanted })
  const settings = grpcServerSettings('localhost:0').parse({}) as GrpcServerSettings
  const server = createGrpcSide(settings, host)
  await server.start()
  const client = new ForeignClient(server.port)
  context.after(async () => {
    client.close()
    await server.stop(AbortSignal.abort())
  })
  return { host, client }
}

for (const signal of signalNames) {
  test(`${signal} go to their pipeline and are answered by an empty message`, async (context) => {
    const { host, client } = await start(context)
    const bytes = requestBytes(signal)
    const result = await client.call(exportPath(signal), bytes)
    assert.equal(result.code, 'OK')
    assert.equal(result.message?.length, 0)
    const [batch] = host.sink.batches
    assert.equal(batch.signal, signal)
    assert.equal(batch.itemCount, 2)
    assert.equal(batch.client?.address, '127.0.0.1')
    assert.deepEqual(Buffer.from(encodeBatch(batch)), Buffer.from(bytes))
    assert.equal(host.memory.heldBytes, 0)
    assert.equal(host.memory.peakBytes, bytes.length)
  })
}

test('a signal that no pipeline wants is UNIMPLEMENTED', async (context) => {
  const { client } = await start(context, ['traces'])
  assert.equal((await client.call(exportPath('traces'), requestBytes('traces'))).code, 'OK')
  for (const signal of ['metrics', 'logs'] as const) {
    const result = await client.call(exportPath(signal), requestBytes(signal))
    assert.equal(result.code, 'UNIMPLEMENTED')
  }
})

test('a request without items is a success that the pipeline never hears of', async (context) => {
  const { host, client } = await start(context)
  assert.equal((await client.call(exportPath('traces'), new Uint8Array(0))).code, 'OK')
  assert.equal((await client.call(exportPath('traces'), Uint8Array.of(10, 0))).code, 'OK')
  assert.equal(host.sink.batches.length, 0)
})

test('what cannot be decoded is INVALID_ARGUMENT', async (context) => {
  const { host, client } = await start(context)
  const result = await client.call(exportPath('traces'), Uint8Array.of(10, 200))
  assert.equal(result.code, 'INVALID_ARGUMENT')
  assert.equal(host.sink.batches.length, 0)
  assert.equal(host.memory.heldBytes, 0)
})

test('a request that is too large or cannot be decoded is counted as a failure, a refused one is not', async (context) => {
  const { host, client } = await start(context)
  const labels = { receiver: host.id, transport: 'grpc', outcome: 'failure' }
  const failures = () => host.meter.value('otelcol_receiver_requests', labels)
  const tooLarge = await client.call(exportPath('traces'), new Uint8Array(4 * 1024 * 1024 + 1))
  assert.equal(tooLarge.code, 'RESOURCE_EXHAUSTED')
  assert.equal(failures(), 1)
  await client.call(exportPath('traces'), Uint8Array.of(10, 200))
  assert.equal(failures(), 2)
  host.sink.refuseAtDoor = new Refusal('unavailable', 'no room')
  await client.call(exportPath('traces'), requestBytes('traces'))
  assert.equal(failures(), 2)
})

test('the pipeline is asked at the door, and its refusals reach the client', async (context) => {
  const { host, client } = await start(context)
  host.sink.refuseAtDoor = new Refusal('unavailable', 'no room', { retryAfterMs: 1000 })
  const refused = await client.call(exportPath('traces'), requestBytes('traces'))
  assert.equal(refused.code, 'UNAVAILABLE')
  assert.equal(refused.metadata.get('grpc-status-details-bin').length, 1)
  assert.equal(host.memory.peakBytes, 0)
  host.sink.refuseAtDoor = undefined
  host.sink.respond = () => Promise.reject(new Refusal('invalid', 'never'))
  const rejected = await client.call(exportPath('traces'), requestBytes('traces'))
  assert.equal(rejected.code, 'INVALID_ARGUMENT')
  assert.equal(rejected.details, 'never')
})
