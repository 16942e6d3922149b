import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { Metadata, ServerCredentials } from '@grpc/grpc-js'
import { certificate, certificatePath } from '../../../../test/kit/certificates.ts'
import { type GrpcPeer, startGrpcPeer } from '../../../../test/kit/grpc-peer.ts'
import { encodeRequest } from '../../../../test/kit/oracle.ts'
import { countedSpans, spanNamesIn, spansBatch } from '../../../../test/kit/spans.ts'
import { type TestHost, testHost } from '../../../../test/kit/test-host.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { encodeExportResponse, encodeStatus } from '../../../otlp/responses.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import { nodeClock } from '../../../platform/node/node-platform.ts'
import { otlpGrpcExporter } from './otlp-grpc-exporter.ts'
import { otlpGrpcSettings } from './settings.ts'

let peer: GrpcPeer
const running: Exporter[] = []
const never = new AbortController().signal

before(async () => {
  peer = await startGrpcPeer()
})

afterEach(async () => {
  for (const exporter of running.splice(0)) await exporter.stop?.(never)
  peer.requests.length = 0
  peer.respond = () => new Uint8Array(0)
})

after(() => peer.close())

/** Without queue and retry, so that consume settles with the result of one attempt. */
function start(settings: object = {}): { exporter: Exporter; host: TestHost } {
  // The real clock: gRPC's deadlines are times of day, and the library has its own clock.
  const host = { ...testHost({ id: 'otlp' }), clock: nodeClock } as unknown as TestHost
  const config = otlpGrpcSettings.parse({
    endpoint: peer.address,
    tls: { insecure: true },
    retry_on_failure: { enabled: false },
    sending_queue: { enabled: false },
    ...settings,
  })
  const exporter = otlpGrpcExporter(config, host)
  void exporter.start?.()
  running.push(exporter)
  return { exporter, host }
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

function detailsOf(status: Uint8Array): Metadata {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from(status))
  return metadata
}

describe('otlp_grpc exporter: requests', () => {
  it('counts what was sent under where it went', async () => {
    const labels = (endpoint: string) => {
      const { host } = start({ endpoint })
      return host.meter.asked.find(({ name }) => name.endsWith('_sent_spans'))!.labels
    }
    const at = (server_address: string, server_port: string) => ({
      exporter: 'otlp',
      server_address,
      server_port,
    })
    assert.deepEqual(labels('localhost:4317'), at('localhost', '4317'))
    assert.deepEqual(labels('http://127.0.0.1:4317'), at('127.0.0.1', '4317'))
    assert.deepEqual(labels('dns://8.8.8.8/tempo.x:9'), at('tempo.x', '9'))
    assert.deepEqual(labels('[::1]:4317'), at('::1', '4317'))
    assert.deepEqual(labels('unix:/run/otlp.sock'), at('unix:/run/otlp.sock', ''))
  })

  it('calls Export of the signal with the encoded batch', async () => {
    const { exporter } = start()
    await exporter.consume(spansBatch(['a', 'b']))
    const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityText: 'INFO' }] }] }] }
    await exporter.consume(indexRequest('logs', encodeRequest('logs', logs)))
    const [traces, second] = peer.requests
    assert.equal(traces.path, '/opentelemetry.proto.collector.trace.v1.TraceService/Export')
    assert.deepEqual(spanNamesIn(traces.message), ['a', 'b'])
    assert.equal(second.path, '/opentelemetry.proto.collector.logs.v1.LogsService/Export')
    assert.match(String(traces.metadata.get('user-agent')[0]), /^Penstock\/0\.0\.0 /)
  })

  for (const compression of ['gzip', 'none']) {
    it(`sends messages with compression "${compression}", also over 4 MiB`, async () => {
      const large = await startGrpcPeer(undefined, { 'grpc.max_receive_message_length': -1 })
      const { exporter } = start({ endpoint: large.address, compression })
      await exporter.consume(spansBatch(['x'.repeat(5 * 1024 * 1024)]))
      assert.equal(large.requests[0].message.length > 5 * 1024 * 1024, true)
      large.close()
    })
  }

  it('sends every batch whole, though messages share memory one after the other', async () => {
    const { exporter } = start({ compression: 'none' })
    const batches = Array.from({ length: 12 }, (_, index) => countedSpans(9000, `${index}-`))
    for (const some of [batches.slice(0, 6), batches.slice(6)]) {
      await Promise.all(some.map(async (batch) => exporter.consume(batch)))
    }
    const arrived = peer.requests.map(({ message }) => message.toString('hex'))
    const expected = batches.map((batch) => Buffer.from(encodeBatch(batch)).toString('hex'))
    assert.deepEqual(new Set(arrived), new Set(expected))
  })

  it('sends headers as metadata, and keeps them out of print', async () => {
    const headers = {
      'X-Scope-OrgID': 'team-a',
      'token-bin': Buffer.from([1, 2]).toString('base64'),
    }
    const { exporter } = start({ headers })
    await exporter.consume(countedSpans(1))
    const { metadata } = peer.requests[0]
    assert.deepEqual(metadata.get('x-scope-orgid'), ['team-a'])
    assert.deepEqual(metadata.get('token-bin'), [Buffer.from([1, 2])])
    const config = otlpGrpcSettings.parse({ endpoint: peer.address, headers })
    assert.ok(!JSON.stringify(config).includes('team-a'))
  })

  it('tells the server the timeout as a deadline', async () => {
    const beforeMs = nodeClock.nowMs()
    await start({ timeout: '7s' }).exporter.consume(countedSpans(1))
    const deadlineMs = Number(peer.requests[0].deadline)
    assert.ok(deadlineMs > beforeMs + 5000 && deadlineMs < beforeMs + 9000)
    await start({ timeout: '0' }).exporter.consume(countedSpans(1))
    assert.equal(Number(peer.requests[1].deadline), Infinity)
  })

  it('takes http:// in the endpoint for plaintext', async () => {
    const { exporter } = start({ endpoint: `http://${peer.address}`, tls: {} })
    await exporter.consume(countedSpans(1))
    assert.equal(peer.requests.length, 1)
  })
})

describe('otlp_grpc exporter: answers', () => {
  const statuses: [code: number, refusal: string, retryable: boolean][] = [
    [1, 'cancelled', true],
    [2, 'internal', false],
    [3, 'invalid', false],
    [4, 'deadline_exceeded', true],
    [5, 'internal', false],
    [6, 'internal', false],
    [7, 'permission_denied', false],
    [8, 'too_large', false],
    [9, 'internal', false],
    [10, 'aborted', true],
    [11, 'unavailable', true],
    [12, 'unimplemented', false],
    [13, 'internal', false],
    [14, 'unavailable', true],
    [15, 'unavailable', true],
    [16, 'unauthenticated', false],
  ]
  for (const [code, expected, retryable] of statuses) {
    it(`makes code ${code} ${retryable ? 'a retryable' : 'a permanent'} ${expected}`, async () => {
      peer.respond = () => ({ code, details: 'so it is' })
      const refusal = await refusalOf(start().exporter)
      assert.deepEqual([refusal.code, refusal.retryable], [expected, retryable])
      assert.match(refusal.message, /so it is/)
    })
  }

  it('retries RESOURCE_EXHAUSTED only with RetryInfo, and waits as it says', async () => {
    const status = { code: 8, message: 'slow down', retryDelayMs: 1500 }
    peer.respond = () => ({ code: 8, metadata: detailsOf(encodeStatus('proto', status)) })
    const { exporter } = start()
    const refusal = await refusalOf(exporter)
    assert.deepEqual([refusal.code, refusal.retryAfterMs], ['exhausted', 1500])
    const unavailable = { code: 14, message: 'overload', retryDelayMs: 250 }
    peer.respond = () => ({ code: 14, metadata: detailsOf(encodeStatus('proto', unavailable)) })
    assert.equal((await refusalOf(exporter)).retryAfterMs, 250)
    peer.respond = () => ({ code: 14, metadata: detailsOf(new Uint8Array([0xff, 0xff])) })
    assert.equal((await refusalOf(exporter)).retryAfterMs, undefined)
  })

  it('logs and counts what was rejected', async () => {
    const partial = { rejectedItemCount: 2, message: 'too old' }
    peer.respond = () => encodeExportResponse('traces', 'proto', partial)
    const { exporter, host } = start()
    await exporter.consume(countedSpans(5))
    assert.deepEqual(host.drops, [{ signal: 'traces', itemCount: 2, cause: 'rejected_by_peer' }])
    assert.deepEqual(host.lines[0].fields, { message: 'too old', dropped_items: 2 })
  })

  it("takes the Collector's empty partial success for success", async () => {
    peer.respond = () => new Uint8Array([0x0a, 0x00])
    const { exporter, host } = start()
    await exporter.consume(countedSpans(5))
    assert.deepEqual(host.lines, [])
  })

  it('cuts a batch over the limit of the server until it passes', async () => {
    const small = await startGrpcPeer(undefined, { 'grpc.max_receive_message_length': 20_000 })
    const { exporter, host } = start({ endpoint: small.address })
    await exporter.consume(countedSpans(6000))
    const names = small.requests.flatMap((request) => spanNamesIn(request.message))
    assert.equal(new Set(names).size, 6000)
    assert.equal(names.length, 6000)
    assert.deepEqual(host.drops, [])
    small.close()
  })
})

describe('otlp_grpc exporter: connections', () => {
  it('makes a refused connection retryable', async () => {
    const gone = await startGrpcPeer()
    gone.close()
    const refusal = await refusalOf(start({ endpoint: gone.address }).exporter)
    assert.equal(refusal.code, 'unavailable')
    assert.match(
      refusal.message,
      /^request to \S+ failed: 14 UNAVAILABLE: connect ECONNREFUSED [\d.:]+$/,
    )
  })

  it('gives up on an answer after the timeout', async () => {
    peer.respond = () => 'never'
    const refusal = await refusalOf(start({ timeout: '50ms' }).exporter)
    assert.equal(refusal.code, 'deadline_exceeded')
  })

  it('waits for a connection until the timeout with wait_for_ready', async () => {
    const gone = await startGrpcPeer()
    gone.close()
    const settings = { endpoint: gone.address, wait_for_ready: true, timeout: '100ms' }
    assert.equal((await refusalOf(start(settings).exporter)).code, 'deadline_exceeded')
  })

  it('speaks TLS by default, to a server that its ca_file vouches for', async () => {
    const secure = await startGrpcPeer(
      ServerCredentials.createSsl(null, [
        {
          cert_chain: Buffer.from(certificate('server')),
          private_key: Buffer.from(certificate('server-key')),
        },
      ]),
    )
    const endpoint = secure.address.replace('127.0.0.1', 'localhost')
    const tls = { ca_file: certificatePath('authority') }
    await start({ endpoint, tls }).exporter.consume(countedSpans(1))
    await start({ endpoint: `https://${endpoint}`, tls }).exporter.consume(countedSpans(1))
    await start({ endpoint, tls: { insecure_skip_verify: true } }).exporter.consume(countedSpans(1))
    assert.equal(secure.requests.length, 3)
    const stranger = await refusalOf(start({ endpoint, tls: {} }).exporter)
    assert.equal(stranger.code, 'unavailable')
    assert.match(stranger.message, /set tls\.ca_file/)
    const other = { ...tls, server_name_override: 'other.example' }
    assert.match(
      (await refusalOf(start({ endpoint, tls: other }).exporter)).message,
      /tls\.server_name_override/,
    )
    secure.close()
  })

  it('says what to set when the server speaks plaintext', async () => {
    const refusal = await refusalOf(start({ tls: {} }).exporter)
    assert.equal(refusal.code, 'unavailable')
    assert.match(refusal.message, /wrong version number \(.*tls\.insecure: true\)$/)
    assert.doesNotMatch(refusal.message, /\.c:/)
    // A scheme has the last word: there tls.insecure has no effect.
    const endpoint = `https://${peer.address}`
    const { message } = await refusalOf(start({ endpoint, tls: { insecure: true } }).exporter)
    assert.match(message, /write http:\/\/ in place of https:\/\//)
    assert.doesNotMatch(message, /tls\.insecure/)
  })
})

describe('otlp_grpc settings', () => {
  const broken: [settings: object, path: string][] = [
    [{ endpoint: undefined }, 'endpoint'],
    [{ endpoint: 'tempo' }, 'endpoint'],
    [{ compression: 'zstd' }, 'compression'],
    [{ compression: 'snappy' }, 'compression'],
    [{ balancer_name: 'least_request' }, 'balancer_name'],
    [{ auth: {} }, 'auth.authenticator'],
    [{ keepalive: { interval: '5s' } }, 'keepalive'],
  ]
  for (const [settings, path] of broken) {
    it(`refuse ${JSON.stringify(settings)}`, () => {
      const given = { endpoint: 'localhost:4317', ...settings }
      const issues = otlpGrpcSettings.safeParse(given).error?.issues ?? []
      assert.deepEqual(
        issues.map((issue) => issue.path.join('.')),
        [path],
      )
    })
  }

  it('have keepalive off, and on with its defaults when named', () => {
    const parse = (settings: object) =>
      otlpGrpcSettings.parse({ endpoint: 'localhost:4317', ...settings })
    assert.equal(parse({}).keepalive, undefined)
    const { time, timeout, permit_without_stream } = parse({ keepalive: null }).keepalive!
    assert.deepEqual([time, timeout, permit_without_stream], [10_000, 10_000, false])
    assert.deepEqual([parse({}).timeout, parse({}).compression], [5000, 'gzip'])
  })
})

it('an exporter whose start failed stops in good order', async () => {
  const config = otlpGrpcSettings.parse({
    endpoint: 'localhost:1',
    tls: { ca_file: '/nowhere.pem' },
  })
  const exporter = otlpGrpcExporter(config, testHost())
  await assert.rejects(async () => exporter.start?.(), /tls\.ca_file \/nowhere\.pem cannot be read/)
  await exporter.stop?.(never)
})
