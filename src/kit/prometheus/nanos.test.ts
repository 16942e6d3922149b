import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, bigInt, property } from 'fast-check'
import { epochMs, epochSeconds, nanosOfSecond, secondsText } from './nanos.ts'

const second = 1_000_000_000n

test('no digit of a time is lost on the way to seconds and milliseconds', () => {
  check(
    property(bigInt(0n, 2n ** 64n - 1n), (nanos) => {
      // As the store keeps them: two signed words.
      const low = Number(BigInt.asIntN(32, nanos))
      const high = Number(BigInt.asIntN(32, nanos >> 32n))
      assert.equal(epochSeconds(low, high), Number(nanos / second))
      assert.equal(nanosOfSecond(low, high), Number(nanos % second))
      assert.equal(epochMs(low, high), Number(nanos / 1_000_000n))
      const digits = String(nanos).padStart(10, '0')
      const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '')
      assert.equal(secondsText(low, high), text === '' ? '0' : text)
    }),
    { numRuns: 300 },
  )
})

test('seconds as OpenMetrics shows them', () => {
  assert.equal(secondsText(0, 0), '0')
  assert.equal(secondsText(1, 0), '0.000000001')
  assert.equal(secondsText(1_500_000_000, 0), '1.5')
  assert.equal(secondsText(0xffffffff, 0xffffffff), '18446744073.709551615')
})
