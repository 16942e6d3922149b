import assert from 'node:assert/strict'
import { test } from 'node:test'
import { durationText } from './quantity.ts'
import { duration } from './schema.ts'

test('a duration may be nothing, and not less', () => {
  const complaint = (value: unknown) => duration().safeParse(value).error?.issues[0].message
  assert.equal(duration().parse('0s'), 0)
  assert.equal(duration().parse('1m30s'), 90_000)
  assert.equal(complaint('-1ns'), 'must not be negative')
  // One complaint is enough for what is no duration at all.
  assert.match(complaint('5 sec')!, /duration/)
  assert.equal(duration().safeParse('5 sec').error!.issues.length, 1)
})

test('the text of a duration is what a user would write, and reads as the same', () => {
  for (const text of ['0s', '50ms', '1.5s', '30s', '1m30s', '5m', '1h', '26h0.5s', '1h1m1s']) {
    assert.equal(durationText(duration().parse(text)), text)
  }
})
