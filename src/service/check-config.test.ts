import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { complain, countText, readable } from '../config/complaint.ts'
import { loadConfig } from '../config/load-config.ts'
import { readOnlyDisk } from '../../test/kit/memory-disk.ts'
import { testCatalog } from '../../test/kit/test-catalog.ts'
import { checkConfig } from './check-config.ts'
import { componentKinds, parseComponentId, resolveType } from './resolve-type.ts'

function check(yaml: string, env: Record<string, string> = {}) {
  return checkConfig(loadConfig({ configs: ['yaml:' + yaml] }, env, readOnlyDisk({})), testCatalog)
}

const whole = `
receivers:
  otlp: {protocols: {grpc: , http: {enabled: false}}}
processors: {batch/b: {timeout: 1m}, batch: }
exporters: {otlp_http/eu: {endpoint: "http://\${HOST}", api: {user: "\${ID}", pin: "\${ID}"}}, debug: }
connectors: {forward: }
extensions: {health_check: }
service:
  extensions: [health_check]
  pipelines:
    traces/in: {receivers: [otlp], processors: [batch/b, batch], exporters: [forward, debug]}
    traces: {receivers: [forward], exporters: [otlp_http/eu]}
  telemetry:
    resource: {service.name: gw, service.instance.id: null}
    metrics: {address: ":9999"}
    logs: {level: WARN, encoding: json, initial_fields: {team: a}}
  shutdown_timeout: 5s
`

test('a whole configuration becomes what the service runs on', () => {
  const { complaints, config } = check(whole, { HOST: 'tempo', ID: '0123' })
  assert.deepEqual(complaints, [])
  assert.deepEqual(config?.pipelines, [
    {
      id: 'traces/in',
      signal: 'traces',
      receivers: ['otlp'],
      processors: ['batch/b', 'batch'],
      exporters: ['forward', 'debug'],
    },
    {
      id: 'traces',
      signal: 'traces',
      receivers: ['forward'],
      processors: [],
      exporters: ['otlp_http/eu'],
    },
  ])
  const exporter = config.exporters.get('otlp_http/eu')
  assert.equal(exporter?.declaration.type, 'otlp_http')
  const settings = exporter?.config as {
    endpoint: string
    api: { user: string; pin: { reveal(): string } }
  }
  assert.equal(settings.endpoint, 'http://tempo')
  assert.equal(settings.api.user, '0123')
  assert.equal(settings.api.pin.reveal(), '0123')
  assert.deepEqual(config.extensionIds, ['health_check'])
  assert.equal(config.shutdownTimeoutMs, 5000)
  assert.deepEqual(config.telemetry, {
    logs: { level: 'warn', encoding: 'json', initialFields: { team: 'a' } },
    metrics: { level: 'normal', pullEndpoints: [':9999'] },
    resource: { 'service.name': 'gw', 'service.instance.id': null },
  })
})

test('own metrics are on localhost:8888 unless told otherwise', () => {
  const base = whole.replace('metrics: {address: ":9999"}', 'METRICS')
  const endpoints = (metrics: string) =>
    check(base.replace('METRICS', metrics), { HOST: 'a', ID: '1' }).config?.telemetry.metrics
      .pullEndpoints
  assert.deepEqual(endpoints('metrics:'), ['localhost:8888'])
  assert.deepEqual(endpoints('metrics: {level: none}'), [])
  assert.deepEqual(endpoints('metrics: {level: none, readers: []}'), [])
  const pull = (keys: string) => `{pull: {exporter: {prometheus: {${keys}}}}}`
  assert.deepEqual(
    endpoints(`metrics: {readers: [${pull('host: "::1", port: 1')}, ${pull('')}]}`),
    ['[::1]:1', 'localhost:8888'],
  )
})

test('ids are type or type/name', () => {
  assert.deepEqual(parseComponentId('otlp'), { type: 'otlp', name: undefined })
  assert.deepEqual(parseComponentId('otlp/a/b.c-d'), { type: 'otlp', name: 'a/b.c-d' })
  for (const id of ['', '/a', '1a', 'a-b', 'a/', 'a/b c', 'a'.repeat(64)]) {
    assert.equal(typeof parseComponentId(id), 'string', id)
  }
})

test('types are found in every spelling with and without underscores', () => {
  for (const type of ['otlp_http', 'otlp_http']) {
    const found = resolveType(testCatalog, 'exporter', type)
    assert.equal(typeof found === 'string' ? found : found.type, 'otlp_http')
  }
  for (const kind of componentKinds) {
    assert.equal(typeof resolveType(testCatalog, kind, 'toString'), 'string')
    assert.equal(typeof resolveType(testCatalog, kind, '__proto__'), 'string')
  }
})

const value = fc.oneof(
  fc.constantFrom(
    'otlp',
    'debug',
    'forward',
    '[]',
    '{}',
    '~',
    '5s',
    '12',
    '-1',
    'true',
    '${X}',
    'a',
  ),
  fc.constantFrom('[otlp, forward]', '[debug, debug]', '{endpoint: 1}', '{protocols: {grpc: 1}}'),
  fc.string({ maxLength: 4 }).map((text) => JSON.stringify(text)),
)
const path = fc.constantFrom(
  'receivers',
  'receivers::otlp',
  'receivers::otlp::protocols::grpc',
  'exporters::otlp_http::headers',
  'connectors::forward',
  'exporters::prometheus::endpoint',
  'service',
  'service::extensions',
  'service::pipelines::traces::receivers',
  'service::pipelines::traces/x::exporters',
  'service::pipelines::metrics',
  'service::telemetry::metrics::readers',
  'service::telemetry::resource',
  'processors::attributes::actions',
  'extensions::health_check',
  'exporters::debug',
)

test('any configuration either runs or has an error, and no check throws', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(path, value), { maxLength: 8 }), (settings) => {
      const configs = settings.map(([key, text]) => `yaml:${key}: ${text}`)
      const loaded = loadConfig({ configs }, { X: 'x' }, readOnlyDisk({}))
      const { complaints, config } = checkConfig(loaded, testCatalog)
      const hasError = complaints.some(({ severity }) => severity === 'error')
      assert.equal(config === undefined, hasError)
    }),
    { numRuns: 400 },
  )
})

test('of very many problems errors are shown before warnings, and all are counted', () => {
  const errors = Array.from({ length: 199 }, () => complain({ message: 'must be more' }))
  const warning = complain({ severity: 'warning', message: 'is not used' })
  const shown = readable([warning, warning, warning, ...errors])
  assert.equal(shown.length, 201)
  assert.equal(shown[200].message, '2 more warnings are not shown')
  assert.equal(countText(shown), '199 errors, 3 warnings')
})

test('of very many problems the first errors are shown, and how many more there are', () => {
  const wrong = Array.from({ length: 5000 }, (_, index) => `  key${index}: 1\n`).join('')
  const unused = Array.from({ length: 100 }, (_, index) => `  batch/${index}: \n`).join('')
  const { complaints, config } = check(`processors:\n${unused}connectors:\n${wrong}`)
  assert.equal(config, undefined)
  assert.equal(complaints.length, 201)
  assert.ok(complaints.every(({ severity }) => severity === 'error'))
  const sorted = complaints.slice(0, 200).map(({ line }) => line)
  assert.deepEqual(
    sorted,
    sorted.toSorted((a, b) => a - b),
  )
  const left = Number(/^(\d+) more errors are not shown$/.exec(complaints[200].message)![1])
  assert.ok(left >= 4800, String(left))
  assert.equal(countText(complaints), `${200 + left} errors`)
})
