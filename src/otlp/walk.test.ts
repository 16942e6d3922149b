import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  decodeRequest,
  encodeMessage,
  encodeRequest,
  type PlainMessage,
} from '../../test/kit/oracle.ts'
import { editItems } from './edit-items.ts'
import { encodeBatch } from './encode-batch.ts'
import { indexRequest } from './index-request.ts'
import type { Signal } from './signal.ts'
import { splitByBytes, splitByItems } from './split.ts'
import { forEachItem, forEachItemRange, forEachScope } from './walk.ts'

const batchOf = (signal: Signal, request: PlainMessage) =>
  indexRequest(signal, encodeRequest(signal, request))

const decoded = (signal: Signal, batch: Parameters<typeof encodeBatch>[0]) =>
  decodeRequest(signal, encodeBatch(batch))

const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'))

/** Encoded fields as one length-delimited field, in hex. */
function field(tag: string, ...bodies: readonly string[]): string {
  const body = bodies.join('')
  return tag + (body.length / 2).toString(16).padStart(2, '0') + body
}

suite('scopes', () => {
  const traces = batchOf('traces', {
    resourceSpans: [
      {
        scopeSpans: [
          { scope: { name: 'one', version: '1' }, schemaUrl: 'url', spans: [{ name: 'a' }] },
          { spans: [{ name: 'b' }, { name: 'c' }] },
        ],
      },
    ],
  })

  test('are visited with their scope and schema', () => {
    const seen: unknown[] = []
    forEachScope('traces', traces.groups[0], (scope) => seen.push([scope.scope, scope.schemaUrl]))
    const one = encodeMessage('opentelemetry.proto.common.v1.InstrumentationScope', {
      name: 'one',
      version: '1',
    })
    assert.deepEqual(seen, [
      [one, 'url'],
      [undefined, ''],
    ])
  })

  test('that come in two pieces are one', () => {
    const pieces = field('12', '0a03', '0a016e', '0a03', '120176', '1200')
    const batch = indexRequest('traces', hex(field('0a', pieces)))
    forEachItem('traces', batch.groups[0], (item, scope) => {
      assert.deepEqual([item.length, scope.scope], [0, hex('0a016e120176')])
    })
  })

  test('items can be visited without an array for each', () => {
    const seen: unknown[] = []
    forEachItemRange('traces', traces.groups[0], (item, scope) => {
      seen.push([item.bytes.slice(item.start, item.end), scope.schemaUrl])
    })
    const span = (name: string) => encodeMessage('opentelemetry.proto.trace.v1.Span', { name })
    assert.deepEqual(seen, [
      [span('a'), 'url'],
      [span('b'), ''],
      [span('c'), ''],
    ])
  })

  test('left without items by a drop are removed, and so are groups', () => {
    const withoutA = editItems(traces, (item) => (item[2] === 0x61 ? undefined : item))
    assert.deepEqual(decoded('traces', withoutA), {
      resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'b' }, { name: 'c' }] }] }],
    })
    assert.equal(editItems(traces, () => undefined).groups.length, 0)
  })

  test('of field 1000 are counted, visited, cut and keep their number', () => {
    const old = field('c23e', '0a050a036c6962', '12052a036f6c64', '12052a036e6577')
    const bytes = hex(field('0a', old))
    const batch = indexRequest('traces', bytes)
    assert.equal(batch.itemCount, 2)
    const [first, second] = splitByItems(batch, 1)
    assert.equal(
      Buffer.from(encodeBatch(second)).toString('hex'),
      field('0a', field('c23e', '0a050a036c6962', '12052a036e6577')),
    )
    assert.equal(first.itemCount, 1)
    const names: string[] = []
    forEachItem('traces', batch.groups[0], (item) => names.push(Buffer.from(item).toString()))
    assert.deepEqual(names, ['*\x03old', '*\x03new'])
  })
})

suite('metrics', () => {
  const sum = {
    name: 'a.b',
    unit: 'By',
    description: 'what it is',
    sum: {
      dataPoints: [{ asInt: 1n }, { asInt: 2n }, { asInt: 3n }],
      aggregationTemporality: 2,
      isMonotonic: true,
    },
  }
  const batch = batchOf('metrics', {
    resourceMetrics: [
      { scopeMetrics: [{ scope: { name: 's' }, metrics: [sum, { name: 'no data' }] }] },
    ],
  })

  test('points are visited with their metric and where they keep attributes', () => {
    const seen: unknown[] = []
    const kinds = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']
    const all = batchOf('metrics', {
      resourceMetrics: [
        { scopeMetrics: [{ metrics: kinds.map((kind) => ({ [kind]: { dataPoints: [{}] } })) }] },
      ],
    })
    assert.equal(all.itemCount, 5)
    forEachItem('metrics', all.groups[0], (_point, { metric }) => {
      seen.push([metric!.dataField, metric!.attributesField, metric!.message.length])
    })
    assert.deepEqual(seen, [
      [5, 7, 4],
      [7, 7, 4],
      [9, 9, 4],
      [10, 1, 4],
      [11, 7, 4],
    ])
  })

  test('a metric is cut between its points, with its head in both parts', () => {
    const [first, second] = splitByItems(batch, 2)
    const part = (from: number, to: number) => ({
      ...sum,
      sum: { ...sum.sum, dataPoints: sum.sum.dataPoints.slice(from, to) },
    })
    const request = (...metrics: PlainMessage[]) => ({
      resourceMetrics: [{ scopeMetrics: [{ scope: { name: 's' }, metrics }] }],
    })
    assert.deepEqual(decoded('metrics', first), request(part(0, 2)))
    assert.deepEqual(decoded('metrics', second), request(part(2, 3), { name: 'no data' }))
    assert.equal(splitByBytes(batch, 1).length, 4)
  })

  test('a metric left without points by a drop is removed, one without points stays', () => {
    const dropped = editItems(batch, () => undefined)
    assert.deepEqual(decoded('metrics', dropped), {
      resourceMetrics: [
        { scopeMetrics: [{ scope: { name: 's' }, metrics: [{ name: 'no data' }] }] },
      ],
    })
  })

  // Two gauge points, then a sum in two pieces with one point each and its temporality in the first.
  const pieces = [field('2a', '0a00', '0a00'), field('3a', '0a00', '1002'), field('3a', '0a00')]
  const metric = field('12', '0a016d', ...pieces)
  const twoMembers = indexRequest('metrics', hex(field('0a', field('12', metric))))

  test('of two members of data the last counts, its pieces as one', () => {
    assert.equal(twoMembers.itemCount, 2)
    const fields: number[] = []
    forEachItem('metrics', twoMembers.groups[0], (_point, { metric }) =>
      fields.push(metric!.dataField),
    )
    assert.deepEqual(fields, [7, 7])
    const again = field(
      '12',
      field('12', field('2a', '0a00'), field('3a', '0a00'), field('2a', '0a00')),
    )
    assert.equal(indexRequest('metrics', hex(field('0a', again))).itemCount, 1)
  })

  test('pieces of data keep their common head when they are cut or edited', () => {
    const whole = { name: 'm', sum: { dataPoints: [{}], aggregationTemporality: 2 } }
    const expected = { resourceMetrics: [{ scopeMetrics: [{ metrics: [whole] }] }] }
    for (const part of splitByItems(twoMembers, 1)) {
      assert.deepEqual(decoded('metrics', part), expected)
    }
    let count = 0
    const edited = editItems(twoMembers, (point) => (count++ === 0 ? undefined : point))
    assert.equal(edited.itemCount, 1)
    const encoded = Buffer.from(encodeBatch(edited))
    assert.equal(indexRequest('metrics', encoded).itemCount, 1)
    assert.ok(encoded.includes('1002', 0, 'hex'), 'the temporality is still there')
  })
})

test('every budget in bytes is kept to the byte', () => {
  const span = (name: string) => ({ name, traceState: 'x'.repeat(40) })
  const batch = batchOf('traces', {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'k' }] },
        scopeSpans: [{ scope: { name: 's' }, spans: 'abcdefg'.split('').map(span) }],
      },
    ],
  })
  const smallest = splitByItems(batch, 1)[0].byteLength
  for (let budget = smallest; budget <= batch.byteLength; budget++) {
    const parts = splitByBytes(batch, budget)
    for (const part of parts)
      assert.ok(part.byteLength <= budget, `${part.byteLength} in ${budget}`)
    // All spans are of one length, so that no part could have held another one's first.
    const countMax = Math.max(...parts.map((part) => part.itemCount))
    for (const part of parts.slice(0, -1)) assert.equal(part.itemCount, countMax)
    const more = splitByItems(batch, countMax + 1)[0].byteLength
    if (countMax < 7) assert.ok(more > budget, `${countMax + 1} items are ${more} in ${budget}`)
  }
})

test('a budget without room for anything is a mistake of the caller', () => {
  const batch = batchOf('logs', {})
  assert.throws(() => splitByItems(batch, 0), RangeError)
  assert.throws(() => splitByBytes(batch, NaN), RangeError)
  assert.deepEqual(splitByItems(batch, 1), [batch])
})
