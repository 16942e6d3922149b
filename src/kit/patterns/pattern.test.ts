import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern, pattern, remembering } from './pattern.ts'

test('a pattern matches anywhere, in RE2 syntax', () => {
  const { test: matches } = compilePattern('(?i)b+')
  assert.equal(matches('aBBc'), true)
  assert.equal(matches('ac'), false)
})

test('time is linear where backtracking would take for ever', () => {
  assert.equal(compilePattern('^(a+)+$').test(`${'a'.repeat(5000)}b`), false)
})

test('groups come by name, in order, empty where they took no part', () => {
  const { groups, groupNames, groupCount } = compilePattern('(?P<b>x)(?P<a>y)?(z)?')
  assert.deepEqual(groupNames, ['b', 'a'])
  assert.equal(groupCount, 3)
  assert.deepEqual(groups('-x-'), [
    ['b', 'x'],
    ['a', ''],
  ])
  assert.equal(groups('-'), undefined)
})

test('remembered answers are right, also when there are more texts than room', () => {
  let count = 0
  const counted = { ...compilePattern('^[0-4]'), test: (text: string) => (count++, text < '5') }
  const matches = remembering(counted, 3)
  for (let round = 0; round < 2; round++) {
    for (const text of ['1', '7', '1']) assert.equal(matches(text), text === '1')
  }
  assert.equal(count, 2)
  for (const text of ['2', '3', '4', '8', '1', '7']) assert.equal(matches(text), text < '5')
})

test('as a setting, what is wrong with it is the complaint', () => {
  assert.equal(pattern().parse('^a$').test('a'), true)
  const complaint = pattern().safeParse('a(').error!.issues[0].message
  assert.equal(complaint, 'must be a regular expression in RE2 syntax: missing closing )')
})
