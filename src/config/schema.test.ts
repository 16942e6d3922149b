import assert from 'node:assert/strict'
import { test } from 'node:test'
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
