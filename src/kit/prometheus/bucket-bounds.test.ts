import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BucketBoundsCache } from './bucket-bounds.ts'
import { FixedList } from './histogram-reader.ts'

function bounds(first: number, length: number): FixedList {
  const bytes = new Uint8Array(Float64Array.from({ length }, (_, index) => first + index).buffer)
  const list = new FixedList()
  list.add(bytes, 0, bytes.length)
  return list
}

test('the same bounds are one object, of so many and so many bytes as there is room for', () => {
  for (const limits of [
    { countMax: 2, bytesMax: 1000 },
    { countMax: 1000, bytesMax: 80 },
  ]) {
    const cache = new BucketBoundsCache(limits)
    const [one, two] = [cache.get(bounds(1, 5)), cache.get(bounds(2, 5))]
    assert.equal(cache.get(bounds(1, 5)), one)
    assert.equal(cache.get(bounds(2, 5)), two)
    cache.get(bounds(3, 5))
    assert.equal(cache.get(bounds(2, 5)), two)
    assert.notEqual(cache.get(bounds(1, 5)), one)
  }
})

test('bounds that would take the place of all others are not kept', () => {
  const cache = new BucketBoundsCache({ bytesMax: 80 })
  const small = cache.get(bounds(1, 5))
  const large = cache.get(bounds(1, 11))
  assert.equal(large!.values.length, 11)
  assert.equal(cache.get(bounds(1, 5)), small)
  assert.notEqual(cache.get(bounds(1, 11)), large)
})

test('bounds that do not rise strictly are none', () => {
  const list = bounds(1, 2)
  list.add(list.bytes, 0, 8)
  assert.equal(new BucketBoundsCache().get(list), undefined)
})
