import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Batch } from '../../otlp/batch.ts'
import { ItemEstimate } from './item-estimate.ts'

const batch = (itemCount: number, byteLength: number) =>
  new Batch('traces', [{ resource: undefined, rest: new Uint8Array(byteLength), itemCount }])

test('a request unread has as many items as those read before it had in as many bytes', () => {
  const estimate = new ItemEstimate()
  assert.equal(estimate.of(1_000_000), 1)
  const read = batch(10, 1000)
  estimate.learn(read)
  const bytesPerItem = read.byteLength / 10
  assert.equal(estimate.of(bytesPerItem * 500), 500)
  assert.equal(estimate.of(1), 1)
})

test('what was read long ago is forgotten', () => {
  const estimate = new ItemEstimate()
  const mib = 1024 * 1024
  for (let round = 0; round < 100; round++) estimate.learn(batch(1, mib))
  for (let round = 0; round < 1000; round++) estimate.learn(batch(1024, mib))
  const expected = 1024
  assert.ok(Math.abs(estimate.of(mib) - expected) < expected / 100)
})
