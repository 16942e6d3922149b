import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { proxyFromEnv } from './proxy-from-env.ts'

const proxies = { HTTP_PROXY: 'http://plain:3128', HTTPS_PROXY: 'http://tls:3128' }

describe('the proxy from the environment', () => {
  it('is that of the scheme, in either case of letters, with http:// where nothing is said', () => {
    assert.equal(proxyFromEnv(new URL('http://tempo:4318'), proxies), 'http://plain:3128')
    assert.equal(proxyFromEnv(new URL('https://tempo:4318'), proxies), 'http://tls:3128')
    assert.equal(proxyFromEnv(new URL('http://tempo'), { http_proxy: 'p:1' }), 'http://p:1')
    assert.equal(proxyFromEnv(new URL('https://tempo'), { HTTP_PROXY: 'http://p:1' }), undefined)
    assert.equal(proxyFromEnv(new URL('http://tempo'), {}), undefined)
  })

  it('is never used for this machine', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) {
      assert.equal(proxyFromEnv(new URL(`http://${host}:4318`), proxies), undefined, host)
    }
  })

  const cases: [entry: string, excepted: string[], proxied: string[]][] = [
    ['*', ['tempo', '10.0.0.1'], []],
    ['example.com', ['example.com', 'a.example.com', 'A.EXAMPLE.COM'], ['notexample.com', 'com']],
    ['.example.com', ['a.example.com'], ['example.com']],
    ['*.example.com', ['a.example.com'], ['example.com']],
    ['tempo:4318', ['tempo:4318'], ['tempo:4317', 'tempo']],
    ['tempo:80', ['tempo'], ['tempo:81']],
    ['10.0.0.0/8', ['10.1.2.3'], ['11.1.2.3', 'ten']],
    ['10.1.2.3', ['10.1.2.3'], ['10.1.2.4']],
    ['fd00::/8', ['[fd12::1]'], ['[fe80::1]']],
    ['fd12::1', ['[fd12::1]'], ['[fd12::2]']],
    ['[fd12::1]:4318', ['[fd12::1]:4318'], ['[fd12::1]:4317']],
    ['10.0.0.0/99, , svc', ['svc', 'tempo.svc'], ['10.0.0.1']],
  ]
  for (const [entry, excepted, proxied] of cases) {
    it(`is not used for what NO_PROXY=${entry} excepts`, () => {
      const env = { ...proxies, NO_PROXY: entry }
      for (const host of excepted)
        assert.equal(proxyFromEnv(new URL(`http://${host}`), env), undefined, host)
      for (const host of proxied) assert.ok(proxyFromEnv(new URL(`http://${host}`), env), host)
    })
  }
})
