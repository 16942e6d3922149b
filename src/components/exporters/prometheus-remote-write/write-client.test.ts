import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { gauge, point } from '../../../../test/kit/metrics-request.ts'
import type { WrittenRequest } from '../../../../test/kit/remote-write-peer.ts'
import { closeRemoteWrites, startRemoteWrite, v2 } from '../../../../test/kit/remote-write-rig.ts'

afterEach(closeRemoteWrites)

const fallbacks = 'penstock_exporter_prometheusremotewrite_fallbacks'
const fill = (ms: number) =>
  gauge('fill', [point({}, { timeUnixNano: BigInt(ms) * 1_000_000n, asInt: BigInt(ms) })])
const form = ({ version, headers }: WrittenRequest) => `${version} ${headers['content-encoding']}`

describe('the form of remote write requests', () => {
  for (const [settings, taken, forms] of [
    [v2, '2 snappy', ['2 zstd', '2 snappy', '2 snappy']],
    [{}, '1 snappy', ['1 zstd', '1 snappy', '1 snappy']],
    [v2, '1 snappy', ['2 zstd', '2 snappy', '1 snappy', '1 snappy']],
  ] as const) {
    it(`becomes ${taken} on 415, from ${forms[0]}, and stays that`, async () => {
      const { peer, push, value, host } = await startRemoteWrite({
        ...settings,
        compression: 'zstd',
      })
      peer.respond = (request) => (form(request) === taken ? undefined : { status: 415 })
      await push(fill(1))
      await push(fill(2))
      assert.deepEqual(peer.requests.map(form), forms)
      assert.deepEqual(
        [...peer.values().values()],
        [
          [
            [1, 1],
            [2, 2],
          ],
        ],
      )
      assert.equal(value(fallbacks), forms.length - 2)
      assert.equal(host.lines.length, forms.length - 2)
      assert.match(host.lines[0].message, /zstd.*snappy/)
      assert.deepEqual(host.drops, [])
      assert.deepEqual(peer.violations, [])
    })
  }

  it('is given up for good where 415 remains, for that request alone', async () => {
    const { peer, push, host } = await startRemoteWrite({ ...v2, compression: 'zstd' })
    peer.respond = () => ({ status: 415 })
    await push(fill(1))
    assert.deepEqual(peer.requests.map(form), ['2 zstd', '2 snappy', '1 snappy'])
    assert.deepEqual(host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'permanent_error' }])
    peer.respond = () => undefined
    await push(fill(2))
    assert.equal(peer.values().size, 1)
  })

  it('is 1.0 after a success that names nothing written, and the log says what that means', async () => {
    for (const convert_histograms_to_nhcb of [false, true]) {
      const { peer, push, host } = await startRemoteWrite({ ...v2, convert_histograms_to_nhcb })
      peer.respond = () => ({ status: 200, body: 'fine' })
      await push(fill(1))
      await push(fill(2))
      assert.deepEqual(peer.requests.map(form), ['2 snappy', '1 snappy', '1 snappy'])
      assert.equal(host.lines.length, 1)
      const [{ message, fields }] = host.lines
      assert.equal(message.includes('histograms as classic ones'), convert_histograms_to_nhcb)
      assert.deepEqual(fields, {
        error:
          `${peer.url} answered 200 without X-Prometheus-Remote-Write-*-Written headers: ` +
          'it knows 1.0 only and has not read the request',
      })
    }
  })
})

describe('the path of remote write requests', () => {
  const hint = / \(Prometheus takes remote write at \/api\/v1\/write\)$/
  for (const [path, status, isHinted] of [
    ['/', 405, true],
    ['/write', 404, true],
    ['/api/v1/write', 404, false],
    ['/', 400, false],
  ] as const) {
    it(`is ${isHinted ? '' : 'not '}hinted at when ${path} answers ${status}`, async () => {
      const other = await startRemoteWrite()
      other.peer.respond = () => ({ status, body: 'no' })
      const endpoint = new URL(path, other.peer.url).href
      const { push, host } = await startRemoteWrite({ endpoint })
      await push(fill(1))
      const { error } = host.lines[0].fields as { error: string }
      assert.match(error, new RegExp(`answered ${status}: no`))
      assert.equal(hint.test(error), isHinted)
    })
  }
})
