import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../../otlp/refusal.ts'
import { percentEncode, statusHeaders, statusOf } from './status.ts'
import { parseGrpcTimeout } from './timeout.ts'

test('grpc-message is percent-encoded UTF-8, printable ASCII but the percent sign left alone', () => {
  assert.equal(percentEncode('plain ~ text!'), 'plain ~ text!')
  assert.equal(percentEncode('100 %'), '100 %25')
  assert.equal(percentEncode('zwölf\n'), 'zw%C3%B6lf%0A')
  assert.equal(percentEncode('😀'), '%F0%9F%98%80')
  assert.equal(percentEncode('\u007f'), '%7F')
})

test('long messages are cut, so that clients take the headers', () => {
  const headers = statusHeaders({ code: 3, message: 'ü'.repeat(5000) })
  assert.ok(String(headers['grpc-message']).length < 8000)
})

test('RetryInfo is attached to what may be retried and says when', () => {
  const details = 'grpc-status-details-bin'
  const headersOf = (refusal: Refusal) => statusHeaders(statusOf(refusal))
  assert.equal(headersOf(new Refusal('unavailable', 'x'))[details], undefined)
  assert.ok(headersOf(new Refusal('unavailable', 'x', { retryAfterMs: 1 }))[details])
  assert.ok(headersOf(new Refusal('exhausted', 'x'))[details])
  assert.equal(headersOf(new Refusal('too_large', 'x', { retryAfterMs: 1 }))[details], undefined)
  assert.equal(headersOf(new Refusal('invalid', 'x', { retryAfterMs: 1 }))[details], undefined)
})

test('grpc-timeout is at most eight digits and a unit', () => {
  assert.equal(parseGrpcTimeout('1H'), 3_600_000)
  assert.equal(parseGrpcTimeout('2M'), 120_000)
  assert.equal(parseGrpcTimeout('10S'), 10_000)
  assert.equal(parseGrpcTimeout('99999999m'), 99_999_999)
  assert.equal(parseGrpcTimeout('500u'), 0.5)
  assert.equal(parseGrpcTimeout('1000000n'), 1)
  for (const malformed of ['', '5', 'S', '5s', '1.5S', '-1S', '123456789m', '5 S']) {
    assert.equal(parseGrpcTimeout(malformed), undefined, malformed)
  }
})
