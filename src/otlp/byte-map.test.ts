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

test('a byte map finds a key inside a larger array', () => {
  const map = new ByteMap<number>(roomy)
  const text = 'a longer text, of which parts are keys'
  const whole = bytes(text)
  const parts = [
    [0, 8],
    [2, 13],
    [15, 38],
    [9, 9],
  ] as const
  for (const [index, [start, end]] of parts.entries()) map.set(whole, index, start, end)
  for (let round = 0; round < 3; round++) {
    for (const [index, [start, end]] of parts.entries()) {
      assert.equal(map.get(whole, start, end), index)
      assert.equal(map.get(bytes(text.slice(start, end))), index)
    }
  }
  assert.equal(map.get(whole, 2, 12), undefined)
  assert.ok(map.delete(whole, 2, 13))
  assert.equal(map.get(whole, 2, 13), undefined)
  assert.equal(map.entryCount, 3)
})

test('a byte map under pressure does what a model of it does, with keys of all lengths', () => {
  const step = fc.record({
    key: fc.record({ number: fc.nat(30), length: fc.constantFrom(1, 7, 8, 9, 120, 6000) }),
    action: fc.constantFrom('set', 'set', 'get', 'get', 'delete'),
  })
  const limits = fc.record({
    entryCountMax: fc.integer({ min: 1, max: 20 }),
    keyBytesMax: fc.constantFrom(10, 500, 30_000, 1_000_000),
  })
  fc.assert(
    fc.property(limits, fc.array(step, { maxLength: 400, size: 'max' }), (limits, steps) => {
      const map = new ByteMap<string>(limits)
      const model = new Map<string, Uint8Array>()
      for (const { key, action } of steps) {
        const name = `${key.number} ${key.length}`
        const keyBytes = new Uint8Array(key.length).fill(key.number)
        const known = map.get(keyBytes)
        // It may have forgotten anything, but it gives no wrong answer.
        if (known !== undefined) assert.ok(known === name && model.has(name))
        if (action === 'set') {
          map.set(keyBytes, name)
          model.set(name, keyBytes)
          assert.equal(map.get(keyBytes), key.length > limits.keyBytesMax ? undefined : name)
        } else if (action === 'delete') {
          assert.equal(map.delete(keyBytes), known !== undefined)
          model.delete(name)
        }
        const kept = [...map.values()]
        assert.equal(kept.length, map.entryCount)
        assert.ok(map.entryCount <= limits.entryCountMax && map.keyBytes <= limits.keyBytesMax)
        assert.equal(
          map.keyBytes,
          kept.reduce((sum, name) => sum + model.get(name)!.length, 0),
        )
        for (const name of kept) assert.equal(map.get(model.get(name)!), name)
      }
    }),
    { numRuns: 40 },
  )
})

test('a byte map keeps what is used when all else is new', () => {
  const map = new ByteMap<number>({ entryCountMax: 100, keyBytesMax: 1e6 })
  map.set(bytes('used'), -1)
  for (let number = 0; number < 10_000; number++) {
    map.set(bytes(`key ${number}`), number)
    assert.equal(map.get(bytes('used')), -1)
  }
  assert.deepEqual([map.entryCount, map.evictionCount], [100, 9901])
})

test('a byte map takes new keys when all it has are in use', () => {
  const map = new ByteMap<number>({ entryCountMax: 1000, keyBytesMax: 1e6 })
  for (let number = 0; number < 1000; number++) map.set(bytes(`key ${number}`), number)
  for (let number = 0; number < 1000; number++) map.get(bytes(`key ${number}`))
  map.set(bytes('new'), 1)
  assert.equal(map.get(bytes('new')), 1)
  assert.equal(map.entryCount, 1000)
})

test('a byte map passes over what was deleted when it makes room', () => {
  const map = new ByteMap<number>({ entryCountMax: 3, keyBytesMax: 10 })
  map.set(bytes('a'), 1)
  map.set(bytes('bbbbbbbbb'), 2)
  map.delete(bytes('a'))
  map.set(bytes('cccccccccc'), 3)
  assert.deepEqual([map.entryCount, map.get(bytes('cccccccccc'))], [1, 3])
})

test('a key that took the place of a deleted one is as young as it came', () => {
  const map = new ByteMap<number>({ entryCountMax: 3, keyBytesMax: 1000 })
  for (const [value, key] of ['a', 'b', 'c'].entries()) map.set(bytes(key), value)
  map.delete(bytes('b'))
  map.set(bytes('x'), 3)
  map.set(bytes('y'), 4)
  map.set(bytes('z'), 5)
  assert.deepEqual(
    ['a', 'c', 'x', 'y', 'z'].map((key) => map.get(bytes(key))),
    [undefined, undefined, 3, 4, 5],
  )
})

test('a byte map gives back the memory of deleted keys, around one that stays', () => {
  const map = new ByteMap<number>({ entryCountMax: 1e6, keyBytesMax: 1e9 })
  map.set(bytes('stays'), 1)
  const key = new Uint8Array(30_000)
  for (let round = 0; round < 2000; round++) {
    new DataView(key.buffer).setUint32(100, round)
    map.set(key, round)
    assert.ok(map.delete(key))
  }
  assert.equal(map.get(bytes('stays')), 1)
  assert.ok(map.pageBytes <= 1e6, `${map.pageBytes} bytes for ${map.keyBytes}`)
})

test('a cleared byte map is empty and goes on', () => {
  const map = new ByteMap<number>(roomy)
  map.set(bytes('a'), 1)
  map.clear()
  assert.deepEqual([map.get(bytes('a')), map.entryCount, map.keyBytes], [undefined, 0, 0])
  map.set(bytes('a'), 2)
  assert.equal(map.get(bytes('a')), 2)
})

function sorted(values: Iterable<number>): number[] {
  return [...values].sort((a, b) => a - b)
}
