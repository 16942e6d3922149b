import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryMessage } from '../../test/kit/arbitraries.ts'
import {
  decodeMessage,
  encodeMessage,
  type Plain,
  type PlainMessage,
} from '../../test/kit/oracle.ts'
import {
  type AttributeValue,
  editAttributes,
  encodeKeyValue,
  readAttributes,
  readValue,
} from './attributes.ts'
import { Refusal } from './refusal.ts'

const resourceType = 'opentelemetry.proto.resource.v1.Resource'
const keyValueType = 'opentelemetry.proto.common.v1.KeyValue'
const anyValueType = 'opentelemetry.proto.common.v1.AnyValue'
const runs = { numRuns: 150 }

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

/** What the oracle's AnyValue means. */
function valueOf(any: PlainMessage | undefined): AttributeValue {
  const [[name, value] = []] = Object.entries(any ?? {}).filter(([name]) => name !== '$unknown')
  if (name === undefined) return null
  if (name === 'bytesValue') return hex((value as string).slice('hex:'.length))
  if (name === 'arrayValue') return list((value as PlainMessage).values).map(valueOf)
  if (name !== 'kvlistValue') return value as string | boolean | bigint | number
  const map = new Map<string, AttributeValue>()
  for (const [key, inner] of pairs((value as PlainMessage).values)) {
    if (!map.has(key)) map.set(key, inner)
  }
  return map
}

function pairs(attributes: Plain | undefined): [string, AttributeValue][] {
  return list(attributes).map(({ key, value }) => [
    (key as string | undefined) ?? '',
    valueOf(value as PlainMessage | undefined),
  ])
}

function list(value: Plain | undefined): readonly PlainMessage[] {
  return (value ?? []) as readonly PlainMessage[]
}

function firstOfEach(attributes: readonly [string, AttributeValue][]): Map<string, AttributeValue> {
  const first = new Map<string, AttributeValue>()
  for (const [key, value] of attributes) if (!first.has(key)) first.set(key, value)
  return first
}

suite('reading attributes', () => {
  test('gives what protobufjs finds, whatever the order of fields', () => {
    fc.assert(
      fc.property(arbitraryMessage(resourceType), ({ bytes }) => {
        const expected = firstOfEach(pairs(decodeMessage(resourceType, bytes).attributes))
        const found = readAttributes(bytes, 1)
        assert.deepEqual(new Map(found.map(({ key, value }) => [key, value])), expected)
        assert.equal(found.length, expected.size)
        for (const { key, value, bytes: keyValue } of found) {
          const [[keyAgain, valueAgain]] = pairs([decodeMessage(keyValueType, keyValue)])
          assert.deepEqual([keyAgain, valueAgain], [key, value])
        }
      }),
      runs,
    )
  })

  test('of keys that come again the first counts, however many there are', () => {
    const attributes = Array.from({ length: 60 }, (_, at) => ({
      key: `k${at % 25}`,
      value: { intValue: at },
    }))
    const found = readAttributes(encodeMessage(resourceType, { attributes }), 1)
    assert.deepEqual(
      found.map(({ key, value }) => [key, value]),
      Array.from({ length: 25 }, (_, at) => [`k${at}`, BigInt(at)]),
    )
  })

  test('a value is what protobufjs makes of it', () => {
    fc.assert(
      fc.property(arbitraryMessage(anyValueType), ({ bytes }) => {
        assert.deepEqual(readValue(bytes), valueOf(decodeMessage(anyValueType, bytes)))
      }),
      runs,
    )
  })

  // facts/otlp.md, section 11.
  const samples = [
    ['0a016b', null],
    ['0a016b1200', null],
    ['0a016b12021800', 0n],
    ['0a016b12020a00', ''],
    ['0a016b120b18ffffffffffffffffff01', -1n],
  ] as const
  for (const [bytes, value] of samples) {
    test(`${bytes} is k with ${typeof value} ${value}`, () => {
      const resource = hex(`0a${(bytes.length / 2).toString(16).padStart(2, '0')}${bytes}`)
      assert.deepEqual(readAttributes(resource, 1), [{ key: 'k', value, bytes: hex(bytes) }])
    })
  }

  test('an array in two pieces is one array, unless another member came between', () => {
    const one = '2a050a030a0161'
    const two = '2a050a030a0162'
    assert.deepEqual(readValue(hex(one + two)), ['a', 'b'])
    assert.deepEqual(readValue(hex(`${one}1001${two}`)), ['b'])
  })

  test('a known member in another wire type is no value', () => {
    assert.equal(readValue(hex('0801')), null)
    assert.equal(readValue(hex('120161')), null)
  })

  test('nesting is followed a hundred deep and refused beyond', () => {
    const nested = (depth: number) => {
      let value: AttributeValue = 'deep'
      for (let level = 0; level < depth; level++) value = [value]
      return encodeKeyValue('k', value)
    }
    const resource = (depth: number) =>
      editAttributes(hex(''), 1, (a) => a.setEncoded('k', nested(depth)))
    assert.equal(readAttributes(resource(100), 1).length, 1)
    assert.throws(() => readAttributes(resource(101), 1), Refusal)
  })

  test('what is not UTF-8 reads as replacement characters', () => {
    assert.equal(readValue(hex('0a02ff41')), '\ufffdA')
  })

  test('a byte order mark is part of a key', () => {
    assert.deepEqual(
      readAttributes(hex(`0a050a03efbbbf`), 1).map(({ key }) => key),
      ['\ufeff'],
    )
  })
})

const values: fc.Arbitrary<AttributeValue> = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 60, maxLength: 200 }),
    fc.boolean(),
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.double(),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.array(fc.tuple(fc.string(), tie('value')), { maxLength: 3 }).map((all) => new Map(all)),
  ),
})).value

suite('writing attributes', () => {
  test('a value is read back the same, by us and by protobufjs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), values, (key, value) => {
        const bytes = encodeKeyValue(key, value)
        const [[oracleKey, oracleValue]] = pairs([decodeMessage(keyValueType, bytes)])
        const wellFormed = key.toWellFormed()
        assert.equal(oracleKey, wellFormed)
        const resource = editAttributes(hex(''), 1, (attributes) => attributes.set(key, value))
        const [attribute] = readAttributes(resource, 1)
        assert.equal(attribute.key, wellFormed)
        assert.deepEqual(attribute.value, oracleValue)
        if (typeof value !== 'object' || value instanceof Uint8Array) {
          assert.deepEqual(
            attribute.value,
            typeof value === 'string' ? value.toWellFormed() : value,
          )
        }
      }),
      runs,
    )
  })
})

type Action =
  | { readonly do: 'set'; readonly key: string; readonly value: AttributeValue }
  | { readonly do: 'delete'; readonly key: string }

suite('editing attributes', () => {
  // Few keys, so that edits meet what is there, more than once.
  const keys = fc.constantFrom('a', 'b', 'service.name', 'é', '')
  const actions: fc.Arbitrary<Action[]> = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('set' as const), key: keys, value: values }),
      fc.record({ do: fc.constant('delete' as const), key: keys }),
    ),
    { maxLength: 6 },
  )
  const plainValues = fc.constantFrom<PlainMessage[]>({ stringValue: 'x' }, { intValue: 7n }, {})
  const attributes: fc.Arbitrary<PlainMessage[]> = fc.array(
    fc.record({ key: keys, value: plainValues }),
    { maxLength: 6 },
  )

  test('does what a list of pairs does', () => {
    fc.assert(
      fc.property(attributes, actions, (plain, actions) => {
        const before = encodeMessage(resourceType, { attributes: plain, droppedAttributesCount: 3 })
        const model = pairs(plain)
        const after = editAttributes(before, 1, (editor) => {
          for (const action of actions) {
            const index = model.findIndex(([key]) => key === action.key)
            assert.equal(editor.has(action.key), index >= 0)
            assert.deepEqual(editor.get(action.key), index >= 0 ? model[index][1] : undefined)
            if (action.do === 'delete') {
              assert.equal(editor.delete(action.key), index >= 0)
              removeAll(model, action.key, 0)
            } else {
              editor.set(action.key, action.value)
              removeAll(model, action.key, index + 1)
              if (index >= 0) model[index][1] = action.value
              else model.push([action.key, action.value])
            }
            assert.deepEqual(editor.keys(), [...new Set(model.map(([key]) => key))])
          }
        })
        const decoded = decodeMessage(resourceType, after)
        const wellFormed = model.map(([key, value]) => oracleForm(key, value))
        assert.deepEqual(pairs(decoded.attributes), wellFormed)
        assert.equal(decoded.droppedAttributesCount, 3)
        if (actions.length === 0) assert.equal(after, before)
      }),
      { numRuns: 300 },
    )
  })

  test('keeps every byte of what it does not touch, in any field order', () => {
    fc.assert(
      fc.property(arbitraryMessage(resourceType), ({ bytes }) => {
        assert.equal(
          editAttributes(bytes, 1, (editor) => editor.delete('no such key')),
          bytes,
        )
        const added = editAttributes(bytes, 1, (editor) => editor.set('no such key', 1n))
        assert.deepEqual(added.subarray(0, bytes.length), bytes)
        const restored = editAttributes(added, 1, (editor) => editor.delete('no such key'))
        assert.deepEqual(restored, bytes)
      }),
      runs,
    )
  })

  test('setting what is there already gives the very same array', () => {
    const resource = editAttributes(hex(''), 1, (editor) => editor.set('k', 'v'))
    assert.equal(
      editAttributes(resource, 1, (editor) => editor.set('k', 'v')),
      resource,
    )
    assert.equal(
      editAttributes(resource, 1, (editor) => {
        editor.set('k', 'other')
        editor.set('k', 'v')
      }),
      resource,
    )
  })

  test('finds the key behind the value', () => {
    const descending = hex('0a0812030a01610a016b')
    const edited = editAttributes(descending, 1, (editor) => {
      assert.equal(editor.get('k'), 'a')
      editor.set('k', 'b')
    })
    assert.deepEqual(edited, hex('0a080a016b12030a0162'))
  })
})

function removeAll(model: [string, AttributeValue][], key: string, from: number): void {
  for (let index = model.length - 1; index >= from; index--) {
    if (model[index][0] === key) model.splice(index, 1)
  }
}

/** A pair as it comes back from the wire: lone surrogates replaced, keys of maps once. */
function oracleForm(key: string, value: AttributeValue): [string, AttributeValue] {
  const [pair] = pairs([decodeMessage(keyValueType, encodeKeyValue(key, value))])
  return pair
}
