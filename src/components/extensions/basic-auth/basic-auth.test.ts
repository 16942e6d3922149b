import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { readOnlyDisk } from '../../../../test/kit/memory-disk.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { Secret } from '../../../config/secret.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Authenticator, Verdict } from '../../../pipeline/authenticator.ts'
import { BasicAuthServer } from './basic-auth-server.ts'
import { basicAuth } from './index.ts'

/** `anna` has a plain password, `bert` has "open sesame" at a cost. */
const list = 'anna:plain\nbert:$apr1$pepper$q1evYAGW7H1ajwuBjp4yr1\n'

const created: Authenticator[] = []
after(async () => {
  for (const extension of created) await extension.stop?.(AbortSignal.abort())
})

function create(settings: object, files: Record<string, string> = {}) {
  const host = testHost({ id: 'basic', disk: readOnlyDisk(files) })
  const extension = basicAuth.create(basicAuth.config.parse(settings), host) as Authenticator
  created.push(extension)
  const judge = (credentials: string) => {
    const header = `Basic ${Buffer.from(credentials).toString('base64')}`
    return extension.server!.authenticate((name) => (name === 'authorization' ? header : undefined))
  }
  const raw = (header?: string) => extension.server!.authenticate(() => header) as Verdict
  const isIn = async (credentials: string) => !((await judge(credentials)) instanceof Refusal)
  const sign = () => {
    const headers: Record<string, string> = {}
    void extension.client!.sign(headers, undefined)
    return headers
  }
  return { host, extension, judge, raw, isIn, sign }
}

test('who is in the list is let in under a name, at once where that costs nothing', async () => {
  const { judge } = create({ htpasswd: { inline: list } })
  const anna = judge('anna:plain') as ReadonlyMap<string, string>
  assert.deepEqual(
    [...anna],
    [
      ['username', 'anna'],
      ['raw', 'YW5uYTpwbGFpbg=='],
    ],
  )
  const bert = judge('bert:open sesame')
  assert.ok(bert instanceof Promise)
  assert.deepEqual(((await bert) as ReadonlyMap<string, string>).get('username'), 'bert')
})

test('what waits when it stops is refused for now, none of it is checked any more', async () => {
  const carl = 'carl:$2y$10$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW'
  const { host, extension, judge } = create({ htpasswd: { inline: carl } })
  const waiting = ['open sesame', 'wrong', 'another'].map((password) => judge(`carl:${password}`))
  await new Promise((done) => setImmediate(done))
  await extension.stop?.(AbortSignal.abort())
  const verdicts = await Promise.all([...waiting, judge('carl:one more')])
  for (const verdict of verdicts) {
    assert.ok(verdict instanceof Refusal && verdict.retryable)
    assert.match(verdict.message, /basicauth was stopped/)
  }
  assert.deepEqual(host.lines, [])
})

test('bcrypt is known too', async () => {
  const carl = 'carl:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW'
  const { judge, isIn } = create({ htpasswd: { inline: carl } })
  assert.ok(await isIn('carl:open sesame'))
  assert.ok(!(await isIn('carl:wrong')))
  assert.ok(judge('carl:open sesame') instanceof Map)
})

test('a check that fails lets nobody in, is logged and may be repeated', async () => {
  const host = testHost({ id: 'basic', disk: readOnlyDisk({}) })
  const thread = { check: () => Promise.reject(new Error('broken')), stop: async () => {} }
  const { server } = new BasicAuthServer({ inline: new Secret(list) }, host, thread)
  const header = `Basic ${Buffer.from('bert:open sesame').toString('base64')}`
  const verdict = await server.authenticate(() => header)
  assert.ok(verdict instanceof Refusal && verdict.retryable)
  assert.equal(host.lines.at(-1)?.message, 'a password could not be checked')
})

test('a costly password is checked once, then known for five minutes after its last use', async () => {
  const { host, judge } = create({ htpasswd: { inline: list } })
  const first = judge('bert:open sesame')
  const second = judge('bert:open sesame')
  assert.equal(await first, await second, 'the same check serves both')
  assert.ok(judge('bert:open sesame') instanceof Map)
  await host.clock.advance(299_999)
  assert.ok(judge('bert:open sesame') instanceof Map)
  await host.clock.advance(299_999)
  const flood = Array.from({ length: 64 }, (_, index) => judge(`bert:${index}`))
  assert.ok(judge('bert:open sesame') instanceof Map, 'in use it meets no queue')
  for (const each of flood) await each
  await host.clock.advance(300_000)
  assert.ok(judge('bert:open sesame') instanceof Promise)
})

test('a wrong password is 401, and remembered for ten seconds where it costs', async () => {
  const { host, judge } = create({ htpasswd: { inline: list } })
  for (const credentials of [
    'anna:Plain',
    'bert:wrong',
    'nobody:plain',
    'nobody:open sesame',
    'anna:open sesame',
  ]) {
    const verdict = await judge(credentials)
    assert.ok(verdict instanceof Refusal)
    assert.deepEqual([verdict.code, verdict.message], ['unauthenticated', 'invalid credentials'])
  }
  assert.ok(judge('bert:wrong') instanceof Refusal)
  await host.clock.advance(10_000)
  assert.ok(judge('bert:wrong') instanceof Promise)
})

test('a name that is not in the list costs what one in it does', () => {
  const { judge } = create({ htpasswd: { inline: list } })
  assert.ok(judge('nobody:x') instanceof Promise)
})

test('of passwords to check only so many wait, the others come again', async () => {
  const { judge } = create({ htpasswd: { inline: list } })
  const waiting = Array.from({ length: 64 }, (_, index) => judge(`bert:${index}`))
  const further = judge('bert:open sesame')
  assert.ok(further instanceof Refusal)
  assert.deepEqual([further.code, further.retryAfterMs], ['unavailable', 1000])
  assert.ok(judge('anna:plain') instanceof Map, 'what costs nothing need not wait')
  for (const each of waiting) await each
  assert.ok((await judge('bert:open sesame')) instanceof Map)
})

test('what is not basic authentication is refused in the words of the Collector', () => {
  const { raw } = create({ htpasswd: { inline: list } })
  for (const [header, message] of [
    [undefined, 'no basic auth provided'],
    ['', 'no basic auth provided'],
    ['Bearer YTpi', 'invalid authorization scheme prefix'],
    ['Basic *', 'invalid authorization format'],
    ['Basic YTpi=', 'invalid authorization format'],
    [`Basic ${Buffer.from('no colon').toString('base64')}`, 'invalid authorization format'],
  ] as const) {
    assert.equal((raw(header) as Refusal).message, message)
  }
  assert.ok(raw('bAsIc YW5uYTpwbGFpbg==') instanceof Map)
})

test('the file is read again, and who was let in by the old one is not any more', async () => {
  const files = { '/list': `# people\n${list}broken line\ncarl:$2y$05$abc\n` }
  const { host, extension, isIn } = create(
    { htpasswd: { file: '/list', inline: 'anna:own' } },
    files,
  )
  await extension.start?.()
  assert.deepEqual(
    host.lines.map(({ level, fields }) => [level, (fields as { line: number }).line]),
    [
      ['warn', 4],
      ['warn', 5],
    ],
  )
  assert.ok(await isIn('anna:own'), 'inline entries win')
  assert.ok(!(await isIn('anna:plain')))
  assert.ok(await isIn('bert:open sesame'))
  const underWay = isIn('bert:too late')
  files['/list'] = 'anna:plain\n'
  await host.clock.advance(5000)
  assert.ok(!(await isIn('bert:open sesame')))
  assert.ok(!(await underWay))
  await extension.stop?.(AbortSignal.abort())
  assert.equal(host.clock.timerCount, 0)
})

test('a password that was changed in the file is not good any more', async () => {
  const files = { '/list': list }
  const { host, extension, isIn } = create({ htpasswd: { file: '/list' } }, files)
  await extension.start?.()
  assert.ok(await isIn('bert:open sesame'))
  files['/list'] = 'bert:$apr1$other$AZUcyuqibtvkpthZdYYu10\n'
  await host.clock.advance(5000)
  assert.ok(!(await isIn('bert:open sesame')))
  assert.ok(await isIn('bert:new sesame'))
  await extension.stop?.(AbortSignal.abort())
})

test('what is found out by a list that has changed meanwhile is not remembered', async () => {
  let underWay: Promise<boolean> | undefined
  let content = list
  const files = {
    get '/list'() {
      // Asked between the reading of the new list and its use.
      if (content !== list) underWay ??= isIn('bert:open sesame')
      return content
    },
  }
  const { host, extension, isIn } = create({ htpasswd: { file: '/list' } }, files)
  await extension.start?.()
  content = 'bert:$apr1$other$AZUcyuqibtvkpthZdYYu10\n'
  await host.clock.advance(5000)
  assert.equal(await underWay, true)
  assert.ok(!(await isIn('bert:open sesame')))
  await extension.stop?.(AbortSignal.abort())
})

test('a client sends its name and password, those of files before others', async () => {
  const plain = create({ client_auth: { username: 'Aladdin', password: 'open sesame' } })
  // RFC 7617, section 2.
  assert.deepEqual(plain.sign(), { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' })
  assert.equal(plain.extension.client!.rejected?.(), false)
  const files = { '/name': 'Aladdin\n', '/password': 'x' }
  const settings = { username: 'u', username_file: '/name', password_file: '/password' }
  const { host, extension, sign } = create({ client_auth: settings }, files)
  await extension.start?.()
  files['/password'] = 'open sesame\n'
  assert.equal(extension.client!.rejected?.(), true)
  assert.deepEqual(sign(), { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' })
  await extension.stop?.(AbortSignal.abort())
  assert.equal(host.clock.timerCount, 0)
})

test('it has one side, whole', () => {
  const problems = (settings: object) =>
    basicAuth.check!(basicAuth.config.parse(settings), new Set()).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    )
  assert.match(problems({})[0], /^ must have htpasswd, for servers, or client_auth/)
  assert.match(problems({ htpasswd: {} })[0], /^htpasswd must have file or inline/)
  assert.match(problems({ client_auth: {} })[0], /^client_auth\.username is required/)
  assert.match(problems({ client_auth: { username: 'a:b' } })[0], /must not have a colon/)
  const both = { htpasswd: { inline: list }, client_auth: { username: 'a' } }
  assert.match(problems(both)[0], /^client_auth cannot be set together/)
  assert.deepEqual(problems({ htpasswd: { inline: 'a:b\n\nc' } }), [
    'htpasswd.inline line 3: must be user:password',
  ])
  const sides = (settings: object) => basicAuth.authenticates!(basicAuth.config.parse(settings))
  assert.deepEqual(sides({ htpasswd: {} }), { server: true, client: undefined })
  assert.deepEqual(sides({ client_auth: {} }), { server: false, client: 'all' })
})
