import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectorLabelNaming, labelName, type LabelNaming } from './label-name.ts'

const utf8: LabelNaming = { escape: false }

const rows: readonly (readonly [
  rule: string,
  naming: LabelNaming,
  key: string,
  expected: string | undefined,
])[] = [
  ['a valid key is kept', collectorLabelNaming, 'job_name', 'job_name'],
  ['a dot becomes an underscore', collectorLabelNaming, 'http.method', 'http_method'],
  ['a colon is not for labels', collectorLabelNaming, 'a:b', 'a_b'],
  ['each character is replaced by itself', collectorLabelNaming, 'a.-b', 'a__b'],
  ['a character outside the BMP is one', collectorLabelNaming, 'a🙂b', 'a_b'],
  ['a letter with an accent is replaced', collectorLabelNaming, 'é', undefined],
  ['runs are kept', collectorLabelNaming, 'a__b', 'a__b'],
  ['a leading digit gets key_', collectorLabelNaming, '2xx', 'key_2xx'],
  ['a leading underscore stays', collectorLabelNaming, '_foo', '_foo'],
  ['a leading dot becomes one', collectorLabelNaming, '.foo', '_foo'],
  ['two leading underscores stay', collectorLabelNaming, '__foo', '__foo'],
  ['outer double underscores are kept', collectorLabelNaming, '__my.label__', '__my_label__'],
  ['and not of underscores alone', collectorLabelNaming, '______', undefined],
  ['the empty key is dropped', collectorLabelNaming, '', undefined],
  ['only underscores are dropped', collectorLabelNaming, '___', undefined],
  ['only replaced characters are dropped', collectorLabelNaming, '...', undefined],
  ['UTF-8 keeps any name', utf8, 'http.méthod', 'http.méthod'],
  ['UTF-8 keeps a digit in front', utf8, '2xx', '2xx'],
  ['UTF-8 refuses the empty name', utf8, '', undefined],
  ['UTF-8 refuses only underscores', utf8, '_', undefined],
]

test('label names follow the rule that each row names', () => {
  for (const [rule, naming, key, expected] of rows) {
    assert.equal(labelName(naming, key), expected, `${rule}: ${key}`)
  }
})
