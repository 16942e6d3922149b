import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseTarget } from './client-target.ts'

describe('gRPC endpoint', () => {
  const meant: [endpoint: string, target: string, isPlaintext: boolean | undefined][] = [
    ['localhost:4317', 'localhost:4317', undefined],
    ['10.0.0.1:4317', '10.0.0.1:4317', undefined],
    ['[::1]:4317', '[::1]:4317', undefined],
    ['http://tempo:4317', 'tempo:4317', true],
    ['http://tempo:4317/', 'tempo:4317', true],
    ['https://tempo:4317', 'tempo:4317', false],
    ['dns:///tempo.ns:4317', 'dns:///tempo.ns:4317', undefined],
    ['dns://8.8.8.8/tempo.ns:4317', 'dns://8.8.8.8/tempo.ns:4317', undefined],
    ['passthrough:///tempo:4317', 'tempo:4317', undefined],
    ['unix:///run/otlp.sock', 'unix:///run/otlp.sock', undefined],
    ['unix:run/otlp.sock', 'unix:run/otlp.sock', undefined],
  ]
  for (const [endpoint, target, isPlaintext] of meant) {
    it(`takes ${endpoint}`, () => assert.deepEqual(parseTarget(endpoint), { target, isPlaintext }))
  }

  const refused: [endpoint: string, rule: RegExp][] = [
    ['', /must not be empty/],
    ['tempo', /must be host:port/],
    ['tempo:grpc', /must be host:port/],
    ['tempo:70000', /must be host:port/],
    ['dns:///tempo', /must be host:port/],
    ['http://tempo:4317/v1/traces', /without a path/],
    ['ftp://tempo:4317', /must be host:port, or begin with/],
  ]
  for (const [endpoint, rule] of refused) {
    it(`refuses ${endpoint === '' ? 'nothing' : endpoint}`, () =>
      assert.match(parseTarget(endpoint) as string, rule))
  }
})
