import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { delta, metricsBatch, point, sum } from '../../../../test/kit/metrics-request.ts'
import { decodeRequest, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { Refusal, type RefusalCode } from '../../../otlp/refusal.ts'
import { deltaToCumulative } from './index.ts'

/** A delta of a stream, or the total that came of it. */
type Sample = readonly [stream: string, time: number, value: number]

function converter(settings: object = {}) {
  const host = testHost({ signals: ['metrics'] })
  const processor = deltaToCumulative.create(deltaToCumulative.config.parse(settings), host)
  const give = async (deltas: readonly Sample[]) => {
    const points = deltas.map(([a, time, value]) =>
      point({ a }, { ...during(time - 10, time), asInt: BigInt(value) }),
    )
    await processor.consume(metricsBatch([sum('hits', points, { sum: delta })]))
  }
  const refuse = (code: RefusalCode = 'unavailable') => {
    host.sink.respond = () => {
      throw new Refusal(code, 'not now')
    }
  }
  const take = () => {
    host.sink.respond = () => {}
  }
  const passed = () => host.sink.batches.flatMap(samplesOf)
  const drops = () => host.drops.map(({ cause, itemCount }) => [cause, itemCount])
  return { host, processor, give, refuse, take, passed, drops }
}

function samplesOf(batch: Batch): Sample[] {
  return dataPointsOf(batch).map(({ attributes, timeUnixNano, asInt }) => {
    const [{ value }] = attributes as { value: { stringValue: string } }[]
    return [value.stringValue, Number(timeUnixNano), Number(asInt)]
  })
}

function dataPointsOf(batch: Batch): PlainMessage[] {
  const { resourceMetrics } = decodeRequest('metrics', encodeBatch(batch)) as unknown as {
    resourceMetrics: { scopeMetrics: { metrics: Record<string, PlainMessage>[] }[] }[]
  }
  return resourceMetrics[0].scopeMetrics[0].metrics.flatMap(
    ({ sum: sums, histogram }) => (sums ?? histogram).dataPoints as PlainMessage[],
  )
}

function during(start: number, end: number): PlainMessage {
  return { startTimeUnixNano: BigInt(start), timeUnixNano: BigInt(end) }
}

for (const code of ['unavailable', 'invalid'] as const) {
  test(`a batch refused as ${code} and repeated is passed on with its totals, added once`, async () => {
    const { give, refuse, take, passed, drops, host } = converter()
    await give([['x', 10, 1]])
    const again: Sample[] = [
      ['x', 20, 2],
      ['y', 20, 5],
    ]
    refuse(code)
    await assert.rejects(give(again), Refusal)
    await assert.rejects(give(again), Refusal)
    take()
    await give(again)
    await give([['x', 30, 4]])
    assert.deepEqual(passed(), [
      ['x', 10, 1],
      ['x', 20, 3],
      ['y', 20, 5],
      ['x', 30, 7],
    ])
    assert.deepEqual(drops(), [])
    const points = 'penstock_processor_deltatocumulative_delta_points'
    assert.equal(host.meter.value(points, { processor: host.id, start: 'aligned' }), 2)
    // What is repeated although it was taken is late, as ever.
    await give([['x', 30, 4]])
    assert.deepEqual(drops(), [['out_of_order', 1]])
  })
}

test('of refused batches that one shows the total, at its own time, which is repeated first', async () => {
  const { give, refuse, take, passed, drops } = converter()
  refuse()
  for (const batch of [[['x', 10, 1]], [['x', 20, 2]]] as const) await assert.rejects(give(batch))
  await assert.rejects(give([['x', 10, 1]]))
  take()
  await give([['x', 10, 1]])
  assert.deepEqual([passed(), drops()], [[['x', 20, 3]], []])
  await give([['x', 20, 2]])
  assert.deepEqual([passed(), drops()], [[['x', 20, 3]], [['repeated', 1]]])
})

test('a batch of many points of a stream shows its total once when it is repeated', async () => {
  const { give, refuse, take, passed, drops } = converter()
  const batch: Sample[] = [10, 20, 30].map((time) => ['x', time, 1])
  refuse()
  await assert.rejects(give(batch))
  await assert.rejects(give(batch))
  take()
  await give([...batch, ['x', 40, 1]])
  assert.deepEqual(passed(), [
    ['x', 30, 3],
    ['x', 40, 4],
  ])
  assert.deepEqual(drops(), [
    ['repeated', 2],
    ['repeated', 2],
  ])
})

test('what is in a later total that was taken is dropped as repeated, the rest of its batch is not', async () => {
  const { give, refuse, take, passed, drops } = converter()
  refuse()
  const again: Sample[] = [
    ['x', 10, 1],
    ['y', 10, 5],
  ]
  await assert.rejects(give(again))
  take()
  await give([['x', 20, 2]])
  await give(again)
  assert.deepEqual(passed(), [
    ['x', 20, 3],
    ['y', 10, 5],
  ])
  assert.deepEqual(drops(), [['repeated', 1]])
  await give(again)
  assert.deepEqual(drops().at(-1), ['out_of_order', 2])
})

test('a late point is no repetition', async () => {
  const { give, refuse, take, passed, drops } = converter()
  refuse()
  await assert.rejects(give([['x', 10, 1]]))
  await assert.rejects(give([['x', 30, 2]]))
  take()
  await give([
    ['x', 20, 4],
    ['x', 30, 2],
  ])
  assert.deepEqual(passed(), [['x', 30, 3]])
  assert.deepEqual(drops(), [['out_of_order', 1]])
})

test('who repeats a batch before its answer is there gets no answer for nothing', async () => {
  const { give, host, passed, drops } = converter()
  let refuse: (refusal: Refusal) => void = () => {}
  host.sink.respond = () => new Promise((_resolve, reject) => (refuse = reject))
  const first = give([['x', 10, 1]])
  host.sink.respond = () => {}
  await give([['x', 10, 1]])
  refuse(new Refusal('unavailable', 'too late'))
  await assert.rejects(first)
  assert.deepEqual([passed(), drops()], [[['x', 10, 1]], []])
})

test('a stream that expires between refusal and repetition begins anew with what is repeated', async () => {
  const { give, host, refuse, take, passed, drops } = converter({ max_stale: '1m' })
  await give([['x', 10, 1]])
  refuse()
  await assert.rejects(give([['x', 20, 2]]))
  take()
  await host.clock.advance(70_000)
  await give([['x', 20, 2]])
  assert.deepEqual(passed().at(-1), ['x', 20, 2])
  assert.deepEqual(drops(), [])
})

test('of a histogram that began anew with other bounds the points before are no longer shown', async () => {
  const { processor, host, refuse, take, drops } = converter()
  const lag = (time: number, explicitBounds: number[]) => {
    const bucketCounts = [...explicitBounds.map(() => 1n), 0n]
    const count = BigInt(explicitBounds.length)
    const points = [{ ...during(time - 10, time), count, sum: 1, explicitBounds, bucketCounts }]
    return metricsBatch([{ name: 'lag', histogram: { ...delta, dataPoints: points } }])
  }
  refuse()
  for (const batch of [lag(10, [1]), lag(20, [1, 2])]) assert.throws(() => processor.consume(batch))
  take()
  for (const batch of [lag(10, [1]), lag(20, [1]), lag(20, [1, 2])]) await processor.consume(batch)
  const [{ timeUnixNano, bucketCounts }, ...more] = host.sink.batches.flatMap(dataPointsOf)
  assert.deepEqual([timeUnixNano, bucketCounts, more], [20n, [1n, 1n, 0n], []])
  assert.deepEqual(drops(), [
    ['out_of_order', 1],
    ['out_of_order', 1],
  ])
})

const arbitraryAnswer = fc.constantFrom('take', 'refuse', 'wait')
const arbitraryAction = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    answer: arbitraryAnswer,
    streams: fc.array(fc.constantFrom('x', 'y', 'z'), { minLength: 1, maxLength: 4 }),
    value: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ kind: fc.constant('repeat' as const), answer: arbitraryAnswer, which: fc.nat() }),
  fc.record({ kind: fc.constant('settle' as const), isTaken: fc.boolean(), which: fc.nat() }),
)

interface SentBatch {
  readonly deltas: readonly Sample[]
  isAcknowledged: boolean
}

/** A sender that repeats what was refused, or what it has no answer for yet, in any order. */
class Sender {
  readonly converter = converter()
  readonly sent: SentBatch[] = []
  readonly #attempts: Promise<void>[] = []
  #waiting: ((isTaken: boolean) => void)[] = []
  #time = 0

  send(streams: readonly string[], value: number, answer: string): void {
    const deltas = streams.map((stream): Sample => [stream, (this.#time += 10), value])
    const batch = { deltas, isAcknowledged: false }
    this.sent.push(batch)
    this.#give(batch, answer)
  }

  repeat(which: number, answer: string): void {
    const open = this.sent.filter(({ isAcknowledged }) => !isAcknowledged)
    if (open.length > 0) this.#give(open[which % open.length], answer)
  }

  async settle(which: number, isTaken: boolean): Promise<void> {
    if (this.#waiting.length === 0) return
    const [settle] = this.#waiting.splice(which % this.#waiting.length, 1)
    settle(isTaken)
    await new Promise((done) => setImmediate(done))
  }

  async end(isTaken: boolean): Promise<void> {
    while (this.#waiting.length > 0) await this.settle(0, isTaken)
    await Promise.all(this.#attempts)
  }

  #give(batch: SentBatch, answer: string): void {
    const { give, host } = this.converter
    const refusal = new Refusal('unavailable', 'not now')
    host.sink.respond = () => {
      if (answer === 'take') return undefined
      if (answer === 'refuse') throw refusal
      return new Promise((resolve, reject) =>
        this.#waiting.push((isTaken) => (isTaken ? resolve() : reject(refusal))),
      )
    }
    const acknowledge = () => void (batch.isAcknowledged = true)
    this.#attempts.push(give(batch.deltas).then(acknowledge, () => {}))
  }
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((whole, [, , value]) => whole + value, 0)
}

test('whatever is refused and repeated: totals hold all that was acknowledged, and nothing twice', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(arbitraryAction, { maxLength: 14 }),
      fc.boolean(),
      fc.boolean(),
      async (actions, isTaken, givesUp) => {
        const sender = new Sender()
        for (const action of actions) {
          if (action.kind === 'settle') await sender.settle(action.which, action.isTaken)
          else if (action.kind === 'repeat') sender.repeat(action.which, action.answer)
          else sender.send(action.streams, action.value, action.answer)
          await new Promise((done) => setImmediate(done))
        }
        await sender.end(isTaken)
        const open = sender.sent.filter(({ isAcknowledged }) => !isAcknowledged)
        for (let count = givesUp ? 0 : open.length; count > 0; count--) {
          sender.repeat(0, 'take')
          await sender.end(true)
        }
        for (const stream of ['x', 'y', 'z']) assertTotals(sender, stream)
      },
    ),
    { numRuns: 300 },
  )
})

function assertTotals({ sent, converter: { passed } }: Sender, stream: string): void {
  const of = (batches: readonly SentBatch[]) =>
    batches.flatMap(({ deltas }) => deltas).filter(([name]) => name === stream)
  const acknowledged = of(sent.filter(({ isAcknowledged }) => isAcknowledged))
  const samples = passed()
    .filter(([name]) => name === stream)
    .sort(([, one], [, other]) => one - other)
  // Of one time the last that arrived counts.
  const last = samples.at(-1)?.[2] ?? 0
  assert.ok(total(acknowledged) <= last, `${total(acknowledged)} acknowledged, ${last} passed on`)
  assert.ok(last <= total(of(sent)), `${total(of(sent))} sent, ${last} passed on`)
  for (const [index, [, time, value]] of samples.slice(1).entries()) {
    const [, timeBefore, before] = samples[index]
    if (time === timeBefore) assert.equal(value, before, 'two totals of one time')
    assert.ok(value >= before, 'a counter fell')
  }
}
