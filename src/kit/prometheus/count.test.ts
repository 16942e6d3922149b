import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { addCounts, type Count, countOfHalves, subtractCounts, zigzag } from './count.ts'

const uint64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }),
  fc.bigInt({ min: 0n, max: 5n }),
)

test('counts add and subtract as bigints do, and are numbers where that is exact', () => {
  const check = (found: Count, expected: bigint) => {
    assert.equal(BigInt(found), expected)
    assert.equal(typeof found === 'number', Number.isSafeInteger(Number(expected)))
  }
  fc.assert(
    fc.property(uint64, uint64, (left, right) => {
      const [a, b] = [left, right].map((wide) =>
        countOfHalves(Number(wide & 0xffffffffn) | 0, Number(wide >> 32n) | 0),
      )
      check(a, left)
      check(addCounts(a, b), left + right)
      check(subtractCounts(a, b), left - right)
      const signed = left - right
      assert.equal(zigzag(subtractCounts(a, b)), signed < 0n ? -signed * 2n - 1n : signed * 2n)
    }),
  )
})
