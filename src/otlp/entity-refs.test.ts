import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage } from '../../test/kit/oracle.ts'
import { dropEntityRefs, editResource } from './entity-refs.ts'

const resourceType = 'opentelemetry.proto.resource.v1.Resource'

const attribute = (key: string) => ({ key, value: { stringValue: 'x' } })
const service = { type: 'service', idKeys: ['service.name'], descriptionKeys: ['a', 'b'] }
const host = { type: 'host', idKeys: ['host.id', 'host.name'] }
const resource = encodeMessage(resourceType, {
  attributes: ['service.name', 'host.id', 'host.name', 'a', 'b'].map(attribute),
  entityRefs: [service, host],
})

function refsAfter(keys: readonly string[]) {
  return decodeMessage(resourceType, dropEntityRefs(resource, new Set(keys))).entityRefs
}

test('a reference identified by a deleted attribute is removed', () => {
  assert.deepEqual(refsAfter(['host.name']), [service])
  assert.deepEqual(refsAfter(['host.id', 'service.name']), undefined)
})

test('a reference described by a deleted attribute loses that key only', () => {
  assert.deepEqual(refsAfter(['a']), [{ ...service, descriptionKeys: ['b'] }, host])
})

test('a Resource whose references name none of them stays the same array', () => {
  assert.equal(dropEntityRefs(resource, new Set(['c'])), resource)
})

test('editing a Resource keeps its references true', () => {
  const edited = editResource(resource, (attributes) => {
    attributes.delete('host.id')
    attributes.delete('b')
    attributes.delete('a')
    attributes.set('a', 'again')
  })
  assert.deepEqual(decodeMessage(resourceType, edited).entityRefs, [
    { ...service, descriptionKeys: ['a'] },
  ])
  assert.equal(
    editResource(resource, (attributes) => void attributes.get('a')),
    resource,
  )
})
