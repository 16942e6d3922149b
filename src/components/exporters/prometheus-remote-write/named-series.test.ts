import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namedSeriesKey, seriesKey, seriesText } from './named-series.ts'

const key = seriesKey([
  { name: '__name__', value: 'up' },
  { name: 'job', value: 'a "b" {c}' },
])

// As Prometheus 3 and 2, Mimir and Cortex write them.
for (const complaint of [
  String.raw`out of order sample for series {__name__="up", job="a \"b\" {c}"}`,
  String.raw`out of order sample, series={"job"="a \"b\" {c}","__name__"="up"} timestamp=1`,
  String.raw`user=x: sample timestamp too old, series up{job="a \"b\" {c}"}`,
  String.raw`label value too long: up{job="a \"b\" {c}"}`,
]) {
  test(`the series is known by its labels in: ${complaint}`, () => {
    assert.equal(namedSeriesKey(complaint), key)
  })
}

test('an answer that names no series has no key', () => {
  assert.equal(namedSeriesKey('<html><body>bad request</body></html>'), undefined)
  assert.equal(seriesText('out of order sample'), undefined)
})

test('an answer of any content is read in a time that grows with its length', () => {
  const length = 64 * 1024
  const half = 'a'.repeat(length / 2)
  const answers = ['a'.repeat(length), `${half}{${half}`, `{${half}${half}}`, '{",'.repeat(length)]
  const begun = performance.now()
  for (const answer of answers) {
    namedSeriesKey(answer)
    seriesText(answer)
  }
  // Twenty milliseconds; trying each character of a word as its first took ten seconds.
  assert.ok(performance.now() - begun < 1000)
})
