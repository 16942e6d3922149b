/** Every configuration that we hand out runs, and is taken by the JSON Schema that editors hold it to. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { configJsonSchema } from '../../src/cli/json-schema.ts'
import { catalog } from '../../src/components/catalog.ts'
import { renderComplaints } from '../../src/config/complaint.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { checkConfig } from '../../src/service/check-config.ts'
import { readOnlyDisk } from '../kit/memory-disk.ts'

const root = new URL('../../', import.meta.url)
const schema = z.fromJSONSchema(configJsonSchema(catalog) as Parameters<typeof z.fromJSONSchema>[0])

/** The configurations in a file: the file itself, or the texts inside a manifest of Kubernetes. */
function configurationsIn(name: string): { name: string; text: string }[] {
  const text = readFileSync(new URL(name, root), 'utf8')
  const documents = parseAllDocuments(text).map((document) => document.toJS() as unknown)
  if (documents.some(isPenstocks)) return [{ name, text }]
  return documents
    .flatMap((document) => Object.entries((document as { data?: object }).data ?? {}))
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    .filter(([, inner]) => isPenstocks(parse(inner)))
    .map(([key, inner]) => ({ name: `${name}#${key}`, text: inner }))
}

function isPenstocks(document: unknown): boolean {
  return typeof document === 'object' && document !== null && 'receivers' in document
}

const configurations = ['config/', 'deploy/'].flatMap((folder) =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.ya?ml$/.test(name))
    .flatMap((name) => configurationsIn(folder + name)),
)

test('there are configurations to try', () => {
  const names = configurations.map(({ name }) => name)
  assert.ok(names.includes('config/gateway.yaml'))
  assert.ok(names.includes('deploy/kubernetes/penstock.yaml#gateway.yaml'))
})

for (const { name, text } of configurations) {
  test(`${name} has nothing to complain of`, () => {
    const disk = readOnlyDisk({ [name]: text })
    const loaded = loadConfig({ configs: [name], sets: [] }, {}, disk)
    const { complaints, config } = checkConfig(loaded, catalog)
    assert.equal(renderComplaints(complaints), renderComplaints([]))
    assert.ok(config)
  })

  test(`${name} is taken by the JSON Schema`, () => {
    assert.deepEqual(schema.safeParse(parse(text)).error?.issues, undefined)
  })
}

test('the JSON Schema takes every key of the Collector that we support', () => {
  const file = new URL('test/golden/collector/every-key-of-the-collector.txt', root)
  const [text] = readFileSync(file, 'utf8').split('----------\n')
  assert.deepEqual(schema.safeParse(parse(text)).error?.issues, undefined)
})

test('the JSON Schema refuses unknown and unsupported settings', () => {
  const taken = { receivers: { otlp: { protocols: { grpc: {} } } } }
  assert.equal(schema.safeParse(taken).success, true)
  for (const [key, value] of [
    ['grcp', {}],
    ['grpc', { middlewares: 'limiter' }],
    ['grpc', { max_concurrent_streams: 'many' }],
  ] as const) {
    const refused = { receivers: { otlp: { protocols: { [key]: value } } } }
    assert.equal(schema.safeParse(refused).success, false, key)
  }
})
