import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOnlyDisk } from '../../test/kit/memory-disk.ts'
import { testCatalog } from '../../test/kit/test-catalog.ts'
import { nodePlatform } from '../platform/node/node-platform.ts'
import { readArguments } from './args.ts'
import { listComponents } from './components.ts'
import type { CliIo } from './io.ts'
import { configJsonSchema, type JsonSchema } from './json-schema.ts'
import { main } from './main.ts'
import { printConfig } from './print-config.ts'
import { referenceFiles } from './generate-reference.ts'
import { validate } from './validate.ts'

function recorder(files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const printed: string[] = []
  const said: string[] = []
  const io: CliIo = {
    platform: { ...nodePlatform, disk: readOnlyDisk(files), env },
    print: (text) => void printed.push(text),
    say: (text) => void said.push(text),
    isTerminal: false,
    ending: AbortSignal.abort(),
    hangups: new EventTarget(),
  }
  return { io, printed: () => printed.join(''), said: () => said.join('') }
}

const good = `receivers: {otlp: {protocols: {grpc: {tls: {key_pem: s3cr3t}}}}}
exporters: {otlp_http: {endpoint: "http://me:s3cr3t@h", headers: {x: s3cr3t}, api: {user: u, pin: s3cr3t}}}
service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp_http]}}}
`

test('wrong use of the command is answered with 64 and one sentence', async () => {
  const cases: [string[], string][] = [
    [['vaildate'], 'vaildate is not a command; did you mean validate?'],
    [
      ['gateway.yaml'],
      'gateway.yaml is not a command; to run a configuration, write --config gateway.yaml',
    ],
    [[], 'run needs a configuration: --config FILE'],
    [['validate', '--confg', 'x'], '--confg is not a known flag; did you mean --config?'],
    [['validate', '--config'], '--config needs a value: --config FILE'],
    [['components', '--config', 'x'], '--config does not belong to components'],
    [['components', '--format', 'xml'], '--format must be text or json, got xml'],
    [['validate', '--config', 'x', 'y'], 'y is not expected after validate'],
    [['validate', '--config', 'x', '--json=1'], '--json takes no value'],
    [
      ['print-config', '-c', 'x', '--mode', 'unredacted'],
      '--mode must be redacted, got unredacted; secrets never print',
    ],
  ]
  for (const [argv, sentence] of cases) {
    const { io, said } = recorder()
    assert.equal(await main(argv, io, '1.2.3'), 64)
    assert.equal(said(), `penstock: ${sentence}\nTry: penstock --help\n`)
  }
})

test('help and version go to standard output', async () => {
  for (const argv of [['--help'], ['help'], ['-h'], ['validate', '-h'], ['help', 'schema']]) {
    const { io, printed } = recorder()
    assert.equal(await main(argv, io, '1.2.3'), 0)
    assert.match(printed(), /Usage: penstock/)
  }
  const { io, printed } = recorder()
  assert.equal(await main(['--version'], io, '1.2.3'), 0)
  assert.equal(printed(), 'penstock 1.2.3\n')
})

test("the Collector's command lines are understood", () => {
  const args = readArguments([
    '--config=a.yaml',
    '--config',
    'b.yaml',
    '--set=a.b=c',
    '--feature-gates=+x,-y',
  ])
  assert.ok(typeof args !== 'string')
  assert.deepEqual(
    [args.command, args.configs, args.sets, args.featureGates],
    ['run', ['a.yaml', 'b.yaml'], ['a.b=c'], ['+x,-y']],
  )
})

test('run refuses a configuration with errors and says so on standard error', async () => {
  const { io, printed, said } = recorder({ 'g.yaml': 'recievers:\n' })
  assert.equal(await main(['--config', 'g.yaml'], io, '1'), 78)
  assert.match(said(), /g\.yaml:1:1 {2}recievers is not a known section; did you mean receivers\?/)
  assert.equal(printed(), '')
})

test('validate gives 0 or 78, and with --json one object', () => {
  const fine = recorder({ 'g.yaml': good })
  const options = { sources: { configs: ['g.yaml'] }, catalog: testCatalog }
  assert.equal(validate({ ...options, json: false }, fine.io), 0)
  assert.equal(fine.said(), 'g.yaml: valid, 1 pipeline (traces)\n')
  const broken = recorder({ 'g.yaml': good.replace('{user', '{usr') })
  assert.equal(validate({ ...options, json: true }, broken.io), 78)
  assert.deepEqual(JSON.parse(broken.printed()), {
    valid: false,
    problems: [
      {
        severity: 'error',
        file: 'g.yaml',
        line: 2,
        column: 85,
        path: 'exporters.otlp_http.api.usr',
        message: 'is not a known setting; did you mean user?',
        excerpt:
          '…rs: {otlp_http: {endpoint: "http://[REDACTED]@h", headers: [REDACTED]}, api: {usr: u, pin: [REDACTED]}}}',
      },
    ],
  })
})

test('validate warns of an old type name and finds the configuration valid', () => {
  const { io, said } = recorder({ 'g.yaml': good.replaceAll('otlp_http', 'otlphttp') })
  const sources = { configs: ['g.yaml'] }
  assert.equal(validate({ sources, catalog: testCatalog, json: false }, io), 0)
  assert.match(said(), /^g\.yaml:2:13 {2}warning: exporters\.otlphttp has a type whose /)
  assert.match(said(), /"otlphttp" alias is deprecated; use "otlp_http" instead$/m)
  assert.match(said(), /^g\.yaml: valid, 1 pipeline \(traces\), with 1 warning$/m)
})

test('print-config shows what was merged and expanded, and no secret', () => {
  const text = good.replace('user: u', 'user: "${WHO}"').replace('pin: s3cr3t', 'pin: "${PIN}"')
  const { io, printed } = recorder({ 'g.yaml': text }, { WHO: 'me', PIN: 's3cr3t' })
  const sources = { configs: ['g.yaml'], sets: ['exporters.otlp_http.compression=zstd'] }
  assert.equal(printConfig({ sources, catalog: testCatalog, isJson: true }, io), 0)
  const shown = JSON.parse(printed()) as { exporters: unknown }
  assert.deepEqual(shown.exporters, {
    otlp_http: {
      endpoint: 'http://[REDACTED]@h',
      headers: { x: '[REDACTED]' },
      api: { user: 'me', pin: '[REDACTED]' },
      compression: 'zstd',
    },
  })
  assert.doesNotMatch(printed(), /s3cr3t/)
})

test('components lists every component, for people and for programs', () => {
  const text = listComponents(testCatalog, { isJson: false, version: '1' })
  assert.match(text, /^receivers:\n {2}otlp +beta +traces, metrics, logs +Takes OTLP\.$/m)
  assert.match(text, /otlp_http \(also otlphttp\)/)
  const json = JSON.parse(listComponents(testCatalog, { isJson: true, version: '1' })) as {
    connectors: { name: string; routes: unknown }[]
  }
  const spanMetrics = json.connectors.find(({ name }) => name === 'span_metrics')
  assert.deepEqual(spanMetrics?.routes, [{ from: 'traces', to: 'metrics' }])
})

test('the JSON Schema names every spelling, takes references everywhere and empty sections', () => {
  const schema = configJsonSchema(testCatalog)
  assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema')
  const exporters = schema.properties?.['exporters']
  assert.deepEqual(exporters?.properties?.['otlphttp'], { $ref: '#/$defs/exporter.otlp_http' })
  assert.ok(Object.hasOwn(exporters.patternProperties ?? {}, '^(otlp_http|otlphttp)/.+$'))
  const batch = schema.$defs?.['processor.batch'] as JsonSchema
  assert.deepEqual(batch.type, ['object', 'null', 'string'])
  const trigger = batch.properties?.['send_batch_size']
  assert.deepEqual(
    [trigger?.type, trigger?.default, trigger?.minimum],
    [['integer', 'string'], 8192, 0],
  )
  assert.match('${env:X}', new RegExp(trigger!.pattern!))
  assert.doesNotMatch('100', new RegExp(trigger!.pattern!))
})

test('a reference page tells of every setting', () => {
  const files = referenceFiles(testCatalog)
  const page = files.get('processor-attributes.md') ?? ''
  assert.match(page, /\| `actions\[\]\.key` \| text \| required \|/)
  assert.match(files.get('receiver-otlp.md') ?? '', /refused by name:\n\n- `protocols\.grpc\.auth`/)
  assert.match(
    files.get('exporter-otlp-http.md') ?? '',
    /\| `read_buffer_size` \| byte size \| `512KiB` \|/,
  )
})
