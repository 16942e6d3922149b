import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maskUserInfo } from './user-info.ts'

test('credentials in URLs are masked, whole ones and broken ones', () => {
  for (const [text, expected] of [
    ['http://user:hunter2@tempo:4318', 'http://[REDACTED]@tempo:4318'],
    ['got "http://user:100%@x"', 'got "http://[REDACTED]@x"'],
    ['https://token@x/path', 'https://[REDACTED]@x/path'],
    ['http://user:p@ss@x', 'http://[REDACTED]@x'],
    ['htp//user:hunter2@x', 'htp//[REDACTED]@x'],
    ['user:hunter2@x:4318', '[REDACTED]@x:4318'],
    ['http://a:1@b, http://c:2@d', 'http://[REDACTED]@b, http://[REDACTED]@d'],
  ]) {
    assert.equal(maskUserInfo(text), expected)
  }
})

test('what holds no credentials stays as it is', () => {
  for (const text of ['http://tempo:4318/a@b', 'me@example.com', 'localhost:4317', 'a: b@c']) {
    assert.equal(maskUserInfo(text), text)
  }
})
