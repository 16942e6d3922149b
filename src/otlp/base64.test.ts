import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { decodeBase64, encodeBase64 } from './base64.ts'
import { decodeHex, encodeHex } from './hex.ts'

test('base64 is written as Node writes it, and read in both alphabets, padded or not', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      assert.equal(encodeBase64(bytes), text)
      for (const spelling of [
        text,
        text.replace(/=+$/, ''),
        Buffer.from(bytes).toString('base64url'),
      ])
        assert.deepStrictEqual(decodeBase64(spelling), bytes)
    }),
  )
})

for (const text of ['A', 'AAAAA', 'AA=', 'A===', 'AA==A', '====', 'A A=', 'é', '\ud83d\udca7']) {
  test(`${JSON.stringify(text)} is not base64`, () => {
    assert.equal(decodeBase64(text), undefined)
  })
}

test('hex is written in lower case and read in any', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      const text = Buffer.from(bytes).toString('hex')
      assert.equal(encodeHex(bytes), text)
      assert.deepStrictEqual(decodeHex(text.toUpperCase()), bytes)
    }),
  )
})

for (const text of ['0', 'zz', '0g', '0x', ' 0', 'ＡＢ', '\u0141\u0141']) {
  test(`${JSON.stringify(text)} is not hex`, () => {
    assert.equal(decodeHex(text), undefined)
  })
}
