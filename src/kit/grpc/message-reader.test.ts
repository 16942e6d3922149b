import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { frame } from '../../../test/kit/grpc-peers.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { MessageReader } from './message-reader.ts'

const byteLengthMax = 1000

/** Cuts at the given places, wherever they fall. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

function read(pieces: readonly Uint8Array[]): { message: Uint8Array; announced: number[] } {
  const announced: number[] = []
  const onPrefix = (byteLength: number) => void announced.push(byteLength)
  const reader = new MessageReader({ byteLengthMax, onPrefix })
  for (const piece of pieces) reader.push(piece)
  return { message: reader.finish(), announced }
}

const places = fc.array(fc.nat(2000), { maxLength: 12 })

test('a message comes out as it went in, however it is cut, and is announced once', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: byteLengthMax }), places, (message, at) => {
      const got = read(cut(frame(message), at))
      assert.deepEqual(Buffer.from(got.message), Buffer.from(message))
      assert.deepEqual(got.announced, [message.length])
    }),
  )
})

test('any bytes are one message, or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), places, (bytes, at) => {
      const looksWhole =
        bytes.length >= 5 &&
        bytes[0] <= 1 &&
        Buffer.from(bytes).readUInt32BE(1) === bytes.length - 5
      try {
        read(cut(bytes, at))
        assert.ok(looksWhole)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        assert.ok(!looksWhole)
      }
    }),
  )
})

test('a message in one piece is a slice of it, one in several is copied once', () => {
  const bytes = frame(Buffer.alloc(500, 1))
  const whole = read([bytes]).message
  assert.equal(whole.buffer, bytes.buffer)
  assert.equal(whole.byteOffset, bytes.byteOffset + 5)
  assert.notEqual(read([bytes.subarray(0, 100), bytes.subarray(100)]).message.buffer, bytes.buffer)
})

test('a small part of a large read is copied out, so that it does not keep all of it', () => {
  const large = Buffer.alloc(64 * 1024)
  const bytes = large.subarray(0, 105)
  bytes.set(frame(Buffer.alloc(100, 7)))
  const { message } = read([bytes])
  assert.notEqual(message.buffer, large.buffer)
  assert.deepEqual(Buffer.from(message), Buffer.alloc(100, 7))
})

test('no room is made for what is over the limit or not admitted', () => {
  const tooLong = frame(Buffer.alloc(0), { announced: byteLengthMax + 1 })
  assert.throws(() => read([tooLong]), { code: 'too_large' })
  const refusal = new Refusal('unavailable', 'full')
  const reader = new MessageReader({
    byteLengthMax,
    onPrefix: () => {
      throw refusal
    },
  })
  assert.throws(() => reader.push(frame(Buffer.alloc(10))), refusal)
})
