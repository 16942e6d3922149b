import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../../test/kit/manual-clock.ts'
import { RecentDigests } from './recent-digests.ts'

test('of too many the oldest are forgotten, and all of them in time', async () => {
  const clock = new ManualClock()
  const recent = new RecentDigests<number>(clock, { countMax: 2, ageMsMax: 100 })
  recent.set('a', 1)
  recent.set('b', 2)
  recent.set('a', 3)
  recent.set('c', 4)
  assert.deepEqual([recent.get('a'), recent.get('b'), recent.get('c')], [3, undefined, 4])
  await clock.advance(99)
  recent.set('c', 5)
  await clock.advance(1)
  assert.deepEqual([recent.get('a'), recent.get('c')], [undefined, 5])
  recent.clear()
  assert.equal(recent.get('c'), undefined)
})
