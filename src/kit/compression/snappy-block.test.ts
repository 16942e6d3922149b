import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import snappyJs from 'snappyjs'
import { snappyBytesMax, writeSnappyBlock } from './snappy-block.ts'
import { uncompressSnappy } from './snappy.ts'

function compress(input: Uint8Array): Uint8Array {
  const output = new Uint8Array(snappyBytesMax(input.length))
  return output.slice(0, writeSnappyBlock(input, output))
}

function check(input: Uint8Array): void {
  const block = compress(input)
  assert.deepEqual(uncompressSnappy(block, input.length), input)
  if (input.length > 0) assert.deepEqual(new Uint8Array(snappyJs.uncompress(block)), input)
}

/** Bytes that repeat themselves, at near and far distances. */
const repetitive = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 1, max: 30 })), {
    maxLength: 12,
  })
  .map((pieces) => Buffer.concat(pieces.flatMap(([piece, times]) => repeat(piece, times))))
  .map((joined) => new Uint8Array(joined))

function repeat(piece: Uint8Array, times: number): Uint8Array[] {
  return Array.from({ length: times }, () => piece)
}

describe('snappy block', () => {
  it('gives back any bytes, read by our decoder and by snappyjs', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), check), { numRuns: 200 })
    fc.assert(fc.property(repetitive, check), { numRuns: 300 })
  })

  it('gives back bytes at and beyond the limits of literals, copies and fragments', () => {
    const random = (length: number) =>
      Uint8Array.from({ length }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 13)
    for (const length of [0, 1, 15, 16, 17, 59, 60, 61, 255, 256, 257, 65535, 65536, 65537, 2e5]) {
      check(random(length))
      check(new Uint8Array(length))
      check(Uint8Array.from({ length }, (_, index) => (index % 2100) * 7))
    }
    for (let length = 60; length < 140; length++) {
      check(Uint8Array.from([...random(30), ...new Uint8Array(length).fill(7), ...random(30)]))
    }
  })

  it('makes series that repeat their labels a fraction as long', () => {
    const text = Array.from(
      { length: 2000 },
      (_, index) => `http_requests_total{job="checkout",instance="pod-${index % 10}"} ${index}\n`,
    )
    const input = Buffer.from(text.join(''))
    assert.ok(compress(input).length < input.length / 4)
  })

  it('keeps bytes that do not repeat within the length it promises', () => {
    const input = crypto.getRandomValues(new Uint8Array(60_000))
    assert.ok(compress(input).length <= input.length + 20)
  })
})
