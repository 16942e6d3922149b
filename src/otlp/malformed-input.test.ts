import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest } from '../../test/kit/arbitraries.ts'
import { editAttributes, readAttributes } from './attributes.ts'
import { editItems } from './edit-items.ts'
import { encodeBatch } from './encode-batch.ts'
import { editResource } from './entity-refs.ts'
import { itemAttributesField } from './fields.ts'
import { indexRequest } from './index-request.ts'
import { Refusal } from './refusal.ts'
import { type Signal, signalNames } from './signal.ts'
import { splitByBytes, splitByItems } from './split.ts'
import { forEachItem, forEachScope } from './walk.ts'

/** All that this room can do with a request, as text; or the refusal. */
function everything(signal: Signal, bytes: Uint8Array): string {
  const seen: unknown[] = []
  const attempt = (work: () => unknown) => {
    try {
      seen.push(work())
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'invalid') throw error
      seen.push(error.message)
    }
  }
  attempt(() => {
    const batch = indexRequest(signal, bytes)
    attempt(() => hexOf(encodeBatch(batch)))
    attempt(() => splitByItems(batch, 1).map((part) => hexOf(encodeBatch(part))))
    attempt(() => splitByBytes(batch, 40).map((part) => hexOf(encodeBatch(part))))
    attempt(() => editItems(batch, (item) => (item.length % 2 === 0 ? item : undefined)).itemCount)
    for (const group of batch.groups) {
      const { resource } = group
      if (resource !== undefined) {
        attempt(() => readAttributes(resource, 1).length)
        attempt(() => hexOf(editResource(resource, (attributes) => attributes.delete('a'))))
      }
      attempt(() => forEachScope(signal, group, (scope) => seen.push(scope.schemaUrl)))
      attempt(() =>
        forEachItem(signal, group, (item, scope) => {
          const field =
            signal === 'metrics' ? scope.metric!.attributesField : itemAttributesField[signal]
          attempt(() => hexOf(editAttributes(item, field, (attributes) => attributes.set('k', 1))))
        }),
      )
    }
    return batch.itemCount
  })
  return JSON.stringify(seen)
}

const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** The bytes in the middle of others: who reads outside sees other numbers, or tags that go on. */
function between(margin: number, bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(bytes.length + 64).fill(margin)
  whole.set(bytes, 32)
  return whole.subarray(32, 32 + bytes.length)
}

function neverReadsOutside(signal: Signal, bytes: Uint8Array): void {
  const alone = everything(signal, Uint8Array.from(bytes))
  assert.equal(everything(signal, between(0xff, bytes)), alone)
  assert.equal(everything(signal, between(0x00, bytes)), alone)
}

for (const signal of signalNames) {
  suite(`${signal} that is not what it should be`, () => {
    test('random bytes are taken or refused, and nothing around them is read', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => neverReadsOutside(signal, bytes)),
        { numRuns: 300 },
      )
    })

    test('so are requests with some bytes changed, cut off or put in', () => {
      const changes = fc.array(
        fc.record({
          at: fc.nat(),
          byte: fc.nat(255),
          how: fc.constantFrom('set', 'cut', 'insert'),
        }),
        { minLength: 1, maxLength: 4 },
      )
      fc.assert(
        fc.property(arbitraryRequest(signal), changes, (request, changes) => {
          const bytes = [...request.bytes]
          for (const { at, byte, how } of changes) {
            const index = at % (bytes.length + 1)
            if (how === 'cut') bytes.length = index
            else bytes.splice(index, how === 'set' ? 1 : 0, byte)
          }
          neverReadsOutside(signal, Uint8Array.from(bytes))
        }),
        { numRuns: 150 },
      )
    })
  })
}

suite('a refusal names the offset', () => {
  // From facts/otlp.md, section 9: what is malformed at any level.
  const cases = [
    ['a field number 0', '0001', /field number 0 at byte 0/],
    ['field number 0 inside a scope', '0a0412020001', /field number 0 at byte 4/],
    ['a length beyond the request', '0a05120112', /runs past its message at byte 1/],
    ['a length beyond its group', '0a021205ffff', /runs past its message at byte 3/],
    ['an item beyond its scope', '0a0412021205ffffff', /runs past its message at byte 5/],
    ['a length of ten bytes', '0affffffffffffffffff01', /runs past its message at byte 1/],
    ['a varint of eleven bytes', '10ffffffffffffffffffff01', /longer than ten bytes at byte 1/],
    ['a truncated varint', '1080', /truncated varint at byte 1/],
    ['a truncated tag', '80', /truncated varint at byte 0/],
    ['a truncated fixed64', '0901020304', /truncated value at byte 1/],
    ['a truncated fixed32', '0d010203', /truncated value at byte 1/],
    ['a group that another ends', '0b14', /end of another group at byte 1/],
    ['a group without an end', '0b0801', /group without an end at byte 3/],
    ['an end without a group', '0c', /group that was not begun at byte 0/],
    ['wire type 6', '0e', /wire type 6 at byte 0/],
    ['groups in each other, 101 of them', '0b'.repeat(101), /deeper than 100 at byte 100/],
  ] as const
  for (const [what, hex, message] of cases) {
    test(what, () => {
      const bytes = new Uint8Array(Buffer.from(hex, 'hex'))
      assert.throws(() => indexRequest('traces', bytes), { code: 'invalid', message })
    })
  }

  test('and groups a hundred deep are passed over and kept', () => {
    const bytes = new Uint8Array(Buffer.from('0b'.repeat(100) + '0c'.repeat(100), 'hex'))
    assert.deepEqual(indexRequest('traces', bytes).unknown, bytes)
  })
})
