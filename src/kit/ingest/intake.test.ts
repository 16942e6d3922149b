import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseForNow, testHost } from '../../../test/kit/test-host.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { signalNames } from '../../otlp/signal.ts'
import { type Intake, createIntakes } from './intake.ts'

// ExportTraceServiceRequest > ResourceSpans > ScopeSpans > Span { name: "a" }
const oneSpan = Uint8Array.of(0x0a, 7, 0x12, 5, 0x12, 3, 0x2a, 1, 0x61)
const oneSpanJson = '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}]}'

function traces(host = testHost()): Intake {
  const intake = createIntakes(host, 'http', signalNames).get('traces')
  assert.ok(intake)
  return intake
}

test('both forms reach the pipeline as the same batch, with their client', () => {
  const host = testHost()
  const client = { address: '10.0.0.7', metadata: new Map(), auth: new Map() }
  assert.equal(traces(host).take(oneSpan, 'proto', client), undefined)
  assert.equal(traces(host).take(Buffer.from(oneSpanJson), 'json'), undefined)
  assert.deepEqual(
    host.sink.batches.map((batch) => batch.itemCount),
    [1, 1],
  )
  assert.equal(host.sink.batches[0].client, client)
  assert.deepEqual(
    Buffer.from(host.sink.batches[1].groups[0].rest),
    Buffer.from(host.sink.batches[0].groups[0].rest),
  )
})

test('a request without items is a success that the pipeline never hears of', () => {
  const host = testHost()
  host.sink.respond = refuseForNow
  assert.equal(traces(host).take(new Uint8Array(0), 'proto'), undefined)
  assert.equal(traces(host).take(Uint8Array.of(0x0a, 2, 0x12, 0), 'proto'), undefined)
  assert.equal(traces(host).take(Buffer.from('{"resourceSpans":[{}]}'), 'json'), undefined)
  assert.equal(host.sink.batches.length, 0)
})

test('what cannot be decoded is invalid, what is refused downstream stays refused', async () => {
  const host = testHost()
  const invalid = (error: Refusal) => error instanceof Refusal && error.code === 'invalid'
  assert.throws(() => traces(host).take(Uint8Array.of(0x0a, 9, 1), 'proto'), invalid)
  assert.throws(() => traces(host).take(Buffer.from('{"resourceSpans":'), 'json'), invalid)
  host.sink.respond = refuseForNow
  assert.throws(() => traces(host).take(oneSpan, 'proto'), { code: 'unavailable' })
  host.sink.respond = () => Promise.reject(new Refusal('exhausted', 'full'))
  await assert.rejects(async () => traces(host).take(oneSpan, 'proto'), { code: 'exhausted' })
})

test('only signals that some pipeline wants have an intake, and the door is the consumer’s', () => {
  const host = testHost({ signals: ['traces', 'logs'] })
  const intakes = createIntakes(host, 'grpc', signalNames)
  assert.deepEqual([...intakes.keys()], ['traces', 'logs'])
  assert.equal(intakes.get('logs')?.admit(100), undefined)
  host.sink.refuseAtDoor = new Refusal('unavailable', 'no room')
  assert.equal(intakes.get('logs')?.admit(100), host.sink.refuseAtDoor)
})

test('held bytes are in the ledger until they are released', () => {
  const host = testHost()
  const intake = traces(host)
  intake.hold(500)
  assert.equal(host.memory.heldBytes, 500)
  intake.release(500)
  assert.equal(host.memory.heldBytes, 0)
})

test('a request that cannot be decoded is counted as a failure of the receiver', () => {
  const host = testHost({ id: 'otlp' })
  const intake = traces(host)
  const failures = () =>
    host.meter.value('otelcol_receiver_requests', {
      receiver: 'otlp',
      transport: 'http',
      outcome: 'failure',
    })
  assert.equal(failures(), 0)
  assert.throws(() => intake.take(Uint8Array.of(0x0a, 9), 'proto'), Refusal)
  assert.throws(() => intake.take(Buffer.from('{"resourceSpans":1}'), 'json'), Refusal)
  host.sink.respond = refuseForNow
  assert.throws(() => intake.take(oneSpan, 'proto'), Refusal)
  assert.equal(failures(), 2)
})

test('a fault in reading a request is logged and told apart from what the client did wrong', () => {
  const host = testHost()
  const intake = traces(host)
  assert.throws(() => intake.take(undefined as never, 'proto'), {
    name: 'Refusal',
    code: 'internal',
  })
  const [line] = host.lines
  assert.equal(line.level, 'error')
  assert.ok((line.fields as { err: unknown }).err instanceof TypeError)
  assert.throws(() => intake.take(Uint8Array.of(0x0a, 9), 'proto'), { code: 'invalid' })
  assert.equal(host.lines.length, 1)
})
