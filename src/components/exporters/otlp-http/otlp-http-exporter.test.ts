import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { certificate, certificatePath } from '../../../../test/kit/certificates.ts'
import { type HttpPeer, startHttpPeer } from '../../../../test/kit/http-peer.ts'
import { countedSpans, spanNamesIn, spansBatch } from '../../../../test/kit/spans.ts'
import { type TestHost, testHost } from '../../../../test/kit/test-host.ts'
import { until } from '../../../../test/kit/until.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { encodeExportResponse, encodeStatus } from '../../../otlp/responses.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Signal } from '../../../otlp/signal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import { otlpHttpExporter } from './otlp-http-exporter.ts'
import { checkOtlpHttp, otlpHttpSettings } from './settings.ts'

let peer: HttpPeer
const running: Exporter[] = []
const never = new AbortController().signal

before(async () => {
  peer = await startHttpPeer()
})

afterEach(async () => {
  for (const exporter of running.splice(0)) await exporter.stop?.(never)
  peer.requests.length = 0
  peer.respond = () => ({})
})

after(() => peer.close())

/** Without queue and retry, so that consume settles with the result of one attempt. */
function start(settings: object = {}): { exporter: Exporter; host: TestHost } {
  const host = testHost({ id: 'otlp_http', signals: ['traces'] })
  const config = otlpHttpSettings.parse({
    endpoint: peer.url,
    retry_on_failure: { enabled: false },
    sending_queue: { enabled: false },
    ...settings,
  })
  assert.deepEqual(checkOtlpHttp(config, host.signals), [])
  const exporter = otlpHttpExporter(config, host)
  running.push(exporter)
  return { exporter, host }
}

/** As counted under where they went. */
function sentSpans(host: TestHost): number | undefined {
  const { hostname, port } = new URL(peer.url)
  const destination = { server_address: hostname, server_port: port, url_path: '/v1/traces' }
  return host.meter.value('otelcol_exporter_sent_spans', { exporter: 'otlp_http', ...destination })
}

async function refusalOf(exporter: Exporter, batch: Batch = countedSpans(1)): Promise<Refusal> {
  try {
    await exporter.consume(batch)
  } catch (error) {
    assert.ok(error instanceof Refusal)
    return error
  }
  return assert.fail('nothing was refused')
}

describe('otlp_http exporter: requests', () => {
  it('posts protobuf, gzip unless told otherwise, to the path of the signal', async () => {
    const { exporter } = start()
    await exporter.consume(spansBatch(['a', 'b']))
    const [request] = peer.requests
    assert.equal(request.path, '/v1/traces')
    assert.equal(request.headers['content-type'], 'application/x-protobuf')
    assert.equal(request.headers['content-encoding'], 'gzip')
    assert.equal(request.headers['user-agent'], 'Penstock/0.0.0')
    assert.deepEqual(spanNamesIn(gunzipSync(request.body)), ['a', 'b'])
  })

  const encodings: [compression: string, decode: (body: Buffer) => Uint8Array][] = [
    ['none', (body) => body],
    ['', (body) => body],
    ['gzip', (body) => gunzipSync(body)],
    ['zstd', (body) => zstdDecompressSync(body)],
    ['deflate', (body) => inflateSync(body)],
    ['zlib', (body) => inflateSync(body)],
  ]
  for (const [compression, decode] of encodings) {
    it(`sends bodies with compression "${compression}"`, async () => {
      const { exporter } = start({ compression })
      await exporter.consume(countedSpans(300))
      const [{ headers, body }] = peer.requests
      const encoding = ['none', ''].includes(compression) ? undefined : compression
      assert.equal(headers['content-encoding'], encoding)
      assert.equal(spanNamesIn(decode(body)).length, 300)
    })
  }

  it('sends every batch whole, though bodies share memory one after the other', async () => {
    for (const compression of ['none', 'gzip']) {
      const { exporter } = start({ compression })
      const batches = Array.from({ length: 12 }, (_, index) => countedSpans(9000, `${index}-`))
      const half = batches.length / 2
      await Promise.all(batches.slice(0, half).map(async (batch) => exporter.consume(batch)))
      await Promise.all(batches.slice(half).map(async (batch) => exporter.consume(batch)))
      const bodies = peer.requests
        .splice(0)
        .map(({ body }) => (compression === 'gzip' ? gunzipSync(body) : body))
      const expected = new Set(
        batches.map((batch) => Buffer.from(encodeBatch(batch)).toString('hex')),
      )
      assert.deepEqual(new Set(bodies.map((body) => body.toString('hex'))), expected)
    }
  })

  it('writes smaller bodies at a higher level', async () => {
    for (const level of [1, 9]) {
      const { exporter } = start({ compression_params: { level } })
      await exporter.consume(countedSpans(2000))
    }
    const [fast, small] = peer.requests
    assert.ok(small.body.length < fast.body.length)
  })

  it('sends JSON when told to', async () => {
    const { exporter } = start({ encoding: 'json', compression: 'none' })
    await exporter.consume(spansBatch(['a']))
    const [{ headers, body }] = peer.requests
    assert.equal(headers['content-type'], 'application/json')
    const request = JSON.parse(body.toString())
    assert.equal(request.resourceSpans[0].scopeSpans[0].spans[0].name, 'a')
  })

  it('appends to a base URL and uses a signal URL as it is', async () => {
    await start({ endpoint: `${peer.url}/otlp/` }).exporter.consume(countedSpans(1))
    await start({ traces_endpoint: `${peer.url}/in?x=1` }).exporter.consume(countedSpans(1))
    assert.deepEqual(
      peer.requests.map((request) => request.path),
      ['/otlp/v1/traces', '/in?x=1'],
    )
  })

  it("sends the user's headers, which win over ours, and keeps them out of print", async () => {
    const headers = { 'X-Scope-OrgID': 'team-a', 'user-agent': 'mine', Host: 'tempo.example' }
    const { exporter } = start({ headers })
    await exporter.consume(countedSpans(1))
    const [sent] = peer.requests
    assert.equal(sent.headers['x-scope-orgid'], 'team-a')
    assert.equal(sent.headers['user-agent'], 'mine')
    assert.equal(sent.headers.host, 'tempo.example')
    const config = otlpHttpSettings.parse({ endpoint: peer.url, headers })
    assert.ok(!JSON.stringify(config).includes('team-a'))
  })

  it('keeps the connection for the next request, unless told otherwise', async () => {
    const { exporter } = start()
    await exporter.consume(countedSpans(1))
    await exporter.consume(countedSpans(1))
    assert.equal(peer.requests[1].headers.connection, 'keep-alive')
    await start({ disable_keep_alives: true }).exporter.consume(countedSpans(1))
    assert.equal(peer.requests[2].headers.connection, 'close')
  })

  it('follows a redirect that keeps the method, within the origin', async () => {
    peer.respond = ({ path }) =>
      path === '/v1/traces' ? { status: 308, headers: { location: '/new' } } : {}
    await start().exporter.consume(countedSpans(1))
    assert.equal(peer.requests[1].path, '/new')
    assert.ok(peer.requests[1].body.length > 0)
  })

  it('follows five redirects and no more, and none to another origin', async () => {
    peer.respond = () => ({ status: 307, headers: { location: '/again' } })
    assert.equal((await refusalOf(start().exporter)).retryable, false)
    assert.equal(peer.requests.length, 6)
    const other = await startHttpPeer()
    peer.respond = () => ({ status: 307, headers: { location: `${other.url}/v1/traces` } })
    assert.match((await refusalOf(start().exporter)).message, /redirects to/)
    assert.equal(other.requests.length, 0)
    await other.close()
  })

  it('does not take another redirect for success', async () => {
    peer.respond = () => ({ status: 302, headers: { location: 'https://login.example/' } })
    const refusal = await refusalOf(start().exporter)
    assert.equal(refusal.retryable, false)
    assert.match(refusal.message, /redirects to https:\/\/login.example/)
  })
})

describe('otlp_http exporter: answers', () => {
  it('counts what was sent under where it went', () => {
    const labels = (endpoint: string) => {
      const { host } = start({ endpoint })
      const { labels } = host.meter.asked.find(({ name }) => name.endsWith('_sent_spans'))!
      return Object.values(labels).slice(1)
    }
    assert.deepEqual(labels('https://loki/otlp/'), ['loki', '443', '/otlp/v1/traces'])
    assert.deepEqual(labels('http://[::1]:4318'), ['::1', '4318', '/v1/traces'])
    assert.deepEqual(labels('http://loki'), ['loki', '80', '/v1/traces'])
  })

  it('takes every 2xx for success, whatever the body', async () => {
    const { exporter, host } = start()
    const bodies = [new Uint8Array(0), new Uint8Array([0x0a, 0x00]), '<html>']
    for (const body of bodies) {
      peer.respond = () => ({ headers: { 'content-type': 'application/x-protobuf' }, body })
      await exporter.consume(countedSpans(1))
    }
    peer.respond = () => ({ status: 204 })
    await exporter.consume(countedSpans(1))
    assert.equal(sentSpans(host), 4)
    assert.deepEqual(host.lines, [])
  })

  for (const form of ['proto', 'json'] as const) {
    it(`logs and counts what was rejected, told as ${form}`, async () => {
      const type = form === 'json' ? 'application/json' : 'application/x-protobuf'
      peer.respond = () => ({
        headers: { 'content-type': `${type}; charset=utf-8` },
        body: encodeExportResponse('traces', form, { rejectedItemCount: 2, message: 'too old' }),
      })
      const { exporter, host } = start()
      await exporter.consume(countedSpans(5))
      assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 2, cause: 'rejected_by_peer' }])
      assert.deepEqual(host.lines[0].fields, { message: 'too old', dropped_items: 2 })
    })
  }

  const statuses: [status: number, code: string, retryable: boolean][] = [
    [400, 'invalid', false],
    [401, 'unauthenticated', false],
    [403, 'permission_denied', false],
    [404, 'unimplemented', false],
    [405, 'internal', false],
    [408, 'internal', false],
    [413, 'too_large', false],
    [415, 'internal', false],
    [429, 'exhausted', true],
    [500, 'internal', false],
    [501, 'internal', false],
    [502, 'unavailable', true],
    [503, 'unavailable', true],
    [504, 'unavailable', true],
    [505, 'internal', false],
  ]
  for (const [status, code, retryable] of statuses) {
    it(`makes ${status} ${retryable ? 'a retryable' : 'a permanent'} ${code}`, async () => {
      peer.respond = () => ({ status })
      const refusal = await refusalOf(start().exporter)
      assert.deepEqual([refusal.code, refusal.retryable], [code, retryable])
      const url = `${peer.url}/v1/traces`
      const message = `request to ${url} responded with HTTP Status Code ${status}`
      assert.ok(refusal.message.includes(message), refusal.message)
    })
  }

  it('never says name, password or query of its URL', async () => {
    peer.respond = () => ({ status: 500 })
    const endpoint = peer.url.replace('//', '//someone:hidden1@')
    const { exporter } = start({ endpoint, traces_endpoint: `${endpoint}/in?key=hidden2` })
    const { message } = await refusalOf(exporter)
    assert.ok(message.includes(`request to ${peer.url}/in responded`), message)
    assert.doesNotMatch(message, /someone|hidden/)
  })

  it('waits as Retry-After says, in seconds or until a date', async () => {
    const { exporter, host } = start()
    peer.respond = () => ({ status: 503, headers: { 'retry-after': '7' } })
    assert.equal((await refusalOf(exporter)).retryAfterMs, 7000)
    const date = new Date(host.clock.nowMs() + 90_000).toUTCString()
    peer.respond = () => ({ status: 429, headers: { 'retry-after': date } })
    assert.equal((await refusalOf(exporter)).retryAfterMs, 90_000)
    peer.respond = () => ({ status: 503, headers: { 'retry-after': 'soon' } })
    assert.equal((await refusalOf(exporter)).retryAfterMs, undefined)
  })

  it("passes on the server's words: a Status in either form, or the text of a page", async () => {
    const { exporter } = start()
    const status = { code: 3, message: 'no such tenant' }
    for (const form of ['proto', 'json'] as const) {
      const type = form === 'json' ? 'application/json' : 'application/x-protobuf'
      const headers = { 'content-type': type }
      peer.respond = () => ({ status: 400, headers, body: encodeStatus(form, status) })
      assert.match((await refusalOf(exporter)).message, /400, Message=no such tenant$/)
    }
    const headers = { 'content-type': 'text/html' }
    const body = `<html><h1>Bad  Gateway</h1>${'x'.repeat(5000)}</html>`
    peer.respond = () => ({ status: 502, headers, body })
    const { message } = await refusalOf(exporter)
    assert.match(message, /502, Message=Bad Gateway x+$/)
    assert.ok(message.length < 400)
  })

  it('reads 64 KiB of an endless answer and no more', async () => {
    peer.respond = () => ({ status: 400, body: 'x'.repeat(10_000_000) })
    const refusal = await refusalOf(start().exporter)
    assert.equal(refusal.code, 'invalid')
  })
})

describe('otlp_http exporter: connections', () => {
  it('makes a refused connection retryable and names it', async () => {
    const gone = await startHttpPeer()
    await gone.close()
    const refusal = await refusalOf(start({ endpoint: gone.url }).exporter)
    assert.equal(refusal.code, 'unavailable')
    assert.match(refusal.message, new RegExp(`no answer from ${gone.url}: .*ECONNREFUSED`))
  })

  it('makes a name that does not resolve retryable', async () => {
    const refusal = await refusalOf(start({ endpoint: 'http://nowhere.invalid:4318' }).exporter)
    assert.equal(refusal.code, 'unavailable')
  })

  it('makes a connection that is cut before the answer retryable', async () => {
    peer.respond = () => 'cut'
    assert.equal((await refusalOf(start().exporter)).code, 'unavailable')
  })

  it('gives up on an answer after the timeout', async () => {
    peer.respond = () => 'never'
    const { exporter, host } = start({ timeout: '3s' })
    const refused = refusalOf(exporter)
    await until(() => peer.requests.length > 0)
    await host.clock.advance(3000)
    assert.equal((await refused).code, 'deadline_exceeded')
  })

  it('retries what was refused for now, and delivers it', async () => {
    const statuses = [503, 429]
    peer.respond = () => ({ status: statuses.shift() ?? 200 })
    const { exporter, host } = start({ retry_on_failure: {}, sending_queue: {} })
    assert.equal(exporter.consume(countedSpans(2)), undefined)
    for (const count of [1, 2]) {
      await until(() => host.lines.length >= count)
      await host.clock.advance(15_000)
    }
    await exporter.stop!(never)
    assert.equal(sentSpans(host), 2)
  })

  it('speaks TLS to an https endpoint that its ca_file vouches for', async () => {
    const secure = await startHttpPeer({
      cert: certificate('server'),
      key: certificate('server-key'),
    })
    const endpoint = secure.url.replace('127.0.0.1', 'localhost')
    const { exporter } = start({ endpoint, tls: { ca_file: certificatePath('authority') } })
    await exporter.consume(countedSpans(1))
    assert.equal(secure.requests.length, 1)
    const stranger = await refusalOf(start({ endpoint }).exporter)
    assert.match(stranger.message, /tls\.ca_file/)
    const skip = start({ endpoint, tls: { insecure_skip_verify: true } })
    await skip.exporter.consume(countedSpans(1))
    assert.equal(secure.requests.length, 2)
    await secure.close()
  })

  it('says what to set when one side speaks TLS and the other does not', async () => {
    const endpoint = peer.url.replace('http:', 'https:')
    const refusal = await refusalOf(start({ endpoint, tls: { insecure: true } }).exporter)
    assert.equal(refusal.code, 'unavailable')
    assert.equal(
      refusal.message,
      `no answer from ${endpoint}: ERR_SSL_WRONG_VERSION_NUMBER wrong version number (${endpoint} ` +
        'does not speak TLS: write http:// in place of https:// if plaintext is meant)',
    )
    const secure = await startHttpPeer({
      cert: certificate('server'),
      key: certificate('server-key'),
    })
    const plain = await refusalOf(
      start({ endpoint: secure.url.replace('https:', 'http:') }).exporter,
    )
    assert.equal(plain.code, 'unavailable')
    await secure.close()
  })
})

describe('otlp_http settings', () => {
  const problems = (settings: object, signals: readonly Signal[] = []) =>
    checkOtlpHttp(otlpHttpSettings.parse(settings), new Set(signals)).map((problem) =>
      problem.path.join('.'),
    )

  it('want an endpoint', () => {
    assert.deepEqual(problems({}), ['endpoint'])
    assert.deepEqual(problems({ logs_endpoint: 'http://x/y' }), [])
  })

  it('warn of a base URL that is a whole one', () => {
    const settings = otlpHttpSettings.parse({ endpoint: 'http://x:1/v1/logs' })
    const [problem] = checkOtlpHttp(settings, new Set())
    assert.equal(problem.severity, 'warning')
    assert.match(problem.message, /set logs_endpoint/)
  })

  it('know the levels of each compression', () => {
    const level = (compression: string, level: number) =>
      problems({ endpoint: 'http://x', compression, compression_params: { level } })
    assert.deepEqual(level('gzip', 10), ['compression_params.level'])
    assert.deepEqual(level('gzip', 9), [])
    assert.deepEqual(level('zstd', 22), [])
    assert.deepEqual(level('gzip', -1), [])
  })

  const broken: [settings: object, path: string][] = [
    [{ endpoint: 'localhost:4318' }, 'endpoint'],
    [{ endpoint: 'ftp://x' }, 'endpoint'],
    [{ endpoint: 'http://user:100%@x' }, 'endpoint'],
    [{ compression: 'lz4' }, 'compression'],
    [{ encoding: 'thrift' }, 'encoding'],
    [{ auth: {} }, 'auth.authenticator'],
    [{ timeout: 5 }, 'timeout'],
    [{ profiles_endpoint: 'http://x' }, 'profiles_endpoint'],
    [{ retries: 3 }, ''],
  ]
  for (const [settings, path] of broken) {
    it(`refuse ${JSON.stringify(settings)}`, () => {
      const given = { endpoint: 'http://localhost:4318', ...settings }
      const issues = otlpHttpSettings.safeParse(given).error?.issues ?? []
      assert.deepEqual(
        issues.map((issue) => issue.path.join('.')),
        [path],
      )
    })
  }

  it('want an endpoint for every signal that comes', () => {
    const settings = { logs_endpoint: 'http://localhost:4318/x' }
    assert.deepEqual(problems(settings, ['logs']), [])
    assert.deepEqual(problems(settings, ['logs', 'traces']), ['endpoint'])
    assert.deepEqual(problems({ ...settings, endpoint: 'http://x' }, ['traces']), [])
  })
})

it('an exporter whose start failed stops in good order', async () => {
  const config = otlpHttpSettings.parse({
    endpoint: 'https://localhost:1',
    tls: { ca_file: '/nowhere.pem' },
  })
  const exporter = otlpHttpExporter(config, testHost())
  await assert.rejects(async () => exporter.start?.(), /tls\.ca_file \/nowhere\.pem cannot be read/)
  await exporter.stop?.(never)
})
