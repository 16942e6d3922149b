import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedSpans } from '../../test/kit/spans.ts'
import { Refusal } from '../otlp/refusal.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import { ProcessorTimer } from './processor-timer.ts'

const batch = countedSpans(1)

/** A timer on a clock that only the components below move. */
function timed() {
  let nowMs = 0
  const seconds: number[] = []
  const clock = { monotonicMs: () => nowMs } as never
  const timer = new ProcessorTimer(clock, { record: (value) => void seconds.push(value) })
  const spend = (ms: number) => void (nowMs += ms)
  return { timer, seconds, spend }
}

test('a processor is timed without what the next takes', () => {
  const { timer, seconds, spend } = timed()
  const next = timer.beyond({ consume: () => spend(1000) })
  const processor = timer.around({
    consume: (one) => {
      spend(3)
      void next.consume(one)
      void next.consume(one)
      spend(4)
    },
  })
  void processor.consume(batch)
  void processor.consume(batch)
  assert.deepEqual(seconds, [0.007, 0.007])
})

test('what is sent on outside of a consume is no batch of its own and taken from none', () => {
  const { timer, seconds, spend } = timed()
  const next = timer.beyond({ consume: () => spend(1000) })
  const processor = timer.around({ consume: () => spend(2) })
  void next.consume(batch)
  void processor.consume(batch)
  assert.deepEqual(seconds, [0.002])
})

test('a refusal passes, timed, and so does a question at the door', () => {
  const { timer, seconds, spend } = timed()
  const refusal = new Refusal('unavailable', 'full')
  const consume: Consumer['consume'] = () => {
    spend(5)
    throw refusal
  }
  const processor = timer.around({ consume, admit: () => refusal })
  assert.throws(() => processor.consume(batch), refusal)
  assert.deepEqual(seconds, [0.005])
  assert.equal(processor.admit?.(1), refusal)
  assert.equal(timer.around({ consume }).admit?.(1), undefined)
  assert.equal(timer.beyond({ consume, admit: () => refusal }).admit?.(1), refusal)
})
