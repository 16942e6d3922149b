import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOnlyDisk } from '../../../../test/kit/memory-disk.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Verdict } from '../../../pipeline/authenticator.ts'
import { BearerTokenAuth } from './bearer-token-auth.ts'
import { bearerTokenAuth } from './index.ts'

function create(settings: object, files: Record<string, string> = {}) {
  const host = testHost({ id: 'tokens', disk: readOnlyDisk(files) })
  const extension = bearerTokenAuth.create(bearerTokenAuth.config.parse(settings), host)
  assert.ok(extension instanceof BearerTokenAuth)
  const judge = (headers: Record<string, string>) =>
    extension.server.authenticate((name) => headers[name]) as Verdict
  const sign = () => {
    const headers: Record<string, string> = {}
    void extension.client.sign(headers, undefined)
    return headers
  }
  const isIn = (headers: Record<string, string>) => !(judge(headers) instanceof Refusal)
  return { host, extension, judge, isIn, sign }
}

test('who has the token is let in, whatever the case of the scheme', () => {
  const { isIn } = create({ token: 's3cret' })
  assert.ok(isIn({ authorization: 'Bearer s3cret' }))
  assert.ok(isIn({ authorization: 'bearer s3cret' }))
  for (const wrong of [
    'Bearer S3cret',
    'Bearer s3cre',
    'Bearer s3cret ',
    'Basic s3cret',
    's3cret',
  ]) {
    assert.ok(!isIn({ authorization: wrong }), wrong)
  }
})

test('a refusal tells nothing of any token, and is counted', () => {
  const { host, judge } = create({ token: 's3cret' })
  for (const [headers, message] of [
    [{}, 'missing or empty header: authorization'],
    [{ authorization: 'Bearer gue55' }, 'scheme or token does not match'],
  ] as const) {
    const verdict = judge(headers)
    assert.ok(verdict instanceof Refusal)
    assert.equal(verdict.code, 'unauthenticated')
    assert.equal(verdict.message, message)
  }
  judge({ authorization: 'Bearer s3cret' })
  const count = (outcome: string) =>
    host.meter.value('penstock_authentication_attempts', { extension: 'tokens', outcome })
  assert.deepEqual([count('accepted'), count('refused')], [1, 2])
})

test('a scheme that no header can carry is refused', () => {
  const { error } = bearerTokenAuth.config.safeParse({ token: 't', scheme: 'a\r\nb' })
  assert.deepEqual(
    error?.issues.map(({ path }) => path),
    [['scheme']],
  )
})

test('a server takes any of several tokens, a client sends the first', () => {
  const { isIn, sign } = create({ tokens: ['one', 'two'], header: 'X-Key', scheme: '' })
  assert.ok(isIn({ 'x-key': 'one' }))
  assert.ok(isIn({ 'x-key': 'two' }))
  assert.ok(!isIn({ 'x-key': '' }))
  assert.ok(!isIn({ authorization: 'one' }))
  assert.deepEqual(sign(), { 'x-key': 'one' })
})

test('tokens of a file take the place of others and are read again when it changes', async () => {
  const files = { '/token': 'old\r\n\n  older \n' }
  const { host, extension, isIn, sign } = create({ filename: '/token', token: 'x' }, files)
  extension.start()
  assert.deepEqual(sign(), { authorization: 'Bearer old' })
  assert.ok(isIn({ authorization: 'Bearer older' }))
  assert.ok(!isIn({ authorization: 'Bearer x' }))
  assert.ok(!isIn({ authorization: 'Bearer ' }))
  files['/token'] = 'new'
  await host.clock.advance(5000)
  assert.deepEqual(sign(), { authorization: 'Bearer new' })
  assert.ok(!isIn({ authorization: 'Bearer old' }))
  extension.stop()
  assert.equal(host.clock.timerCount, 0)
})

test('a file that is no good any more leaves the last tokens in use, said once', async () => {
  const files: Record<string, string> = { '/token': 'good' }
  const { host, extension, sign } = create({ filename: '/token' }, files)
  extension.start()
  files['/token'] = '\n'
  await host.clock.advance(10_000)
  delete files['/token']
  await host.clock.advance(10_000)
  assert.deepEqual(sign(), { authorization: 'Bearer good' })
  const errors = host.lines.filter(({ level }) => level === 'error')
  assert.deepEqual(
    errors.map(({ fields }) => fields),
    [{ error: 'filename /token cannot be used: it holds no token' }],
  )
  extension.stop()
})

test('a peer that does not take the token makes the file be read at once', () => {
  const files = { '/token': 'old' }
  const { extension, sign } = create({ filename: '/token' }, files)
  extension.start()
  assert.equal(extension.client.rejected?.(), false)
  files['/token'] = 'new'
  assert.equal(extension.client.rejected?.(), true)
  assert.deepEqual(sign(), { authorization: 'Bearer new' })
  extension.stop()
})

test('without its file, or with one that no header can carry, it does not start', () => {
  const missing = create({ filename: '/token' })
  assert.throws(() => missing.extension.start(), /^Error: filename \/token cannot be used: ENOENT/)
  const broken = create({ filename: '/token' }, { '/token': 'good\nb\u0000d' })
  assert.throws(() => broken.extension.start(), /line 2 has characters that no header may have/)
})
