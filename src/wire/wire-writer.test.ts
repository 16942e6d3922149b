import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { WireWriter } from './wire-writer.ts'

test('a message is the same whatever length was expected of it', () => {
  const byteLength = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384, 20_000))
  fc.assert(
    fc.property(byteLength, fc.integer({ min: 1, max: 4 }), (length, lengthBytes) => {
      const bytes = Uint8Array.from({ length }, (_, index) => index % 251)
      const writer = new WireWriter(0)
      writer.uint(1, 7)
      const body = writer.begin(4, lengthBytes)
      writer.copy(new DataView(bytes.buffer), 0, length)
      writer.end(body, lengthBytes)
      writer.uint(5, 8)
      const theirs = protobuf.Writer.create().uint32(8).uint32(7).uint32(34).bytes(bytes)
      const expected = theirs.uint32(40).uint32(8).finish()
      assert.deepEqual(Buffer.from(writer.finish()), Buffer.from(expected))
    }),
  )
})

test('what was written stays where it lies while the writer goes on elsewhere', () => {
  const [first, second] = [new Uint8Array(16), new Uint8Array(16)]
  const writer = new WireWriter(0)
  assert.equal(writer.moveTo(first).length, 0)
  writer.uint(1, 5)
  const written = writer.moveTo(second)
  writer.uint(1, 6)
  assert.equal(written.buffer, first.buffer)
  assert.deepEqual([...written], [8, 5])
  assert.equal(writer.byteLength, 2)
  assert.deepEqual([...writer.finish()], [8, 6])
})
