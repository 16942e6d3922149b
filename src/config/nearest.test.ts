import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearest } from './nearest.ts'

test('the nearest name is found through typing errors, case and word breaks', () => {
  const known = ['timeout', 'send_batch_size', 'endpoint', 'protocols']
  assert.equal(nearest('timout', known), 'timeout')
  assert.equal(nearest('tiemout', known), 'timeout')
  assert.equal(nearest('sendBatchSize', known), 'send_batch_size')
  assert.equal(nearest('Endpoint', known), 'endpoint')
  assert.equal(nearest('proto', known), 'protocols')
  assert.equal(nearest('colour', known), undefined)
})

test('distance counts insertions, deletions, replacements and swaps', () => {
  assert.equal(editDistance('abc', 'abc'), 0)
  assert.equal(editDistance('abc', 'acb'), 1)
  assert.equal(editDistance('abc', 'abcd'), 1)
  assert.equal(editDistance('', 'ab'), 2)
  assert.equal(editDistance('kitten', 'sitting'), 3)
})
