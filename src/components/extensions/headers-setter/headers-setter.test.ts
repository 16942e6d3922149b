import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOnlyDisk } from '../../../../test/kit/memory-disk.ts'
import { testAuthenticator } from '../../../../test/kit/test-authenticator.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { HeadersSetter } from './headers-setter.ts'
import { headersSetter } from './index.ts'

const sender: ClientInfo = {
  address: '10.0.0.7',
  metadata: new Map([
    ['tenant', ['team-a']],
    ['twice', ['a', 'b']],
  ]),
  auth: new Map([['username', 'anna']]),
}

function create(settings: object, files: Record<string, string> = {}) {
  const keys = testAuthenticator()
  const host = testHost({ disk: readOnlyDisk(files), extensions: { keys } })
  const extension = headersSetter.create(headersSetter.config.parse(settings), host)
  assert.ok(extension instanceof HeadersSetter)
  return { host, keys, extension }
}

/** What becomes of headers under one change. */
function changed(change: object, headers: Record<string, string> = {}, client = sender) {
  const { extension } = create({ headers: [change] })
  const copy = { ...headers }
  assert.equal(extension.client.sign(copy, client), undefined)
  return copy
}

const there = { 'x-a': 'old', other: 'o' }
const absent = { other: 'o' }

// Of the extension's documentation: what each action does to a header that is there, and to one that is not.
for (const [action, onThere, onAbsent] of [
  ['insert', there, { ...absent, 'x-a': 'new' }],
  ['update', { ...there, 'x-a': 'new' }, absent],
  ['upsert', { ...there, 'x-a': 'new' }, { ...absent, 'x-a': 'new' }],
  ['delete', absent, absent],
] as const) {
  test(`${action} of a header that is there, and of one that is not`, () => {
    const change = { key: 'X-A', action, ...(action !== 'delete' && { value: 'new' }) }
    assert.deepEqual(changed(change, there), onThere)
    assert.deepEqual(changed(change, absent), onAbsent)
  })
}

test('upsert is what is done unless said', () => {
  assert.deepEqual(changed({ key: 'X-A', value: 'new' }, there), { ...there, 'x-a': 'new' })
})

test('a value comes from the metadata or the authentication of the client', () => {
  assert.deepEqual(changed({ key: 'a', from_context: 'Tenant' }), { a: 'team-a' })
  assert.deepEqual(changed({ key: 'a', from_attribute: 'username' }), { a: 'anna' })
})

test('where the client has none, the default stands in, else the header is left alone', () => {
  for (const source of [{ from_context: 'no' }, { from_attribute: 'no' }]) {
    assert.deepEqual(changed({ key: 'other', ...source }, absent), absent)
    assert.deepEqual(changed({ key: 'a', ...source, default_value: 'd' }), { a: 'd' })
  }
  const { extension } = create({
    headers: [{ key: 'a', from_context: 'tenant', default_value: 'd' }],
  })
  const headers = {}
  void extension.client.sign(headers, undefined)
  assert.deepEqual(headers, { a: 'd' })
})

test('several values are none to choose from: a refusal for good', () => {
  const change = { key: 'a', from_context: 'twice' }
  assert.throws(
    () => changed(change),
    (error) => error instanceof Refusal && error.code === 'invalid' && !error.retryable,
  )
})

test('what a client sent is handed on only where a header can carry it', () => {
  const client = { ...sender, auth: new Map([['username', 'a\r\nx-admin: yes']]) }
  const change = { key: 'a', from_attribute: 'username' }
  assert.throws(() => changed(change, {}, client), { code: 'invalid' })
})

test('changes are done in their order, after those of another authenticator', async () => {
  const { extension, keys } = create({
    headers: [
      { key: 'X-Key', action: 'update', value: 'masked' },
      { key: 'a', value: '1' },
      { key: 'a', action: 'insert', value: '2' },
    ],
    additional_auth: 'keys',
  })
  extension.start()
  for (const isSlow of [false, true]) {
    keys.isSlow = isSlow
    const headers = {}
    await extension.client.sign(headers, sender)
    assert.deepEqual(headers, { 'x-key': 'masked', 'x-client': '10.0.0.7', a: '1' })
  }
  assert.equal(extension.client.rejected?.(), false)
  keys.nextKey = 'new'
  assert.equal(extension.client.rejected?.(), true)
})

test('a file holds a value, and is read again when it changes', async () => {
  const files = { '/value': 'one\n' }
  const { host, extension } = create({ headers: [{ key: 'a', value_file: '/value' }] }, files)
  extension.start()
  const value = () => {
    const headers: Record<string, string> = {}
    void extension.client.sign(headers, undefined)
    return headers.a
  }
  assert.equal(value(), 'one')
  files['/value'] = 'two'
  assert.equal(extension.client.rejected?.(), true)
  assert.equal(value(), 'two')
  files['/value'] = 'three'
  await host.clock.advance(5000)
  assert.equal(value(), 'three')
  extension.stop()
  assert.equal(host.clock.timerCount, 0)
})

test('each header needs one source, and only such that a header can carry', () => {
  const problems = (settings: object) =>
    headersSetter.check!(headersSetter.config.parse(settings), new Set()).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    )
  assert.deepEqual(problems({}), ['headers must name a header'])
  assert.match(problems({ headers: [{ key: 'a' }] })[0], /^headers\.0 must have value, value_file/)
  assert.deepEqual(problems({ headers: [{ key: 'a', value: 'b', from_context: 'c' }] }), [
    'headers.0.from_context cannot be set together with value',
  ])
  assert.match(
    problems({ headers: [{ key: 'a', value: 'b\nc' }] })[0],
    /^headers\.0\.value must be/,
  )
  assert.deepEqual(problems({ headers: [{ key: 'a', action: 'delete' }] }), [])
})

test('it says whether what it sets depends on the client', () => {
  const client = (header: object) => {
    const config = headersSetter.config.parse({ headers: [{ key: 'a', ...header }] })
    return headersSetter.authenticates!(config).client
  }
  assert.equal(client({ value: 'b' }), 'all')
  assert.equal(client({ from_context: 'b' }), 'each')
  assert.equal(client({ from_attribute: 'b' }), 'each')
})
