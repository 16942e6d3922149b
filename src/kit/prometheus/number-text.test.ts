import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assert as check, double, property } from 'fast-check'
import { canonicalText, plainText, shortText, unsignedText } from './number-text.ts'

// value, text 0.0.4 ('g'), OpenMetrics, remote-write le ('f'). The first six rows are the facts' own table.
const golden: readonly (readonly [number, string, string, string])[] = [
  [1, '1', '1.0', '1'],
  [0.005, '0.005', '0.005', '0.005'],
  [1e6, '1e+06', '1e+06', '1000000'],
  [1234567, '1.234567e+06', '1.234567e+06', '1234567'],
  [1e-5, '1e-05', '1e-05', '0.00001'],
  [1e21, '1e+21', '1e+21', '1000000000000000000000'],
  [0, '0', '0.0', '0'],
  [-0, '0', '0.0', '-0'],
  [-1, '-1', '-1.0', '-1'],
  [0.1, '0.1', '0.1', '0.1'],
  [100000, '100000', '100000.0', '100000'],
  [999999, '999999', '999999.0', '999999'],
  [123456.5, '123456.5', '123456.5', '123456.5'],
  [999999.9999999999, '999999.9999999999', '999999.9999999999', '999999.9999999999'],
  [1000000.5, '1.0000005e+06', '1.0000005e+06', '1000000.5'],
  [-1000000, '-1e+06', '-1e+06', '-1000000'],
  [12345678.9, '1.23456789e+07', '1.23456789e+07', '12345678.9'],
  [0.0001, '0.0001', '0.0001', '0.0001'],
  [0.00012345, '0.00012345', '0.00012345', '0.00012345'],
  [0.00009999, '9.999e-05', '9.999e-05', '0.00009999'],
  [-0.00001, '-1e-05', '-1e-05', '-0.00001'],
  [1.5e-7, '1.5e-07', '1.5e-07', '0.00000015'],
  [1e-10, '1e-10', '1e-10', '0.0000000001'],
  [1e23, '1e+23', '1e+23', '100000000000000000000000'],
  [9007199254740992, '9.007199254740992e+15', '9.007199254740992e+15', '9007199254740992'],
  [1.7e9, '1.7e+09', '1.7e+09', '1700000000'],
  [5e-324, '5e-324', '5e-324', `0.${'0'.repeat(323)}5`],
  [
    Number.MAX_VALUE,
    '1.7976931348623157e+308',
    '1.7976931348623157e+308',
    `17976931348623157${'0'.repeat(292)}`,
  ],
  [NaN, 'NaN', 'NaN', 'NaN'],
  [Infinity, '+Inf', '+Inf', '+Inf'],
  [-Infinity, '-Inf', '-Inf', '-Inf'],
]

test('numbers print as Go prints them, in all three forms', () => {
  for (const [value, short, canonical, plain] of golden) {
    assert.equal(shortText(value), short, `g of ${value}`)
    assert.equal(canonicalText(value), canonical, `OpenMetrics of ${value}`)
    assert.equal(plainText(value), plain, `f of ${value}`)
  }
})

test('every form reads back as the same number, and has the shape its rule demands', () => {
  check(
    property(double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const short = shortText(value)
      assert.equal(Number(short), value === 0 ? 0 : value)
      assert.equal(Number(plainText(value)), value)
      assert.doesNotMatch(plainText(value), /e/)
      assert.match(canonicalText(value), /[.e]/)
      const isExponent = value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6)
      assert.equal(/e[+-]\d\d/.test(short), isExponent)
    }),
  )
})

test('unsigned integers keep every digit beyond 2^53', () => {
  assert.equal(unsignedText(0, 0), '0')
  assert.equal(unsignedText(-1, 0), '4294967295')
  assert.equal(unsignedText(1, 0x200000), '9007199254740993')
  assert.equal(unsignedText(-1, -1), '18446744073709551615')
})
