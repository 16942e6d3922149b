import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type PeerAnswer, type PeerRequest, startHttpPeer } from '../../../../test/kit/http-peer.ts'
import { readOnlyDisk } from '../../../../test/kit/memory-disk.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { until } from '../../../../test/kit/until.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { oauth2Client } from './index.ts'
import { Oauth2Client } from './oauth2-client.ts'

const token = (access_token: string, more: object = {}): PeerAnswer => ({
  headers: { 'content-type': 'application/json;charset=UTF-8' },
  body: JSON.stringify({ access_token, token_type: 'bearer', expires_in: 3600, ...more }),
})

const failure = (status: number, error: string): PeerAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ error, error_description: 'in words' }),
})

async function create(
  context: TestContext,
  settings: object = {},
  files: Record<string, string> = {},
) {
  const peer = await startHttpPeer()
  const host = testHost({ disk: readOnlyDisk(files) })
  const config = oauth2Client.config.parse({
    client_id: 'a gateway',
    client_secret: 's&cret',
    token_url: `${peer.url}/token`,
    ...settings,
  })
  const extension = oauth2Client.create(config, host)
  assert.ok(extension instanceof Oauth2Client)
  await extension.start()
  context.after(async () => {
    await extension.stop()
    await peer.close()
  })
  peer.respond = () => token(`token-${peer.requests.length}`)
  /** Undefined when it had to wait. */
  const signNow = () => {
    const headers: Record<string, string> = {}
    const signing = extension.client.sign(headers, undefined)
    return signing === undefined ? headers['authorization'] : undefined
  }
  const sign = async () => {
    const headers: Record<string, string> = {}
    await extension.client.sign(headers, undefined)
    return headers['authorization']
  }
  return { peer, host, extension, sign, signNow }
}

const form = ({ body }: PeerRequest) => new URLSearchParams(body.toString())

test('a token is asked for as RFC 6749 has it, once for all who wait, and then at hand', async (context) => {
  const { peer, sign, signNow } = await create(context, {
    scopes: ['a', 'b'],
    endpoint_params: { audience: 'x', resource: ['y', 'z'] },
  })
  assert.deepEqual(await Promise.all([sign(), sign()]), ['Bearer token-1', 'Bearer token-1'])
  assert.equal(signNow(), 'Bearer token-1')
  const [request] = peer.requests
  assert.equal(peer.requests.length, 1)
  assert.equal(request.path, '/token')
  // Section 2.3.1: both parts in the encoding of forms before they are joined.
  const credentials = Buffer.from(request.headers.authorization!.slice(6), 'base64').toString()
  assert.equal(credentials, 'a+gateway:s%26cret')
  assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(
    request.body.toString(),
    'grant_type=client_credentials&scope=a+b&audience=x&resource=y&resource=z',
  )
})

test('a server that takes no header gets parameters, from then on at once', async (context) => {
  const { peer, host, sign } = await create(context)
  peer.respond = ({ headers }) =>
    headers.authorization === undefined ? token('t') : failure(401, 'invalid_client')
  assert.equal(await sign(), 'Bearer t')
  assert.equal(form(peer.requests[1]).get('client_id'), 'a gateway')
  assert.equal(form(peer.requests[1]).get('client_secret'), 's&cret')
  await host.clock.advance(3_600_000)
  await sign()
  assert.equal(peer.requests.length, 3)
})

test('a token is renewed before its end while the old one still serves', async (context) => {
  const { peer, host, sign, signNow } = await create(context)
  await sign()
  await host.clock.advance(55 * 60_000 - 1)
  assert.equal(signNow(), 'Bearer token-1')
  assert.equal(peer.requests.length, 1)
  await host.clock.advance(1)
  assert.equal(signNow(), 'Bearer token-1')
  await until(() => signNow() === 'Bearer token-2')
  assert.equal(peer.requests.length, 2)
})

test('a token that lives shorter than the buffer is renewed after half its life', async (context) => {
  const { peer, host, sign, signNow } = await create(context)
  peer.respond = () => token(`short-${peer.requests.length}`, { expires_in: '60' })
  await sign()
  await host.clock.advance(29_999)
  assert.equal(signNow(), 'Bearer short-1')
  assert.equal(peer.requests.length, 1)
  await host.clock.advance(25_000)
  assert.equal(signNow(), undefined, 'close to its end it is not sent any more')
  assert.equal(await sign(), 'Bearer short-2')
})

test('one without an end is kept', async (context) => {
  const { peer, host, sign, signNow } = await create(context)
  peer.respond = () => token('for-ever', { expires_in: undefined })
  await sign()
  await host.clock.advance(365 * 86_400_000)
  assert.equal(signNow(), 'Bearer for-ever')
  assert.equal(peer.requests.length, 1)
})

test('whatever the token server says, the data may be sent again; it is left alone for a second', async (context) => {
  const { peer, host, sign } = await create(context)
  peer.respond = () => failure(400, 'invalid_scope')
  for (let count = 0; count < 3; count++) {
    await assert.rejects(sign(), (error) => {
      assert.ok(error instanceof Refusal && error.retryable)
      assert.match(error.message, /^no token from http.*: HTTP 400: invalid_scope: in words$/)
      assert.doesNotMatch(error.message, /s&cret/)
      return true
    })
  }
  assert.equal(peer.requests.length, 2, 'one by header, one by parameters')
  peer.respond = () => token('at-last')
  await host.clock.advance(1000)
  assert.equal(await sign(), 'Bearer at-last')
})

test('answers without a token that can be sent are failures', async (context) => {
  const { peer, host, sign } = await create(context)
  for (const [answer, message] of [
    [{ body: '<html>' }, /the answer has no access_token/],
    [token('', {}), /the answer has no access_token/],
    [token('a\nb'), /cannot be sent in a header/],
    [{ status: 503 }, /HTTP 503/],
  ] as const) {
    peer.respond = () => answer
    await assert.rejects(sign(), message)
    await host.clock.advance(1000)
  }
  peer.respond = () => 'cut'
  await assert.rejects(sign(), { code: 'unavailable' })
})

test('an answer in the form of forms is read too', async (context) => {
  const { peer, sign } = await create(context)
  const headers = { 'content-type': 'text/plain' }
  peer.respond = () => ({ headers, body: 'access_token=f&token_type=Custom&expires_in=60' })
  assert.equal(await sign(), 'Custom f')
})

test('a token server that does not answer is given up in time', async (context) => {
  const { peer, host, sign } = await create(context, { timeout: '2s' })
  peer.respond = () => 'never'
  const signing = sign()
  await until(() => peer.requests.length === 1)
  await Promise.all([assert.rejects(signing, /no answer within 2000 ms/), host.clock.advance(2000)])
  assert.equal(host.clock.timerCount, 0)
})

test('what waits for a token ends with the gateway', async (context) => {
  const { peer, extension, sign } = await create(context)
  peer.respond = () => 'never'
  const signing = sign()
  await until(() => peer.requests.length === 1)
  await Promise.all([assert.rejects(signing, /the gateway is stopping/), extension.stop()])
})

test('a token that a peer does not take is given up, unless it is new', async (context) => {
  const { host, extension, sign } = await create(context)
  assert.equal(extension.client.rejected?.(), false)
  await sign()
  assert.equal(extension.client.rejected?.(), false)
  await host.clock.advance(10_000)
  assert.equal(extension.client.rejected?.(), true)
  assert.equal(await sign(), 'Bearer token-2')
})

test('the identity is read from files for each token', async (context) => {
  const files = { '/id': 'file-id\n', '/secret': 'one\n' }
  const settings = { client_id_file: '/id', client_secret_file: '/secret' }
  const { peer, host, sign } = await create(context, settings, files)
  const identity = () => {
    const { authorization = '' } = peer.requests.at(-1)!.headers
    return Buffer.from(authorization.slice(6), 'base64').toString()
  }
  await sign()
  assert.equal(identity(), 'file-id:one')
  files['/secret'] = 'two'
  await host.clock.advance(3_600_000)
  await sign()
  assert.equal(identity(), 'file-id:two')
})

test('what is missing or belongs to other grants is said', () => {
  const base = { token_url: 'https://login/token', client_id: 'a', client_secret: 'b' }
  const problems = (settings: object) =>
    oauth2Client.check!(oauth2Client.config.parse({ ...base, ...settings }), new Set()).map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    )
  assert.deepEqual(problems({}), [])
  assert.deepEqual(problems({ client_id: '', client_secret: '' }), [
    'client_id is required, or client_id_file',
    'client_secret is required, or client_secret_file',
  ])
  assert.match(problems({ endpoint_params: { scope: 'a' } })[0], /^endpoint_params\.scope cannot/)
  const { error } = oauth2Client.config.safeParse({
    ...base,
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    audience: 'x',
  })
  assert.deepEqual(
    error?.issues.map(({ path }) => path[0]),
    ['grant_type', 'audience'],
  )
})
