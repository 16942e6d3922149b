import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namedSeries, seriesText } from './named-series.ts'

const labels = [
  { name: '__name__', value: 'up' },
  { name: 'job', value: 'a "b" {c}' },
]

// As Prometheus 3 and 2, Mimir and Cortex write them.
for (const complaint of [
  String.raw`out of order sample for series {__name__="up", job="a \"b\" {c}"}`,
  String.raw`out of order sample, series={"job"="a \"b\" {c}","__name__"="up"} timestamp=1`,
  String.raw`user=x: sample timestamp too old, series up{job="a \"b\" {c}"}`,
  String.raw`label value too long: up{job="a \"b\" {c}"}`,
]) {
  test(`the series is known by its labels in: ${complaint}`, () => {
    assert.deepEqual(namedSeries(complaint), labels)
  })
}

test('an answer that names no series has none', () => {
  assert.equal(namedSeries('<html><body>bad request</body></html>'), undefined)
  assert.equal(namedSeries('out of bounds: {}'), undefined)
  assert.equal(seriesText('out of order sample'), undefined)
})

test('a series is found behind braces and quotes that never close', () => {
  assert.deepEqual(namedSeries(String.raw`a {1 { up{job = "a \"b\" {c}"}`), labels)
  assert.deepEqual(namedSeries('cannot read {"x of up{}'), [{ name: '__name__', value: 'up' }])
})

test('a name may have letters beyond 16 bits', () => {
  assert.deepEqual(namedSeries('no 😀x𝒳y{}'), [{ name: '__name__', value: 'x𝒳y' }])
})

test('an answer of any content is read in a time that grows with its length', () => {
  const length = 64 * 1024
  const half = 'a'.repeat(length / 2)
  const answers = [`${half}{${half}`, `{${half}${half}}`]
  for (const piece of [
    'a',
    '{',
    '{"',
    '{",',
    '{"a\\"',
    '\\"',
    '"',
    '{"a"',
    '{a="b",',
    'a=',
    'a ',
  ]) {
    const text = piece.repeat(length / piece.length)
    for (const before of ['', '{', '{"']) answers.push(before + text, `${before}${text}"}`)
  }
  const begun = performance.now()
  for (const answer of answers) {
    namedSeries(answer)
    seriesText(answer)
  }
  // A tenth of a second; a pattern that is tried from each place takes more than one for some of them alone.
  assert.ok(performance.now() - begun < 2000, `${performance.now() - begun}`)
})
