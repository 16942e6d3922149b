import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashBytes } from './byte-hash.ts'

// Linux, lib/test_siphash.c: test_vectors_hsiphash of the bytes 0, 1, 2 ..., none of them first.
const vectors = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6,
  0x577999b1, 0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04,
]

test('hashes are those of HalfSipHash-1-3, wherever the bytes lie', () => {
  for (const offset of [0, 3]) {
    const view = new DataView(new ArrayBuffer(32))
    for (let at = 0; at < 16; at++) view.setUint8(offset + at, at)
    const hashes = vectors.map((_, length) =>
      hashBytes(view, offset, offset + length, 0x03020100, 0x07060504),
    )
    assert.deepEqual(
      hashes,
      vectors.map((hash) => hash | 0),
    )
  }
})
