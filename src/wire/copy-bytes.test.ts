import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyBytes } from './copy-bytes.ts'

test('copies all bytes of the stretch and touches no other', () => {
  const before = new Uint8Array(96).fill(0xee)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(16), fc.nat(16), (source, start, at) => {
      const end = Math.max(start, source.length)
      const from = new Uint8Array(end)
      from.set(source)
      const to = before.slice()
      copyBytes(new DataView(to.buffer), at, new DataView(from.buffer), { start, end })
      const expected = before.slice()
      expected.set(from.subarray(start, end), at)
      assert.deepEqual(to, expected)
    }),
  )
})
