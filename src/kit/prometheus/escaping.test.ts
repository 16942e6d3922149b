import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeName } from './escaping.ts'

const rows: readonly (readonly [
  rule: string,
  name: string,
  underscores: string,
  dots: string,
  values: string,
])[] = [
  ['a plain name', 'foo', 'foo', 'foo', 'foo'],
  ['dots double the underscores of valid names too', 'foo_bar', 'foo_bar', 'foo__bar', 'foo_bar'],
  ['a dot', 'foo.bar', 'foo_bar', 'foo_dot_bar', 'U__foo_2e_bar'],
  ['a dot and an underscore', 'a.b_c', 'a_b_c', 'a_dot_b__c', 'U__a_2e_b__c'],
  ['a leading digit', '2xx', '_xx', '__xx', 'U___32_xx'],
  ['a colon is valid in a metric name', 'a:b', 'a:b', 'a:b', 'a:b'],
  ['an accent', 'é', '_', '__', 'U___e9_'],
  ['a code point outside the BMP', 'a🙂', 'a_', 'a__', 'U__a_1f642_'],
  ['broken text', 'a\ud800', 'a_', 'a__', 'U__a_FFFD_'],
]

test('names are escaped by the scheme, code point by code point', () => {
  for (const [rule, name, underscores, dots, values] of rows) {
    assert.equal(escapeName('allow-utf-8', name, 'metric'), name, rule)
    assert.equal(escapeName('underscores', name, 'metric'), underscores, rule)
    assert.equal(escapeName('dots', name, 'metric'), dots, rule)
    assert.equal(escapeName('values', name, 'metric'), values, rule)
  }
})

test('a colon is not valid in a label name', () => {
  assert.equal(escapeName('underscores', 'a:b', 'label'), 'a_b')
  assert.equal(escapeName('dots', 'a:b', 'label'), 'a__b')
  assert.equal(escapeName('values', 'a:b', 'label'), 'U__a_3a_b')
})
