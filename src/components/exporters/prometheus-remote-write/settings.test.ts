/** Expectations are those of config.go and factory.go of the Collector's exporter, release 0.161. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { gauge, point } from '../../../../test/kit/metrics-request.ts'
import { closeRemoteWrites, startRemoteWrite } from '../../../../test/kit/remote-write-rig.ts'
import { checkSettings, effectiveSettings, settings } from './settings.ts'

afterEach(closeRemoteWrites)

const url = 'http://prometheus:9090/api/v1/write'

const complaints = (config: object) =>
  checkSettings(settings.parse(config)).map(
    ({ path, severity = 'error' }) => `${severity} ${path.join('.')}`,
  )

describe('http of prometheus_remote_write', () => {
  it('is where requests go, with its own headers', async () => {
    const first = await startRemoteWrite()
    const { push } = await startRemoteWrite({
      endpoint: undefined,
      http: { endpoint: first.peer.url, headers: { 'X-Scope-OrgID': 'shop' } },
    })
    await push(gauge('up', [point({}, { asDouble: 1, timeUnixNano: 1_000_000_000n })]))
    assert.deepEqual(
      first.peer.requests.map(({ headers }) => headers['x-scope-orgid']),
      ['shop'],
    )
    assert.deepEqual(first.peer.violations, [])
  })

  it('decides alone about the client, but for the shorter timeout', () => {
    const headers = { a: '1' }
    const rows: readonly (readonly [config: object, timeout: number])[] = [
      [{ http: { endpoint: url } }, 5000],
      [{ timeout: '1s', http: { endpoint: url } }, 1000],
      [{ timeout: '9s', http: { endpoint: url, timeout: '8s' } }, 8000],
      [{ timeout: '9s', http: { endpoint: url, timeout: 0 } }, 9000],
      [{ timeout: 0, http: { endpoint: url, timeout: 0 } }, 0],
    ]
    for (const [config, timeout] of rows) {
      const read = effectiveSettings(settings.parse({ headers, ...config }))
      assert.equal(read.timeout, timeout, JSON.stringify(config))
      assert.equal(read.endpoint, url)
      assert.deepEqual(read.headers, {})
    }
  })

  it('is complained of at its own place', () => {
    assert.deepEqual(complaints({}), ['error endpoint'])
    assert.deepEqual(complaints({ http: null, endpoint: url }), [])
    assert.deepEqual(complaints({ endpoint: url, http: { endpoint: url } }), ['warning endpoint'])
    const headers = { 'Content-Type': 'x' }
    assert.deepEqual(complaints({ http: { endpoint: url, headers } }), [
      'warning http.headers.Content-Type',
    ])
    assert.deepEqual(complaints({ endpoint: url, headers }), ['warning headers.Content-Type'])
    assert.match(String(settings.safeParse({ http: {} }).error?.message), /"endpoint"/)
  })
})

it('warns of an endpoint without a path, where it stands', () => {
  for (const endpoint of ['http://prometheus:9090', 'http://prometheus:9090/?token=x']) {
    assert.deepEqual(complaints({ endpoint }), ['warning endpoint'])
    assert.deepEqual(complaints({ http: { endpoint } }), ['warning http.endpoint'])
  }
  const [{ message }] = checkSettings(settings.parse({ endpoint: 'http://prometheus:9090' }))
  assert.equal(message, 'has no path; Prometheus takes remote write at /api/v1/write')
  assert.deepEqual(complaints({ endpoint: 'http://mimir/api/v1/push' }), [])
})

it("knows convert_explicit_histograms_to_nhcb, the Collector's name", () => {
  const asked = { endpoint: url, convert_explicit_histograms_to_nhcb: true }
  const isV2 = { protobuf_message: 'io.prometheus.write.v2.Request' }
  assert.equal(
    effectiveSettings(settings.parse({ ...asked, ...isV2 })).convert_histograms_to_nhcb,
    true,
  )
  assert.deepEqual(complaints({ ...asked, ...isV2 }), [])
  assert.deepEqual(complaints(asked), ['error convert_explicit_histograms_to_nhcb'])
})

it('names what it does not support of the newer settings', () => {
  for (const key of ['include_metadata_keys', 'keep_classic_histograms']) {
    const asking = key === 'include_metadata_keys' ? ['tenant'] : true
    const complaint = settings.safeParse({ endpoint: url, [key]: asking }).error?.message
    assert.match(String(complaint), /not supported yet/)
  }
  const nothing = { endpoint: url, include_metadata_keys: [], keep_classic_histograms: false }
  assert.deepEqual(complaints(nothing), [])
})

it('reads zeros and empty text as the Collector does', () => {
  const read = (config: object) => effectiveSettings(settings.parse({ endpoint: url, ...config }))
  assert.equal(read({ compression: '' }).compression, 'snappy')
  assert.equal(read({ max_batch_size_bytes: 0 }).max_batch_size_bytes, 3_000_000)
  const queue = { enabled: false, queue_size: 0, num_consumers: 0 }
  const { queue_size, num_consumers } = read({ remote_write_queue: queue }).remote_write_queue
  assert.deepEqual([queue_size, num_consumers], [10_000, 5])
  assert.deepEqual(complaints({ endpoint: url, remote_write_queue: queue }), [])
  assert.deepEqual(complaints({ endpoint: url, remote_write_queue: { queue_size: 0 } }), [
    'error remote_write_queue.queue_size',
  ])
  const conversion = { resource_to_telemetry_conversion: { included: ['a'], excluded: [] } }
  assert.deepEqual(complaints({ endpoint: url, ...conversion }), [])
  const constant = { resource_constant_labels: { included: ['b'] } }
  assert.deepEqual(complaints({ endpoint: url, ...conversion, ...constant }), [
    'warning resource_to_telemetry_conversion',
  ])
})

it('says in its metrics where it writes, as the Collector does, but no secret of that', async () => {
  const first = await startRemoteWrite()
  const endpoint = new URL(first.peer.url)
  Object.assign(endpoint, { username: 'name', password: 'word', search: '?token=x' })
  const { push, value } = await startRemoteWrite({ endpoint: endpoint.href })
  await push(gauge('up', [point({}, { asDouble: 1, timeUnixNano: 1_000_000_000n })]))
  for (const name of ['sent_batches', 'written_samples', 'consumers']) {
    const full = `otelcol_exporter_prometheusremotewrite_${name}`
    assert.notEqual(value(full, { endpoint: first.peer.url }) ?? 0, 0, name)
  }
})
