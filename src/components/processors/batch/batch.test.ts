import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { settle } from '../../../../test/kit/manual-clock.ts'
import { decodeRequest, encodeRequest, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { refuseForGood, refuseForNow, testHost } from '../../../../test/kit/test-host.ts'
import type { Batch } from '../../../otlp/batch.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { batch } from './index.ts'

/** One request with the log records named, spread over `groupCount` resources of the source. */
function logs(names: readonly string[], options: { source?: string; client?: ClientInfo } = {}) {
  const { source = 'a', client } = options
  const half = Math.ceil(names.length / 2)
  const groups = [names.slice(0, half), names.slice(half)].filter((part) => part.length > 0)
  const resourceLogs = groups.map((part, index) => ({
    resource: {
      attributes: [{ key: 'source', value: { stringValue: `${source} ${index}` } }],
    },
    scopeLogs: [{ logRecords: part.map((name) => ({ body: { stringValue: name } })) }],
  }))
  return indexRequest('logs', encodeRequest('logs', { resourceLogs }), client)
}

/** Names of the records in a batch, in order. */
function namesOf(outgoing: Batch): string[] {
  const request = decodeRequest('logs', encodeBatch(outgoing))
  return messages(request.resourceLogs).flatMap((group) =>
    messages(group.scopeLogs).flatMap((scope) =>
      messages(scope.logRecords).map((record) => {
        const body = record.body as PlainMessage
        return body.stringValue as string
      }),
    ),
  )
}

function messages(value: unknown): readonly PlainMessage[] {
  return (value ?? []) as readonly PlainMessage[]
}

function batcher(settings: object = {}) {
  const host = testHost({ id: 'batch', signal: 'logs' })
  const config = batch.config.parse({ timeout: '1s', send_batch_size: 4, ...settings })
  const processor = batch.create(config, host)
  const sent = () => host.sink.batches.map(namesOf)
  const stop = (deadline = new AbortController().signal) => processor.stop!(deadline)
  return { host, processor, sent, stop, consume: (one: Batch) => processor.consume(one) }
}

const metadata = (entries: Record<string, string[]>): ClientInfo => ({
  address: '10.0.0.7',
  metadata: new Map(Object.entries(entries)),
  auth: new Map([['subject', 'someone']]),
})

test('a batch goes as soon as it has enough items, whole when there is no maximum', async () => {
  const { sent, consume, stop, host } = batcher()
  assert.equal(consume(logs(['1', '2', '3'])), undefined)
  assert.deepEqual(sent(), [])
  assert.equal(consume(logs(['4', '5'])), undefined)
  assert.deepEqual(sent(), [['1', '2', '3', '4', '5']])
  assert.equal(host.meter.value('otelcol_processor_batch_batch_size_trigger_send', own), 1)
  await stop()
})

const own = { processor: 'batch' }

test('the rest goes once its timeout has passed, counted from its first item', async () => {
  const { host, sent, consume, stop } = batcher()
  await host.clock.advance(500)
  void consume(logs(['1']))
  await host.clock.advance(700)
  void consume(logs(['2']))
  await host.clock.advance(299)
  assert.deepEqual(sent(), [])
  await host.clock.advance(1)
  assert.deepEqual(sent(), [['1', '2']])
  assert.equal(host.meter.value('otelcol_processor_batch_timeout_trigger_send', own), 1)
  await host.clock.advance(10_000)
  assert.equal(host.clock.timerCount, 0, 'nothing waits, so no timer runs')
  await stop()
})

test('the time starts anew after a batch was sent for its size', async () => {
  const { host, sent, consume, stop } = batcher({ send_batch_max_size: 4 })
  void consume(logs(['1', '2', '3']))
  await host.clock.advance(900)
  void consume(logs(['4', '5']))
  assert.deepEqual(sent(), [['1', '2', '3', '4']])
  await host.clock.advance(999)
  assert.equal(sent().length, 1)
  await host.clock.advance(1)
  assert.deepEqual(sent()[1], ['5'])
  await stop()
})

test('larger batches are split exactly at the maximum', async () => {
  const { sent, consume, stop } = batcher({ send_batch_size: 3, send_batch_max_size: 3 })
  void consume(logs(['1', '2', '3', '4', '5', '6', '7']))
  assert.deepEqual(sent(), [
    ['1', '2', '3'],
    ['4', '5', '6'],
  ])
  await stop()
  assert.deepEqual(sent()[2], ['7'])
})

test('without a timeout or a size everything goes at once, the maximum applies', async () => {
  for (const settings of [{ timeout: '0' }, { send_batch_size: 0 }]) {
    const { host, sent, consume } = batcher({ ...settings, send_batch_max_size: 4 })
    void consume(logs(['1', '2', '3', '4', '5']))
    void consume(logs(['6']))
    assert.deepEqual(sent(), [['1', '2', '3', '4'], ['5'], ['6']])
    assert.equal(host.clock.timerCount, 0)
  }
})

test('bytes are held from acceptance until they are handed over', async () => {
  const { host, consume, stop } = batcher({ send_batch_max_size: 4 })
  const first = logs(['1', '2', '3'])
  void consume(first)
  assert.equal(host.memory.heldBytes, first.byteLength)
  void consume(logs(['4', '5']))
  assert(host.memory.heldBytes > 0 && host.memory.heldBytes < first.byteLength)
  await stop()
  assert.equal(host.memory.heldBytes, 0)
})

test('what was acknowledged is held and tried again while the next component refuses for now', async () => {
  const { host, sent, consume, stop } = batcher()
  host.sink.respond = refuseForNow
  assert.equal(consume(logs(['1', '2', '3', '4'])), undefined)
  assert.equal(consume(logs(['5'])), undefined)
  await host.clock.advance(30_000)
  assert(host.memory.heldBytes > 0)
  assert.equal(host.lines.filter(({ level }) => level === 'warn').length, 1, 'said once')
  host.sink.respond = () => {}
  await host.clock.advance(7501)
  assert.deepEqual(sent(), [['1', '2', '3', '4'], ['5']])
  assert.equal(host.memory.heldBytes, 0)
  assert.deepEqual(host.drops, [])
  await stop()
  assert.equal(host.clock.timerCount, 0)
})

test('a wait that the next component asks for is kept', async () => {
  const { host, sent, consume } = batcher()
  host.sink.respond = () => {
    throw new Refusal('exhausted', 'slower', { retryAfterMs: 20_000 })
  }
  void consume(logs(['1', '2', '3', '4']))
  host.sink.respond = () => {}
  await host.clock.advance(19_999)
  assert.deepEqual(sent(), [])
  await host.clock.advance(1)
  assert.equal(sent().length, 1)
})

test('a wait that would stop the pipeline for good is cut to a minute', async () => {
  const { host, sent, consume } = batcher()
  host.sink.respond = () => {
    throw new Refusal('exhausted', 'come back next year', { retryAfterMs: 365 * 86_400_000 })
  }
  void consume(logs(['1', '2', '3', '4']))
  host.sink.respond = () => {}
  await host.clock.advance(59_999)
  assert.deepEqual(sent(), [])
  await host.clock.advance(1)
  assert.equal(sent().length, 1)
})

test('senders are refused, retryably, once too many batches are held', async () => {
  const { host, sent, consume, stop } = batcher()
  host.sink.respond = refuseForNow
  for (let index = 0; index < 16; index++) void consume(logs(['1', '2', '3', '4']))
  assert.throws(() => consume(logs(['5'])), { code: 'unavailable' })
  host.sink.respond = () => {}
  await host.clock.advance(10_000)
  assert.equal(sent().flat().length, 64)
  void consume(logs(['5']))
  await stop()
  assert.equal(sent().flat().length, 65)
})

test('a refusal for good is logged and its items are counted as dropped', async () => {
  for (const respond of [refuseForGood, async () => refuseForGood()]) {
    const { host, consume } = batcher()
    host.sink.respond = respond
    assert.equal(consume(logs(['1', '2', '3', '4'])), undefined)
    await settle()
    assert.deepEqual(host.drops, [{ signal: 'logs', itemCount: 4, cause: 'batch_send_failed' }])
    assert.equal(host.lines[0].message, 'Sender failed')
    assert.equal(host.memory.heldBytes, 0)
  }
})

test('a slow next component is given several batches at a time', async () => {
  const { host, sent, consume, stop } = batcher()
  const open: (() => void)[] = []
  host.sink.respond = () => new Promise((done) => open.push(done))
  for (let index = 0; index < 10; index++) void consume(logs(['1', '2', '3', '4']))
  assert.equal(open.length, 8, 'bounded')
  open.shift()!()
  await settle()
  assert.equal(open.length, 8, 'the next one follows')
  while (open.length > 0) {
    for (const done of open.splice(0)) done()
    await settle()
  }
  assert.equal(sent().length, 10)
  await stop()
  assert.equal(host.memory.heldBytes, 0)
})

test('items that come while batches are held go together when they can', async () => {
  const { host, sent, consume } = batcher({ timeout: '0', send_batch_size: 0 })
  host.sink.respond = refuseForNow
  for (const name of ['1', '2', '3', '4']) void consume(logs([name]))
  host.sink.respond = () => {}
  await host.clock.advance(200)
  assert.deepEqual(sent(), [['1'], ['2', '3', '4']])
})

test('a batch whose time passes while others are held is cut only when it can go', async () => {
  const { host, sent, consume } = batcher()
  host.sink.respond = refuseForNow
  void consume(logs(['1', '2', '3', '4']))
  void consume(logs(['5']))
  await host.clock.advance(1500)
  void consume(logs(['6']))
  host.sink.respond = () => {}
  await host.clock.advance(7500)
  assert.deepEqual(sent(), [
    ['1', '2', '3', '4'],
    ['5', '6'],
  ])
})

test('several refused at a time wait out one pause together', async () => {
  const { host, sent, consume } = batcher()
  host.sink.respond = async () => refuseForNow()
  for (let index = 0; index < 3; index++) void consume(logs(['1', '2', '3', '4']))
  await settle()
  assert.equal(host.clock.timerCount, 1)
  host.sink.respond = () => {}
  await host.clock.advance(1000)
  assert.equal(sent().length, 3)
  assert.equal(host.clock.timerCount, 0)
})

test('what is on its way at the deadline and comes back is counted as lost', async () => {
  const { host, consume, stop } = batcher()
  let fail = () => {}
  host.sink.respond = () =>
    new Promise((_, reject) => {
      fail = () => reject(new Refusal('unavailable', 'try later'))
    })
  void consume(logs(['1', '2', '3', '4']))
  await stop(AbortSignal.abort())
  assert.deepEqual(host.drops, [])
  fail()
  await settle()
  assert.deepEqual(host.drops, [{ signal: 'logs', itemCount: 4, cause: 'shutdown' }])
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.clock.timerCount, 0)
})

test('stopping sends what is left and waits for what is on its way', async () => {
  const { host, sent, consume, stop } = batcher()
  let finish = () => {}
  host.sink.respond = () => new Promise((done) => (finish = done))
  void consume(logs(['1']))
  let isStopped = false
  const stopped = Promise.resolve(stop()).then(() => (isStopped = true))
  await settle()
  assert.equal(isStopped, false)
  finish()
  await stopped
  assert.deepEqual(sent(), [['1']])
  assert.throws(() => consume(logs(['2'])), { code: 'unavailable' })
})

test('stopping tries again until the deadline and counts what is lost then', async () => {
  const { host, sent, consume, stop } = batcher()
  host.sink.respond = refuseForNow
  void consume(logs(['1', '2', '3', '4', '5']))
  void consume(logs(['6', '7']))
  const deadline = new AbortController()
  const stopped = stop(deadline.signal)
  await host.clock.advance(60_000)
  assert.deepEqual(host.drops, [])
  deadline.abort()
  await stopped
  assert.deepEqual(host.drops, [
    { signal: 'logs', itemCount: 5, cause: 'shutdown' },
    { signal: 'logs', itemCount: 2, cause: 'shutdown' },
  ])
  // The counters are about to end with the process: the log is what remains.
  assert.deepEqual(host.lines.at(-1)!.fields, { dropped_items: 7 })
  assert.deepEqual(sent(), [])
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.clock.timerCount, 0)
})

test('stopping does not sit out a pause before trying again', async () => {
  const { host, sent, consume, stop } = batcher()
  host.sink.respond = refuseForNow
  void consume(logs(['1', '2', '3', '4']))
  host.sink.respond = () => {}
  await stop()
  assert.deepEqual(sent(), [['1', '2', '3', '4']])
})

test('each combination of the chosen metadata has batches of its own, which keep it', async () => {
  const { host, sent, consume, stop } = batcher({ metadata_keys: ['X-Tenant'] })
  const from = (tenant: string[], names: string[]) =>
    consume(logs(names, { client: metadata({ 'x-tenant': tenant, 'x-other': [names[0]] }) }))
  void from(['red'], ['1'])
  void from(['blue'], ['2'])
  void from(['red'], ['3'])
  void from(['red', 'blue'], ['4'])
  void consume(logs(['5']))
  await host.clock.advance(1000)
  assert.deepEqual(sent(), [['1', '3'], ['2'], ['4'], ['5']])
  assert.deepEqual(
    host.sink.batches.map(({ client }) => [...client!.metadata]),
    [[['x-tenant', ['red']]], [['x-tenant', ['blue']]], [['x-tenant', ['red', 'blue']]], []],
  )
  const [{ client }] = host.sink.batches
  assert.equal(client?.address, '')
  assert.equal(client?.auth.size, 0)
  const labels = { processor: 'batch', pipeline: 'logs' }
  assert.equal(host.meter.value('otelcol_processor_batch_metadata_cardinality', labels), 4)
  await stop()
})

test('without metadata keys a batch of many clients has none', () => {
  const { host, consume } = batcher()
  void consume(logs(['1', '2', '3', '4'], { client: metadata({ 'x-tenant': ['red'] }) }))
  assert.equal(host.sink.batches[0].client, undefined)
})

test('one combination too many is refused for good, known ones go on', () => {
  const { sent, consume } = batcher({ metadata_keys: ['k'], metadata_cardinality_limit: 2 })
  const from = (value: string) => consume(logs(['1', '2'], { client: metadata({ k: [value] }) }))
  void from('a')
  void from('b')
  assert.throws(
    () => from('c'),
    (error) => error instanceof Refusal && !error.retryable,
  )
  void from('a')
  assert.deepEqual(sent(), [['1', '2', '1', '2']])
})

test('the batches that were sent are measured', () => {
  const { host, consume } = batcher()
  void consume(logs(['1', '2', '3', '4', '5']))
  const [sent] = host.sink.batches
  const records = (name: string) => host.meter.records.get(`${name}{processor="batch"}`)
  assert.deepEqual(records('otelcol_processor_batch_batch_send_size'), [5])
  assert.deepEqual(records('otelcol_processor_batch_batch_send_size_bytes'), [sent.byteLength])
})

test('an empty batch is taken and goes nowhere', () => {
  const { host, consume, sent } = batcher({ wait_for_export: true, timeout: '0' })
  assert.equal(consume(indexRequest('logs', new Uint8Array(0))), undefined)
  assert.deepEqual(sent(), [])
  assert.equal(host.clock.timerCount, 0)
})

test('waiting for export, each sender is answered when its items were taken', async () => {
  const { host, consume, sent } = batcher({ wait_for_export: true })
  const answers: string[] = []
  const send = (name: string) => {
    void Promise.resolve(consume(logs([name]))).then(() => answers.push(name))
  }
  send('1')
  send('2')
  await host.clock.advance(999)
  assert.deepEqual(answers, [])
  assert.equal(host.memory.heldBytes, 0, 'their receivers hold the bytes')
  await host.clock.advance(1)
  assert.deepEqual(answers, ['1', '2'])
  assert.deepEqual(sent(), [['1', '2']])
  assert.equal(consume(logs(['3', '4', '5', '6'])), undefined, 'taken at once')
})

test('waiting for export, a refusal reaches exactly the senders whose items were in the batch', async () => {
  const { host, consume } = batcher({ wait_for_export: true, send_batch_max_size: 4 })
  host.sink.respond = (outgoing) => {
    if (namesOf(outgoing).includes('bad')) throw new Refusal('exhausted', 'full')
  }
  const outcomes = [
    ['1', '2', '3'],
    ['4', '5', '6'],
    ['bad', 'x'],
    ['7', '8'],
  ].map((names) =>
    Promise.resolve()
      .then(() => consume(logs(names)))
      .then(
        () => 'taken',
        (error: unknown) => (error as Refusal).code,
      ),
  )
  await host.clock.advance(1000)
  assert.deepEqual(await Promise.all(outcomes), ['taken', 'exhausted', 'exhausted', 'taken'])
  assert.deepEqual(host.drops, [], 'nothing was acknowledged, so nothing was lost')
})

test('waiting for export, a retryable refusal of one half outweighs a permanent one of the other', () => {
  const orders = [
    [refuseForNow, refuseForGood],
    [refuseForGood, refuseForNow],
  ]
  for (const [first, second] of orders) {
    const { host, consume } = batcher({
      wait_for_export: true,
      send_batch_size: 2,
      send_batch_max_size: 2,
    })
    let count = 0
    host.sink.respond = () => (count++ === 0 ? first() : second())
    assert.throws(() => consume(logs(['1', '2', '3', '4'])), { code: 'unavailable' })
  }
})

test('waiting for export, stopping waits for the answers', async () => {
  const { host, consume, stop } = batcher({ wait_for_export: true })
  let finish = () => {}
  host.sink.respond = () => new Promise((done) => (finish = done))
  const answered = consume(logs(['1']))
  const stopped = stop()
  await settle()
  finish()
  await Promise.all([answered, stopped])
})

test('every item leaves in exactly one batch, in its order, and none is above the maximum', async () => {
  const step = fc.oneof(
    fc.record({ source: fc.constantFrom('a', 'b'), itemCount: fc.integer({ min: 1, max: 12 }) }),
    fc.record({ waitMs: fc.integer({ min: 1, max: 1500 }) }),
    fc.record({ temper: fc.constantFrom('takes', 'takes later', 'refuses') }),
  )
  const settings = fc.record({
    timeout: fc.constantFrom('0', '1s'),
    send_batch_size: fc.integer({ min: 0, max: 6 }),
    send_batch_max_size: fc.constantFrom(0, 6, 9),
    wait_for_export: fc.boolean(),
  })
  const property = fc.asyncProperty(settings, fc.array(step, { maxLength: 20 }), checkRun)
  await fc.assert(property, { numRuns: 60 })
})

type Step =
  | { source: string; itemCount: number }
  | { waitMs: number }
  | { temper: 'takes' | 'takes later' | 'refuses' }

async function checkRun(
  settings: { send_batch_max_size: number; wait_for_export: boolean },
  steps: readonly Step[],
): Promise<void> {
  const { host, processor, sent, stop, consume } = batcher(settings)
  const answers: Promise<readonly string[]>[] = []
  let made = 0
  for (const step of steps) {
    if ('waitMs' in step) await host.clock.advance(step.waitMs)
    else if ('temper' in step) host.sink.respond = tempers[step.temper]
    else {
      const names = Array.from({ length: step.itemCount }, () => `${step.source}${++made}`)
      const answer = Promise.resolve().then(() => consume(logs(names, { source: step.source })))
      answers.push(answer.then(() => names).catch(() => []))
      await Promise.resolve()
    }
  }
  await host.clock.advance(0)
  host.sink.respond = () => {}
  const stopped = stop()
  await host.clock.advance(60_000)
  await stopped
  assert(processor.stop !== undefined)
  const batches = sent()
  const taken = (await Promise.all(answers)).flat()
  const arrived = batches.flat()
  const maximum = settings.send_batch_max_size || Infinity
  assert(batches.every((names) => names.length > 0 && names.length <= maximum))
  assert.equal(new Set(arrived).size, arrived.length, 'none twice')
  assert.deepEqual(
    taken.filter((name) => !arrived.includes(name)),
    [],
    'none lost',
  )
  if (!settings.wait_for_export) assert.deepEqual(arrived.toSorted(), taken.toSorted())
  assert.deepEqual(host.drops, [])
  assert.equal(host.memory.heldBytes, 0)
  assert.equal(host.clock.timerCount, 0)
}

const tempers = {
  takes: () => {},
  'takes later': () => new Promise<void>((done) => setImmediate(done)),
  refuses: refuseForNow,
}

test('items of a source keep their order before a component that takes them at once', () => {
  const { sent, consume } = batcher({ send_batch_size: 3, send_batch_max_size: 5 })
  let made = 0
  const next = (itemCount: number) => Array.from({ length: itemCount }, () => String(++made))
  for (const itemCount of [1, 7, 2, 1, 1, 30, 4, 5]) void consume(logs(next(itemCount)))
  const arrived = sent().flat()
  assert.deepEqual(
    arrived,
    Array.from({ length: arrived.length }, (_, index) => String(index + 1)),
  )
})

test('settings are checked by the rules of the Collector', () => {
  const problemsOf = (settings: object) =>
    batch.check!(batch.config.parse(settings), new Set()).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    )
  assert.deepEqual(problemsOf({}), [])
  assert.deepEqual(problemsOf({ send_batch_size: 10, send_batch_max_size: 9 }), [
    'send_batch_max_size must be 0 or at least send_batch_size (10)',
  ])
  assert.match(problemsOf({ metadata_keys: ['a', 'b', 'A'] })[0], /^metadata_keys\.2 repeats A/)
  assert(!batch.config.safeParse({ timeout: '-1s' }).success)
  assert(!batch.config.safeParse({ send_batch_size: -1 }).success)
  assert(!batch.config.safeParse({ sendBatchSize: 1 }).success)
  assert.deepEqual(batch.config.parse(null), {
    timeout: 200,
    send_batch_size: 8192,
    send_batch_max_size: 0,
    metadata_keys: [],
    metadata_cardinality_limit: 1000,
    wait_for_export: false,
  })
})
