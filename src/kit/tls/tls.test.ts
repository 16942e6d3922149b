import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, type Server, createServer as createPlainServer } from 'node:net'
import { test } from 'node:test'
import { type TLSSocket, connect, createServer } from 'node:tls'
import { z } from 'zod'
import { certificate, certificatePath } from '../../../test/kit/certificates.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import type { Disk } from '../../platform/platform.ts'
import { nodeDisk } from '../../platform/node/node-platform.ts'
import { explainClientTlsError, isPlaintextClient } from './explain-tls.ts'
import { type ServerTls, isPlaintext, loadClientTls, loadServerTls } from './load-tls.ts'
import { reloadPeriodically, serverReloadPeriodMs } from './reload-tls.ts'
import {
  type ClientTlsSettings,
  type ServerTlsSettings,
  clientTlsSettings,
  serverTlsSettings,
} from './tls-settings.ts'

const server = (settings: object) => serverTlsSettings().parse(settings) as ServerTlsSettings
const client = (settings: object) => clientTlsSettings().parse(settings)
const ownCertificate = {
  cert_file: certificatePath('server'),
  key_file: certificatePath('server-key'),
}

function problems(schema: z.ZodType, value: unknown): string[] {
  const result = schema.safeParse(value)
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`)
}

async function listening(tls: ServerTls) {
  const listener = createServer({ ...tls.context, requestCert: tls.requestCert }, (socket) =>
    socket.end('hello'),
  )
  const errors: Error[] = []
  listener.on('tlsClientError', (error) => errors.push(error))
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return { listener, errors, port: (listener.address() as AddressInfo).port }
}

/** The text the server sends, or the error the connection ends with; the peer's name besides. */
async function talk(port: number, settings: ClientTlsSettings) {
  const { secureContext, rejectUnauthorized, servername } = loadClientTls(settings, nodeDisk, 'tls')
  const socket: TLSSocket = connect({
    port,
    host: '127.0.0.1',
    secureContext,
    rejectUnauthorized,
    ...(servername !== undefined && { servername }),
  })
  let text = ''
  let peer = ''
  socket.on('secureConnect', () => (peer = String(socket.getPeerCertificate().subject?.CN)))
  socket.on('data', (chunk: Buffer) => (text += String(chunk)))
  let error: Error | undefined
  socket.on('error', (cause) => (error = cause))
  await new Promise((done) => socket.on('close', done))
  return { text, peer, error }
}

async function closed(listener: Server) {
  listener.close()
  await once(listener, 'close')
}

test('a server needs certificate and key, and each only once', () => {
  assert.deepEqual(problems(serverTlsSettings(), {}), [
    'cert_file is required: a TLS server needs a certificate and its key',
    'key_file is required: a TLS server needs a certificate and its key',
  ])
  assert.deepEqual(problems(serverTlsSettings(), { ...ownCertificate, cert_pem: 'x' }), [
    'cert_pem cannot be set together with cert_file',
  ])
  assert.equal(serverTlsSettings().parse(undefined), undefined)
})

test('a client with half a pair, crossed versions, unknown names or a TPM is told so', () => {
  assert.deepEqual(problems(clientTlsSettings(), { cert_file: 'a' }), [
    'key_file is required: certificate and key go together',
  ])
  assert.deepEqual(problems(clientTlsSettings(), { min_version: 1.3, max_version: '1.2' }), [
    'max_version must not be below min_version 1.3',
  ])
  assert.match(problems(clientTlsSettings(), { cipher_suites: ['TLS_X'] })[0], /TLS_X is not a/)
  assert.match(
    problems(clientTlsSettings(), { cipher_suites: ['TLS_RSA_WITH_AES_128_CBC_SHA'] })[0],
    /include_insecure_cipher_suites/,
  )
  assert.deepEqual(problems(clientTlsSettings(), { tpm: { enabled: true } }), [
    'tpm is not supported yet: keys in a TPM',
  ])
  assert.match(problems(clientTlsSettings(), { min_version: '1.4' })[0], /^min_version/)
})

test('the defaults are those of the Collector: TLS 1.2 and up, never reloaded, nothing skipped', () => {
  const settings = client({})
  assert.equal(settings.min_version, '1.2')
  assert.equal(settings.reload_interval, 0)
  assert.equal(settings.insecure, false)
  assert.equal(loadClientTls(settings, nodeDisk, 'tls').rejectUnauthorized, true)
})

test('insecure is plaintext, unless an authority is named', () => {
  assert.equal(isPlaintext(client({ insecure: true })), true)
  assert.equal(isPlaintext(client({ insecure: true, ca_file: 'x' })), false)
  assert.equal(isPlaintext(client({})), false)
})

test('complaints about files name setting, file and rule', () => {
  const load = (settings: object) => () =>
    loadServerTls(server({ ...ownCertificate, ...settings }), nodeDisk, 'http.tls')
  assert.throws(load({ cert_file: '/nowhere/cert.pem' }), {
    message: /^http\.tls\.cert_file \/nowhere\/cert\.pem cannot be read: ENOENT/,
  })
  assert.throws(load({ key_file: certificatePath('client-key') }), {
    message: /^http\.tls\.key_file .*client-key\.pem must be the key of the certificate in http/,
  })
  assert.throws(load({ key_file: certificatePath('server') }), {
    message: /key_file .* must hold a private key in PEM form/,
  })
  assert.throws(load({ cert_file: certificatePath('server-key') }), {
    message: /cert_file .* must hold certificates in PEM form, found none/,
  })
  assert.throws(load({ key_file: certificatePath('encrypted-key') }), {
    message: /key_file .* must hold a private key without a passphrase, it is encrypted/,
  })
  assert.throws(load({ client_ca_file: certificatePath('client-key') }), {
    message: /client_ca_file .* must hold certificates in PEM form, found none/,
  })
  const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  assert.throws(() => loadClientTls(client({ ca_pem: broken }), nodeDisk, 'tls'), {
    message: /^tls\.ca_pem must hold certificates in PEM form, number 1 is broken/,
  })
})

test('client and server talk once the client trusts the authority', async () => {
  const { listener, port } = await listening(loadServerTls(server(ownCertificate), nodeDisk, 'tls'))
  assert.equal((await talk(port, client({ ca_file: certificatePath('authority') }))).text, 'hello')
  assert.equal((await talk(port, client({ ca_pem: certificate('authority') }))).text, 'hello')
  assert.equal((await talk(port, client({ insecure_skip_verify: true }))).text, 'hello')
  const distrusting = await talk(port, client({}))
  assert.match(
    explainClientTlsError(distrusting.error, '127.0.0.1:4317') ?? '',
    /not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\): name the authority in tls\.ca_file/,
  )
  const misnamed = { ca_file: certificatePath('authority'), server_name_override: 'other' }
  assert.match(
    explainClientTlsError((await talk(port, client(misnamed))).error, 'x:1') ?? '',
    /certificate for another name/,
  )
  await closed(listener)
})

test('with client_ca_file a client needs a certificate of that authority', async () => {
  const settings = server({ ...ownCertificate, client_ca_file: certificatePath('authority') })
  const { listener, port, errors } = await listening(loadServerTls(settings, nodeDisk, 'tls'))
  const trusting = { ca_file: certificatePath('authority') }
  const withPair = (name: 'client' | 'intruder') =>
    client({
      ...trusting,
      cert_file: certificatePath(name),
      key_file: certificatePath(`${name}-key`),
    })
  assert.equal((await talk(port, withPair('client'))).text, 'hello')
  assert.notEqual((await talk(port, client(trusting))).text, 'hello')
  assert.notEqual((await talk(port, withPair('intruder'))).text, 'hello')
  assert.equal(errors.length, 2)
  await closed(listener)
})

test('versions and suites are kept to, on both sides', async () => {
  const old = server({ ...ownCertificate, max_version: '1.2' })
  const { listener, port } = await listening(loadServerTls(old, nodeDisk, 'tls'))
  const ca_file = certificatePath('authority')
  assert.ok((await talk(port, client({ ca_file, min_version: '1.3' }))).error)
  const suite = 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256'
  const curves = { curve_preferences: ['P384', 'P256'], cipher_suites: [suite] }
  assert.equal((await talk(port, client({ ca_file, ...curves }))).text, 'hello')
  const rsaOnly = { cipher_suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'] }
  assert.ok((await talk(port, client({ ca_file, ...rsaOnly }))).error)
  await closed(listener)
})

test('TLS 1.0 works for who insists on it', async () => {
  const ancient = server({ ...ownCertificate, min_version: '1.0', max_version: 1.0 })
  const { listener, port } = await listening(loadServerTls(ancient, nodeDisk, 'tls'))
  const ca_file = certificatePath('authority')
  assert.equal((await talk(port, client({ ca_file, min_version: 1.0 }))).text, 'hello')
  assert.ok((await talk(port, client({ ca_file }))).error)
  await closed(listener)
})

test('a plaintext server is recognised as such', async () => {
  const listener = createPlainServer((socket) =>
    socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'),
  )
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { error } = await talk((listener.address() as AddressInfo).port, client({}))
  assert.equal(
    explainClientTlsError(new Error('export failed', { cause: error }), 'tempo:4317'),
    'tempo:4317 does not speak TLS: set tls.insecure: true if plaintext is meant',
  )
  assert.equal(isPlaintextClient(error), true)
  await closed(listener)
})

test('certificates are read again by timer, bad ones are logged and change nothing', async () => {
  const host = testHost()
  let name: 'server' | 'renewed' | 'intruder' = 'server'
  const disk: Disk = {
    ...nodeDisk,
    readFile: (path) =>
      nodeDisk.readFile(
        path === 'cert'
          ? certificatePath(name)
          : certificatePath(name === 'renewed' ? 'renewed-key' : 'server-key'),
      ),
  }
  const settings = server({ cert_file: 'cert', key_file: 'key', reload_interval: '1m' })
  const { listener, port } = await listening(loadServerTls(settings, disk, 'tls'))
  const timer = reloadPeriodically({
    periodMs: serverReloadPeriodMs(settings),
    clock: host.clock,
    log: host.log,
    reload: () => listener.setSecureContext(loadServerTls(settings, disk, 'tls').context),
  })
  const ask = async () => (await talk(port, client({ ca_file: certificatePath('authority') }))).peer
  assert.equal(await ask(), 'server')
  name = 'renewed'
  assert.equal(await ask(), 'server')
  await host.clock.advance(60_000)
  assert.equal(await ask(), 'renewed')
  name = 'intruder'
  await host.clock.advance(60_000)
  assert.equal(await ask(), 'renewed')
  name = 'renewed'
  await host.clock.advance(60_000)
  await host.clock.advance(60_000)
  assert.deepEqual(
    host.lines.map((line) => line.level),
    ['error', 'info'],
  )
  timer?.cancel()
  await closed(listener)
})

test('client authorities are read again every 10s when asked for, and never otherwise', () => {
  const authorities = { ...ownCertificate, client_ca_file: 'x' }
  assert.equal(serverReloadPeriodMs(server(authorities)), 0)
  const reloading = { ...authorities, client_ca_file_reload: true }
  assert.equal(serverReloadPeriodMs(server(reloading)), 10_000)
  assert.equal(serverReloadPeriodMs(server({ ...reloading, reload_interval: '5m' })), 300_000)
})
