import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ByteIndex, type Owned } from './byte-index.ts'

const parents: readonly Owned[] = [{ serial: 1 }, { serial: 2 }]
const bytesOf = (key: string) => new TextEncoder().encode(`..${key}..`)

/** Looks up, and adds what was missed, as its users do. */
function seek(index: ByteIndex<{ id: string }>, parent: number, key: string): { id: string } {
  const bytes = bytesOf(key)
  const found = index.get(parents[parent], bytes, 2, bytes.length - 2)
  if (found !== undefined) return found
  const value = { id: `${parent}${key}` }
  index.add(parents[parent], bytes, [2, bytes.length - 2], value)
  return value
}

test('finds what a map would find, whatever was removed between', () => {
  const step = fc.record({
    parent: fc.constantFrom(0, 1),
    key: fc.constantFrom('', 'a', 'ab', 'abcd', 'abce', 'abcdefgh', 'abcdefgi', 'x'.repeat(40)),
    removes: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
      const index = new ByteIndex<{ id: string }>(seed)
      const model = new Map<string, { id: string }>()
      for (const { parent, key, removes } of steps) {
        const id = `${parent}${key}`
        const found = seek(index, parent, key)
        assert.equal(found.id, id)
        const known = model.get(id)
        if (known !== undefined) assert.equal(found, known, 'the same object')
        model.set(id, found)
        if (removes) {
          while (!index.sweep(3, (value) => value === found)) continue
          model.delete(id)
        }
        assert.equal(index.count, model.size)
      }
    }),
  )
})

test('removes from crowded buckets too, and keeps the rest', () => {
  const index = new ByteIndex<{ id: string }>(7)
  const keys = Array.from({ length: 500 }, (_, at) => `key ${at}`)
  const values = keys.map((key) => seek(index, 0, key))
  for (const [at, key] of keys.entries()) assert.equal(seek(index, 0, key), values[at])
  const gone = new Set(values.filter((_, at) => at % 3 !== 0))
  while (!index.sweep(50, (value) => gone.has(value))) continue
  assert.equal(index.count, 167)
  // In the order they were learned: what followed a kept key may be gone.
  for (const [at, key] of keys.entries()) {
    assert.equal(seek(index, 0, key) === values[at], at % 3 === 0, key)
  }
  assert.equal(index.count, 500)
})

test('another value can take the place of one that is found', () => {
  const index = new ByteIndex<{ id: string }>(7)
  seek(index, 0, 'a')
  seek(index, 0, 'a')
  const other = { id: 'other' }
  index.replace(other)
  assert.equal(seek(index, 0, 'a'), other)
})

test('gives back the memory of keys that were removed, though some among them stay', () => {
  const index = new ByteIndex<{ id: string }>(7)
  const learn = (generation: number) =>
    Array.from({ length: 20_000 }, (_, at) => {
      const key = at % 50 === 0 ? `lasting key ${at}` : `key ${at} of generation ${generation}`
      return seek(index, 0, key.padEnd(100))
    })
  learn(0)
  const full = index.keyBytes
  for (let generation = 1; generation <= 5; generation++) {
    const isGone = ({ id }: { id: string }) => !id.includes('lasting')
    for (let round = 0; round < 2; round++) while (!index.sweep(999, isGone)) continue
    assert.equal(index.count, 400)
    assert.ok(index.keyBytes < full / 3, `${index.keyBytes} of ${full} bytes`)
    learn(generation)
    assert.equal(index.count, 20_000)
    assert.ok(index.keyBytes < full * 1.5, `${index.keyBytes} of ${full} bytes`)
  }
  for (let at = 0; at < 20_000; at += 50) {
    const key = `lasting key ${at}`.padEnd(100)
    assert.equal(seek(index, 0, key).id, `0${key}`)
  }
  assert.equal(index.count, 20_000)
})
