/** Authenticators in a whole gateway, between senders and peers that know nothing of it. */
import assert from 'node:assert/strict'
import { request as tlsRequest } from 'node:https'
import { test } from 'node:test'
import { Metadata } from '@grpc/grpc-js'
import { signals } from '../../src/otlp/signal.ts'
import { certificate } from '../kit/certificates.ts'
import { startGrpcPeer } from '../kit/grpc-peer.ts'
import { ForeignClient } from '../kit/grpc-peers.ts'
import { startHttpPeer } from '../kit/http-peer.ts'
import { cumulative, metricsRequest } from '../kit/metrics-request.ts'
import { startRemoteWritePeer } from '../kit/remote-write-peer.ts'
import { runService } from '../kit/service-in-process.ts'
import { until } from '../kit/until.ts'

const body = metricsRequest([
  { name: 'jobs', gauge: { dataPoints: [{ timeUnixNano: 1_000_000n, asDouble: 3 }] } },
  {
    name: 'done',
    sum: {
      ...cumulative,
      isMonotonic: true,
      dataPoints: [{ timeUnixNano: 1_000_000n, asInt: 1n }],
    },
  },
])

const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`

const exportPath = `/${signals.metrics.grpcService}/Export`

test('metrics come in with a password, by HTTP and by gRPC, and go out with another and a tenant', async (context) => {
  const peer = await startRemoteWritePeer()
  peer.respond = ({ headers }) =>
    headers.authorization === basic('gateway:out') && headers['x-scope-orgid'] === 'team-a'
      ? undefined
      : { status: 401 }
  const { port } = await runService(
    context,
    `
extensions:
  basicauth/in:
    htpasswd: {file: /etc/htpasswd}
  basicauth/out:
    client_auth: {username: gateway, password_file: /etc/password}
receivers:
  otlp/http:
    protocols:
      http: {endpoint: "127.0.0.1:0", auth: {authenticator: basicauth/in}}
  otlp/grpc:
    protocols:
      grpc: {endpoint: "127.0.0.1:0", auth: {authenticator: basicauth/in}}
exporters:
  prometheusremotewrite:
    endpoint: ${peer.url}
    headers: {X-Scope-OrgID: team-a}
    auth: {authenticator: basicauth/out}
    remote_write_queue: {flush_timeout: 0}
service:
  extensions: [basicauth/out, basicauth/in]
  shutdown_timeout: 100ms
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp/http, otlp/grpc], exporters: [prometheusremotewrite]}
`,
    {
      '/etc/htpasswd': 'fleet:$apr1$pepper$q1evYAGW7H1ajwuBjp4yr1\n',
      '/etc/password': 'out\n',
    },
  )
  // After the gateway has stopped: until then it sends.
  context.after(() => peer.close())
  const post = async (authorization: string) => {
    const headers = { 'content-type': 'application/x-protobuf', authorization }
    const url = `http://127.0.0.1:${port('otlp/http')}/v1/metrics`
    return (await fetch(url, { method: 'POST', headers, body })).status
  }
  const client = new ForeignClient(port('otlp/grpc'))
  const call = async (authorization: string) => {
    const metadata = new Metadata()
    metadata.set('authorization', authorization)
    return (await client.call(exportPath, body, {}, metadata)).code
  }
  assert.equal(await post(basic('fleet:wrong')), 401)
  assert.equal(await call(basic('fleet:wrong')), 'UNAUTHENTICATED')
  assert.equal(peer.requests.length, 0)
  assert.equal(await post(basic('fleet:open sesame')), 200)
  assert.equal(await call(basic('fleet:open sesame')), 'OK')
  await until(() => peer.accepted.length > 0)
  assert.equal(peer.requests.length, peer.accepted.length)
  assert.deepEqual(peer.violations, [])
  client.close()
})

test('the exposition page is served over TLS to who has the password', async (context) => {
  const { port } = await runService(
    context,
    `
extensions:
  basicauth: {htpasswd: {inline: "prometheus:scrape"}}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}
exporters:
  prometheus:
    endpoint: 127.0.0.1:0
    tls: {cert_file: cert, key_file: key}
    auth: {authenticator: basicauth}
service:
  extensions: [basicauth]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [prometheus]}
`,
    { cert: certificate('server'), key: certificate('server-key') },
  )
  const url = `http://127.0.0.1:${port('otlp')}/v1/metrics`
  const headers = { 'content-type': 'application/x-protobuf' }
  assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 200)
  const scrape = (auth?: string) =>
    new Promise<{ status: number; text: string; challenge: string | undefined }>(
      (resolve, reject) => {
        const options = { port: port('prometheus'), path: '/metrics', ca: certificate('authority') }
        const asked = tlsRequest(
          { ...options, host: 'localhost', agent: false, ...(auth !== undefined && { auth }) },
          (response) => {
            let text = ''
            response.on('data', (chunk: Buffer) => (text += chunk.toString()))
            const { statusCode: status = 0 } = response
            const challenge = response.headers['www-authenticate']
            response.on('end', () => resolve({ status, text, challenge }))
          },
        )
        asked.on('error', reject).end()
      },
    )
  const refused = await scrape()
  assert.deepEqual(
    [refused.status, refused.challenge],
    [401, 'Basic realm="penstock", charset="UTF-8"'],
  )
  assert.doesNotMatch(refused.text, /jobs/)
  assert.equal((await scrape('prometheus:wrong')).status, 401)
  const page = await scrape('prometheus:scrape')
  assert.equal(page.status, 200)
  assert.match(page.text, /^jobs.* 3$/m)
})

test('the name that a sender has shown a password for is the tenant of its traces, by HTTP and by gRPC', async (context) => {
  const http = await startHttpPeer()
  const grpc = await startGrpcPeer()
  const tokens = await startHttpPeer()
  context.after(async () => {
    grpc.close()
    await Promise.all([http.close(), tokens.close()])
  })
  tokens.respond = () => ({ body: '{"access_token":"granted","token_type":"Bearer"}' })
  const { port } = await runService(
    context,
    `
extensions:
  headers_setter:
    headers: [{key: X-Scope-OrgID, from_attribute: username, default_value: nobody}]
    additional_auth: oauth2client
  oauth2client: {client_id: a, client_secret: b, token_url: "${tokens.url}/token"}
  basicauth: {htpasswd: {file: /etc/htpasswd}}
receivers:
  otlp: {protocols: {http: {endpoint: "127.0.0.1:0", auth: {authenticator: basicauth}}}}
exporters:
  otlphttp: {endpoint: "${http.url}", compression: none, auth: {authenticator: headers_setter}}
  otlp: {endpoint: "${grpc.address}", tls: {insecure: true}, auth: {authenticator: headers_setter}}
service:
  extensions: [headers_setter, basicauth, oauth2client]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlphttp, otlp]}
`,
    { '/etc/htpasswd': 'anna:1\nbert:2\n' },
  )
  for (const credentials of ['anna:1', 'bert:2']) {
    const headers = {
      'content-type': 'application/x-protobuf',
      authorization: basic(credentials),
      'x-scope-orgid': 'chosen',
    }
    const url = `http://127.0.0.1:${port('otlp')}/v1/metrics`
    assert.equal((await fetch(url, { method: 'POST', headers, body })).status, 200)
  }
  await until(() => http.requests.length === 2 && grpc.requests.length === 2)
  const tenants = http.requests.map(({ headers }) => headers['x-scope-orgid'])
  assert.deepEqual(new Set(tenants), new Set(['anna', 'bert']))
  const overGrpc = grpc.requests.map(({ metadata }) => metadata.get('x-scope-orgid'))
  assert.deepEqual(new Set(overGrpc.flat()), new Set(['anna', 'bert']))
  for (const { headers } of http.requests) assert.equal(headers.authorization, 'Bearer granted')
  for (const { metadata } of grpc.requests) {
    assert.deepEqual(metadata.get('authorization'), ['Bearer granted'])
  }
  assert.equal(tokens.requests.length, 1)
})
