import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { decodeRequest } from '../../test/kit/oracle.ts'
import { encodeBatch, encodeSegments } from './encode-batch.ts'
import { indexRequest } from './index-request.ts'
import { mergeBatches } from './merge.ts'
import { mapResources } from './splice.ts'

const payload = (name: string) =>
  readFileSync(new URL(`../../bench/payloads/${name}.pb`, import.meta.url))

const payloads = [
  ['collector-t500', 'traces', 500, 5],
  ['collector-t10', 'traces', 10, 1],
  ['ascending-t512', 'traces', 512, 1],
  ['collector-m500', 'metrics', 500, 5],
] as const

for (const [name, signal, itemCount, groupCount] of payloads) {
  test(`${name} is indexed by resource, and its encoding means the same to protobufjs`, () => {
    const bytes = payload(name)
    const batch = indexRequest(signal, bytes)
    assert.deepEqual([batch.itemCount, batch.groups.length], [itemCount, groupCount])
    const encoded = encodeBatch(batch)
    assert.equal(encoded.length, batch.byteLength)
    assert.deepEqual(decodeRequest(signal, encoded), decodeRequest(signal, bytes))
    assert.deepEqual(new Uint8Array(Buffer.concat(encodeSegments(batch, 1000))), encoded)
  })

  test(`${name} shares memory with what arrived`, () => {
    const bytes = payload(name)
    for (const group of indexRequest(signal, bytes).groups) {
      assert.equal(group.rest.buffer, bytes.buffer)
      assert.equal(group.resource?.buffer, bytes.buffer)
    }
  })
}

test('merged requests mean what their bytes mean when joined', () => {
  const [first, second] = [payload('collector-t10'), payload('ascending-t10')]
  const merged = mergeBatches([indexRequest('traces', first), indexRequest('traces', second)])
  assert.equal(merged.itemCount, 20)
  assert.deepEqual(
    decodeRequest('traces', encodeBatch(merged)),
    decodeRequest('traces', Buffer.concat([first, second])),
  )
})

test('an edit that changes nothing gives the same batch, and one that does leaves the rest alone', () => {
  const batch = indexRequest('traces', payload('collector-t10'))
  assert.equal(
    mapResources(batch, (resource) => resource),
    batch,
  )
  const empty = mapResources(batch, () => undefined)
  assert.equal(empty.groups[0].rest, batch.groups[0].rest)
  assert.equal(empty.groups[0].resource, undefined)
  assert.equal(encodeBatch(empty).length, empty.byteLength)
})

test('a length that runs past its message is refused with its offset', () => {
  assert.throws(() => indexRequest('traces', Uint8Array.of(0x0a, 0x05, 0x12)), {
    name: 'Refusal',
    code: 'invalid',
    message: 'malformed protobuf: a length that runs past its message at byte 1',
  })
})
