import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest } from '../../../../test/kit/arbitraries.ts'
import {
  decodeRequest,
  encodeRequest,
  type Plain,
  type PlainMessage,
} from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { signalNames } from '../../../otlp/signal.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { resource } from './index.ts'

function editor(...attributes: object[]) {
  const host = testHost({ id: 'resource', signal: 'logs' })
  const processor = resource.create(resource.config.parse({ attributes }), host)
  return {
    host,
    misses: () => host.meter.value('penstock_processor_resource_cache_misses', own),
    evictions: () => host.meter.value('penstock_processor_resource_cache_evictions', own),
    edit: (bytes: Uint8Array, client?: ClientInfo) => {
      const batch = indexRequest('logs', bytes, client)
      void processor.consume(batch)
      return { before: batch, after: host.sink.batches.at(-1)! }
    },
  }
}

const own = { processor: 'resource' }

const keyed = (key: string, stringValue: string): PlainMessage => ({ key, value: { stringValue } })

function request(...resources: (PlainMessage | undefined)[]): Uint8Array {
  const scopeLogs = [{ logRecords: [{ body: { stringValue: 'x' } }] }]
  const resourceLogs = resources.map((one): PlainMessage =>
    one === undefined ? { scopeLogs } : { resource: one, scopeLogs },
  )
  return encodeRequest('logs', { resourceLogs })
}

function resourcesOf(bytes: Uint8Array): Plain[] {
  const groups = decodeRequest('logs', bytes).resourceLogs as readonly PlainMessage[]
  return groups.map((group) => group.resource ?? 'none')
}

test('a resource seen before costs a look-up, in whichever request it comes', () => {
  const { edit, misses } = editor({ action: 'upsert', key: 'env', value: 'prod' })
  const one = { attributes: [keyed('service.name', 'a')], droppedAttributesCount: 3 }
  const other = { attributes: [keyed('service.name', 'b')] }
  const expected = (name: string) => [keyed('service.name', name), keyed('env', 'prod')]
  for (let round = 0; round < 3; round++) {
    const { after } = edit(request(one, other, one))
    assert.deepEqual(resourcesOf(encodeBatch(after)), [
      { ...one, attributes: expected('a') },
      { attributes: expected('b') },
      { ...one, attributes: expected('a') },
    ])
  }
  assert.equal(misses(), 2)
})

test('a batch that nothing changes in passes as it is', () => {
  const { edit, misses } = editor({ action: 'delete', key: 'secret' })
  for (let round = 0; round < 2; round++) {
    const { before, after } = edit(request({ attributes: [keyed('a', 'b')] }, undefined))
    assert.equal(after, before)
  }
  assert.equal(misses(), 2)
})

test('a group without a resource gets one when there is something to say', () => {
  const { edit } = editor({ action: 'insert', key: 'env', value: 'prod' })
  const { after } = edit(request(undefined, {}))
  const added = { attributes: [keyed('env', 'prod')] }
  assert.deepEqual(resourcesOf(encodeBatch(after)), [added, added])
})

test('what depends on the client is not remembered', () => {
  const { edit, misses } = editor({ action: 'upsert', key: 'tenant', from_context: 'x-tenant' })
  const bytes = request({ attributes: [keyed('a', 'b')] })
  const from = (tenant: string): ClientInfo => ({
    address: '',
    metadata: new Map([['x-tenant', [tenant]]]),
    auth: new Map(),
  })
  for (const tenant of ['red', 'blue', 'red']) {
    const { after } = edit(bytes, from(tenant))
    assert.equal(after.client?.metadata.get('x-tenant')?.[0], tenant)
    assert.deepEqual(resourcesOf(encodeBatch(after)), [
      { attributes: [keyed('a', 'b'), keyed('tenant', tenant)] },
    ])
  }
  const { before, after } = edit(bytes)
  assert.equal(after, before)
  assert.equal(misses(), 0)
})

test('references of entities to a deleted attribute go with it', () => {
  const { edit } = editor({ action: 'delete', pattern: '^(id|note)$' })
  const before: PlainMessage = {
    attributes: [keyed('id', '1'), keyed('note', '2'), keyed('name', '3')],
    entityRefs: [
      { type: 'process', idKeys: ['id'] },
      { type: 'service', idKeys: ['name'], descriptionKeys: ['note', 'name'] },
    ],
  }
  assert.deepEqual(resourcesOf(encodeBatch(edit(request(before)).after)), [
    {
      attributes: [keyed('name', '3')],
      entityRefs: [{ type: 'service', idKeys: ['name'], descriptionKeys: ['name'] }],
    },
  ])
})

test('the memory of resources is bounded and says what it forgets', () => {
  const { edit, evictions } = editor({ action: 'insert', key: 'env', value: 'prod' })
  const resources = Array.from({ length: 8200 }, (_, index) => ({
    attributes: [keyed('id', String(index))],
  }))
  edit(request(...resources))
  assert.equal(evictions(), 8)
})

test('a resource that is not protobuf is refused for good', () => {
  const { edit } = editor({ action: 'insert', key: 'env', value: 'prod' })
  // ResourceLogs { Resource: a field of 9 bytes, of which none are there } and a record.
  const bytes = Uint8Array.of(0x0a, 0x08, 0x0a, 0x02, 0x0a, 0x09, 0x12, 0x02, 0x12, 0x00)
  assert.throws(() => edit(bytes), { code: 'invalid' })
})

test('edits give what the same edits give on decoded requests, items untouched', () => {
  const actions = [
    { action: 'upsert', key: 'a', value: 'new' },
    { action: 'delete', key: 'service.name' },
  ]
  for (const signal of signalNames) {
    const host = testHost({ signal })
    const processor = resource.create(resource.config.parse({ attributes: actions }), host)
    fc.assert(
      fc.property(arbitraryRequest(signal), ({ bytes }) => {
        void processor.consume(indexRequest(signal, bytes))
        const after = encodeBatch(host.sink.batches.pop()!)
        const expected = editDecoded(decodeRequest(signal, bytes, { unknown: true }))
        assert.deepEqual(sorted(decodeRequest(signal, after, { unknown: true })), sorted(expected))
      }),
      { numRuns: 50 },
    )
  }
})

/** The same edit on plain objects. Entity references are left out of the comparison: they have a test of their own. */
function editDecoded(whole: PlainMessage): PlainMessage {
  return Object.fromEntries(
    Object.entries(whole).map(([name, value]) => [
      name,
      name.startsWith('resource')
        ? (value as readonly PlainMessage[]).map((group) => editGroup(group))
        : value,
    ]),
  )
}

function editGroup(group: PlainMessage): PlainMessage {
  const before = (group.resource ?? {}) as PlainMessage
  const old = (before.attributes ?? []) as readonly PlainMessage[]
  const keyOf = (attribute: PlainMessage) => attribute.key ?? ''
  const rest = old.filter((one) => keyOf(one) !== 'service.name')
  const first = rest.findIndex((one) => keyOf(one) === 'a')
  const isUnchangedFirst = first >= 0
  const others = rest.filter((one, index) => keyOf(one) !== 'a' || index === first)
  const attributes = isUnchangedFirst
    ? others.map((one) => (keyOf(one) === 'a' ? keyed('a', 'new') : one))
    : [...others, keyed('a', 'new')]
  return { ...group, resource: { ...before, attributes } }
}

function sorted(value: unknown): unknown {
  return JSON.parse(JSON.stringify(withoutEntities(value), numbersAsText)) as unknown
}

function withoutEntities(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEntities)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([name]) => name !== 'entityRefs')
  return Object.fromEntries(
    entries
      .map(([name, inner]) => [name, withoutEntities(inner)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** JSON has neither bigints nor NaN nor -0. */
function numbersAsText(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'number') return value
  return Object.is(value, -0) ? 'number -0' : `number ${value}`
}
