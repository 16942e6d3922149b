import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseForGood, refuseForNow, SinkConsumer } from '../../test/kit/test-host.ts'
import { Batch } from '../otlp/batch.ts'
import { Refusal } from '../otlp/refusal.ts'
import { fanOut } from './fan-out.ts'

const batch = new Batch('traces', [])

test('a fan-out hands the very same batch to all', () => {
  const sinks = [new SinkConsumer(), new SinkConsumer()]
  assert.equal(fanOut(sinks).consume(batch), undefined)
  assert.deepEqual(
    sinks.map((sink) => sink.batches[0] === batch),
    [true, true],
  )
})

test('a fan-out offers the batch to the others when one refuses', () => {
  const [refusing, taking] = [new SinkConsumer(), new SinkConsumer()]
  refusing.respond = refuseForGood
  assert.throws(() => fanOut([refusing, taking]).consume(batch), { code: 'invalid' })
  assert.equal(taking.batches.length, 1)
})

test('a batch that comes again goes only to those that have not taken it', async () => {
  const sinks = [new SinkConsumer(), new SinkConsumer(), new SinkConsumer()]
  const fan = fanOut(sinks)
  const counts = () => sinks.map((sink) => sink.batches.length)
  const again = new Batch('traces', [])
  sinks[1].respond = refuseForNow
  sinks[2].respond = () => Promise.reject(new Refusal('unavailable', 'later'))
  for (let round = 0; round < 3; round++) await assert.rejects(async () => fan.consume(again))
  assert.deepEqual(counts(), [1, 0, 0])
  sinks[2].respond = () => Promise.resolve()
  await assert.rejects(async () => fan.consume(again))
  assert.deepEqual(counts(), [1, 0, 1])
  sinks[1].respond = () => {}
  await fan.consume(again)
  assert.deepEqual(counts(), [1, 1, 1])
  // All have it: whoever sends it once more means all.
  await fan.consume(again)
  assert.deepEqual(counts(), [2, 2, 2])
  await fan.consume(new Batch('traces', []))
  assert.deepEqual(counts(), [3, 3, 3])
})

test('a refusal for now outranks one for good, so that the client sends again', async () => {
  const [forGood, forNow] = [new SinkConsumer(), new SinkConsumer()]
  forGood.respond = refuseForGood
  forNow.respond = () => Promise.reject(new Refusal('unavailable', 'later'))
  await assert.rejects(async () => fanOut([forGood, forNow]).consume(batch), {
    code: 'unavailable',
  })
  forNow.respond = refuseForNow
  assert.throws(() => fanOut([forGood, forNow]).consume(batch), { code: 'unavailable' })
})

test('a fault passes a fan-out as what it is, and yields only to a refusal for now', async () => {
  const [broken, refusing] = [new SinkConsumer(), new SinkConsumer()]
  const fault = new TypeError('impossible')
  broken.respond = () => Promise.reject(fault)
  refusing.respond = refuseForGood
  const failure = async () => fanOut([refusing, broken]).consume(batch)
  await assert.rejects(failure, fault)
  broken.respond = () => {
    throw fault
  }
  await assert.rejects(failure, fault)
  refusing.respond = refuseForNow
  await assert.rejects(failure, { code: 'unavailable' })
})

test('a fan-out is closed at the door when one of its consumers is', () => {
  const [open, closed] = [new SinkConsumer(), new SinkConsumer()]
  closed.refuseAtDoor = new Refusal('unavailable', 'full')
  assert.equal(fanOut([open, closed]).admit?.(1), closed.refuseAtDoor)
  closed.refuseAtDoor = undefined
  assert.equal(fanOut([open, closed]).admit?.(1), undefined)
})
