import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServerCredentials } from '@grpc/grpc-js'
import { z } from 'zod'
import { certificate } from '../../../test/kit/certificates.ts'
import { startGrpcPeer } from '../../../test/kit/grpc-peer.ts'
import { testHost } from '../../../test/kit/test-host.ts'
import { signals } from '../../otlp/signal.ts'
import { grpcClientShape } from './client-settings.ts'
import { GrpcClient } from './grpc-client.ts'

const path = `/${signals.traces.grpcService}/Export`
const noBytes = new Uint8Array(0)
const never = new AbortController().signal

function credentials(): ServerCredentials {
  const pair = {
    cert_chain: Buffer.from(certificate('server')),
    private_key: Buffer.from(certificate('server-key')),
  }
  return ServerCredentials.createSsl(null, [pair])
}

test('TLS files are read again every reload_interval, for connections to come', async (context) => {
  const peer = await startGrpcPeer(credentials())
  context.after(() => peer.close())
  const host = testHost()
  let authority: 'stranger' | 'authority' | 'broken' = 'stranger'
  const readFile = () =>
    Buffer.from(authority === 'broken' ? 'no certificate' : certificate(authority))
  const settings = z.strictObject(grpcClientShape()).parse({
    endpoint: peer.address.replace('127.0.0.1', 'localhost'),
    // Deadlines of the library are times of day, which the host's clock is far from.
    timeout: 0,
    tls: { ca_file: 'ca', reload_interval: '10s' },
  })
  const client = new GrpcClient(settings, { ...host, disk: { ...host.disk, readFile } })
  authority = 'authority'
  await host.clock.advance(10_000)
  authority = 'broken'
  await host.clock.advance(10_000)
  assert.match(host.lines[0].message, /the last good ones stay/)
  assert.equal((await client.call({ path, message: noBytes, abort: never })).length, 0)
  client.close()
  assert.equal(host.clock.timerCount, 0)
})

test('a call that was called off before it began is never made', async (context) => {
  const peer = await startGrpcPeer()
  context.after(() => peer.close())
  const settings = z.strictObject(grpcClientShape()).parse({
    endpoint: peer.address,
    timeout: 0,
    tls: { insecure: true },
  })
  const client = new GrpcClient(settings, testHost())
  const abort = AbortSignal.abort()
  await assert.rejects(client.call({ path, message: noBytes, abort }), { code: 'cancelled' })
  await client.call({ path, message: noBytes, abort: never })
  assert.equal(peer.requests.length, 1)
  client.close()
})
