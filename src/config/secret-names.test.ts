import assert from 'node:assert/strict'
import { test } from 'node:test'
import { excerpt } from './excerpt.ts'
import { isSecretName, isSecretPath } from './secret-names.ts'

test('names of secrets are known, mistyped and in any spelling', () => {
  for (const name of [
    'password',
    'pasword',
    'client_secret',
    'apiKey',
    'API_TOKEN',
    'key_pem',
    'tokn',
  ]) {
    assert.ok(isSecretName(name), name)
  }
})

test('names about secrets are no secrets', () => {
  for (const name of [
    'key_file',
    'token_url',
    'password_file',
    'endpoint',
    'metadata_keys',
    'key',
    'timeout',
  ]) {
    assert.ok(!isSecretName(name), name)
  }
})

test('every header is a secret', () => {
  assert.ok(isSecretPath(['headers', 'x-tenant']))
  assert.ok(!isSecretPath(['protocols', 'grpc', 'endpoint']))
  assert.ok(isSecretPath(['headers', 0]))
  assert.ok(isSecretPath(['headers', 0, 'vlaue']))
})

test('of headers in a list, their names and sources show', () => {
  for (const name of ['key', 'name', 'action', 'from_context', 'from_attribute', 'value_file']) {
    assert.ok(!isSecretPath(['headers', 0, name]), name)
  }
  assert.ok(isSecretPath(['headers', 'key']))
})

test('excerpts show no secret, in whatever form its line is', () => {
  const hidden = 'hunter2'
  for (const text of [
    'password: hunter2',
    '  - password: "hunter2" # note',
    "{user: a, password: 'hunter2', x: 1}",
    'endpoint: https://me:hunter2@host/x',
    'authorization: Bearer hunter2',
    'x: Bearer hunter2',
    'token: ${env:T:-hunter2}',
    'token: ${env:T}hunter2',
    'key_pem: |\n  hunter2',
    'headers:\n  x-any: hunter2',
    'headers:\n- name: a\n  value: hunter2',
    'tokens:\n- hunter2',
    'password: >-\n\n    hunter2',
    'api_key: hunter2, hunter2',
    '"password": hunter2',
    'password=hunter2',
  ]) {
    const lines = text.split('\n')
    const source = { name: 'x', lines }
    const shown = lines.map((_, at) => excerpt({ source, line: at + 1, column: 1 }).text).join('\n')
    assert.ok(!shown.includes(hidden), `${text} shows as ${shown}`)
  }
})

test('a bare reference shows: it says where the secret is, not what it is', () => {
  const source = { name: 'x', lines: ['token: ${env:TOKEN}'] }
  assert.equal(excerpt({ source, line: 1, column: 1 }).text, 'token: ${env:TOKEN}')
})

test('the caret keeps to its character behind a masked one', () => {
  const lines = ['{url: "https://me:hunter2@host", password: hunter2, wrong: 1}']
  const column = lines[0].indexOf('wrong') + 1
  const { text, caret } = excerpt({ source: { name: 'x', lines }, line: 1, column })
  assert.equal(text, '{url: "https://[REDACTED]@host", password: [REDACTED], wrong: 1}')
  assert.equal(text.slice(caret - 1), 'wrong: 1}')
})
