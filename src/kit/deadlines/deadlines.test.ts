import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../test/kit/manual-clock.ts'
import { Deadlines } from './deadlines.ts'

function setUp() {
  const clock = new ManualClock()
  const expired: string[] = []
  const deadlines = new Deadlines(clock)
  const call = (name: string, deadlineMs: number) => ({
    deadlineMs,
    expire: () => void expired.push(`${name} at ${clock.monotonicMs()}`),
  })
  return { clock, expired, deadlines, call }
}

test('each expires once at its own time, whatever the order they came in', async () => {
  const { clock, expired, deadlines, call } = setUp()
  deadlines.watch(call('late', 5000))
  deadlines.watch(call('early', 1000))
  deadlines.watch(call('never', Infinity))
  await clock.advance(60_000)
  assert.deepEqual(expired, ['early at 1000', 'late at 5000'])
  assert.equal(clock.timerCount, 0)
})

test('a thousand calls that end in time cost one timer', async () => {
  const { clock, expired, deadlines, call } = setUp()
  for (let count = 0; count < 1000; count++) {
    const one = call('one', clock.monotonicMs() + 10_000)
    deadlines.watch(one)
    assert.equal(clock.timerCount, 1)
    deadlines.forget(one)
  }
  await clock.advance(20_000)
  assert.deepEqual(expired, [])
  assert.equal(clock.timerCount, 0)
})

test('a deadline that moved back is kept, one that moved forward must be watched again', async () => {
  const { clock, expired, deadlines, call } = setUp()
  const call1 = call('one', 1000)
  deadlines.watch(call1)
  call1.deadlineMs = 3000
  await clock.advance(2000)
  assert.deepEqual(expired, [])
  call1.deadlineMs = 2500
  deadlines.watch(call1)
  await clock.advance(1000)
  assert.deepEqual(expired, ['one at 2500'])
})

test('deadlines in the past expire within the gap of sweeps, and stop ends the timer', async () => {
  const { clock, expired, deadlines, call } = setUp()
  deadlines.watch(call('past', -5))
  await clock.advance(10)
  assert.deepEqual(expired, ['past at 10'])
  deadlines.watch(call('stopped', 50))
  deadlines.stop()
  assert.equal(clock.timerCount, 0)
})
