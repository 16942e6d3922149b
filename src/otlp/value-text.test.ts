import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AttributeValue } from './attributes.ts'
import { valueText } from './value-text.ts'

const map = (entries: Readonly<Record<string, AttributeValue>>) => new Map(Object.entries(entries))

const cases: readonly (readonly [value: AttributeValue, text: string])[] = [
  [null, ''],
  ['', ''],
  ['a "b"', 'a "b"'],
  [true, 'true'],
  [-(2n ** 63n), '-9223372036854775808'],
  [1, '1'],
  [0.1, '0.1'],
  [1e21, '1e+21'],
  [1e-7, '1e-7'],
  [-0, '-0'],
  [[-0], '[-0]'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
  [Uint8Array.of(255, 254), '//4='],
  [[], '[]'],
  [['a', 1n, 1.5, false, null, Uint8Array.of(1)], '["a",1,1.5,false,null,"AQ=="]'],
  [[NaN, Infinity], '["NaN","Infinity"]'],
  [['<&>', '\u2028\u2029', '\n"\\'], '["<&>","\\u2028\\u2029","\\n\\"\\\\"]'],
  [map({ b: 2n, a: [map({ z: '', y: null })] }), '{"a":[{"y":null,"z":""}],"b":2}'],
  [map({}), '{}'],
  [
    map({ '\u{1f4a7}': 1n, '\uffff': 2n, a: 3n, ab: 4n }),
    '{"a":3,"ab":4,"\uffff":2,"\u{1f4a7}":1}',
  ],
]

for (const [value, text] of cases) {
  test(`the text of a value is ${JSON.stringify(text)}`, () => {
    assert.equal(valueText(value), text)
  })
}
