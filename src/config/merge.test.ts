import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPlain } from './located.ts'
import { unflatten } from './merge.ts'
import { readYaml } from './read-yaml.ts'

function read(text: string) {
  return readYaml(text, { name: 'a.yaml', lines: text.split('\n') }).value!
}

test('keys of several steps join the sections they lead to, the later one winning', () => {
  const located = read('a::b: 1\na: {c: 2}\na::c: 3\nd::: 4\n')
  assert.deepEqual(toPlain(unflatten(located)), { a: { b: 1, c: 3 }, 'd::': 4 })
})

test('a section of many keys takes time for each key, not for each pair of them', () => {
  const located = read(Array.from({ length: 20_000 }, (_, index) => `k${index}: 1\n`).join(''))
  const startMs = performance.now()
  assert.equal(Object.keys(toPlain(unflatten(located)) as object).length, 20_000)
  // Copying the section for every key took half a minute.
  assert.ok(performance.now() - startMs < 3000)
})
