import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteMap } from './byte-map.ts'

const roomy = { entryCountMax: 1000, keyBytesMax: 1e6 }
const bytes = (text: string) => new TextEncoder().encode(text)

test('a byte map does what a Map keyed by text does', () => {
  const step = fc.record({
    key: fc.uint8Array({ maxLength: 3, max: 3 }),
    action: fc.constantFrom('set', 'delete', 'get'),
    value: fc.nat(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const map = new ByteMap<number>(roomy)
      const model = new Map<string, number>()
      for (const { key, action, value } of steps) {
        if (action === 'set') {
          map.set(key, value)
          model.set(key.join(), value)
        } else if (action === 'delete') {
          assert.equal(map.delete(key), model.delete(key.join()))
        }
        assert.equal(map.get(key), model.get(key.join()))
        assert.equal(map.entryCount, model.size)
      }
      assert.deepEqual(sorted(map.values()), sorted(model.values()))
    }),
  )
})

test('a full byte map evicts what was not looked up lately, and stays within both limits', () => {
  const map = new ByteMap<number>({ entryCountMax: 3, keyBytesMax: 9 })
  for (const [value, key] of ['aaa', 'bbb', 'ccc'].entries()) map.set(bytes(key), value)
  map.get(bytes('aaa'))
  map.set(bytes('ddd'), 3)
  assert.deepEqual(
    ['aaa', 'bbb', 'ddd'].map((key) => map.get(bytes(key))),
    [0, undefined, 3],
  )
  map.set(bytes('eeeeeeeee'), 4)
  assert.deepEqual([map.entryCount, map.keyBytes, map.evictionCount], [1, 9, 4])
  map.set(bytes('a key longer than all may be together'), 5)
  assert.equal(map.entryCount, 1)
})

test('a byte map keeps its own copy of a key', () => {
  const map = new ByteMap<number>(roomy)
  const key = bytes('key')
  map.set(key, 1)
  key[0] = 0
  assert.equal(map.get(bytes('key')), 1)
})

test('a byte map holds thousands of keys and gives them all back', () => {
  const map = new ByteMap<number>({ entryCountMax: 1e6, keyBytesMax: 1e9 })
  for (let number = 0; number < 20_000; number++) map.set(bytes(`key ${number}`), number)
  for (let number = 0; number < 20_000; number++)
    assert.equal(map.get(bytes(`key ${number}`)), number)
})

function sorted(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b)
}
