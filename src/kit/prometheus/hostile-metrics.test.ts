import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testHost } from '../../../test/kit/test-host.ts'
import { gauge, metricsBatch, metricsRequest, point } from '../../../test/kit/metrics-request.ts'
import { withBrokenLength } from '../../../test/kit/malformed.ts'
import type { Batch } from '../../otlp/batch.ts'
import { indexRequest } from '../../otlp/index-request.ts'
import { Refusal } from '../../otlp/refusal.ts'
import { metricDataFields } from '../../otlp/fields.ts'
import { WireWriter } from '../../wire/wire-writer.ts'
import { collectorLabelNaming } from './label-name.ts'
import { PointReader } from './point-reader.ts'
import { PointValue } from './point-value.ts'
import { SeriesIndex } from './series-index.ts'

const rules = {
  naming: collectorLabelNaming,
  constLabels: [],
  scopeInfo: true,
  promotes: () => false,
  keepIdentifying: false,
}

/** An index and what it hands out. */
function indexed(entriesMax = 1000) {
  const taken: string[] = []
  const drops: [pointCount: number, cause: string | undefined][] = []
  const value = new PointValue()
  const index = new SeriesIndex<undefined, string>(
    { rules, seed: 7, entriesMax, host: testHost() },
    {
      isGone: () => false,
      isNew: () => true,
      openMetric: () => true,
      partBytes: () => 0,
      openSeries: ({ name }) => name,
      take: (name, read, { dataField }) => {
        value.read(read, dataField)
        taken.push(name)
      },
      drop: (_metric, pointCount, cause) => drops.push([pointCount, cause]),
    },
  )
  return { index, taken, drops, read: (batch: Batch) => index.read(batch, 0) }
}

const one = (name: string, attributes = {}) => gauge(name, [point(attributes, { asInt: 1n })])
const good = metricsRequest([one('good')])

for (const [where, request] of [
  ['attribute', metricsRequest([one('a', { broken: 'x' })])],
  ['resource', metricsRequest([one('a')], { resource: { broken: 'x' } })],
  ['scope', metricsRequest([one('a')], { scope: { name: 'broken' } })],
] as const) {
  test(`a malformed ${where} costs its own points alone, whoever else is in the batch`, () => {
    const { read, taken, drops } = indexed()
    const bad = withBrokenLength(request, 'broken')
    // As the batch processor joins what came from several clients: encoded requests one behind the other.
    read(indexRequest('metrics', Buffer.concat([good, bad, good])))
    assert.deepEqual(taken, ['good', 'good'])
    assert.deepEqual(drops, [[1, 'malformed']])
    assert.throws(
      () => read(indexRequest('metrics', bad)),
      (error) => error instanceof Refusal && error.code === 'invalid',
    )
  })
}

const pieceCount = 300_000

/** A field, so many times. */
function repeated(field: number, write: (writer: WireWriter) => void): Uint8Array {
  const writer = new WireWriter(64)
  writer.message(field, () => write(writer))
  return Buffer.concat(Array.from({ length: pieceCount }, () => writer.finish()))
}

// What costs the square of its length would take minutes here.
test('messages in very many pieces are read in a time that grows with their length', () => {
  const startedMs = performance.now()
  const { read, taken } = indexed()
  const [group] = metricsBatch([one('a')]).groups
  const inPieces = (field: number, bytes: Uint8Array) => {
    const writer = new WireWriter(64)
    writer.bytes(field, bytes)
    return writer.finish()
  }
  const metric = (...parts: Uint8Array[]) => {
    const rest = inPieces(2, inPieces(2, Buffer.concat(parts)))
    read(metricsBatch([one('a')]).withGroups([{ ...group, rest }]))
  }
  const { gauge: gaugeField, histogram, exponentialHistogram } = metricDataFields
  const empty = () => {}
  const attributeAndTime = Buffer.from([0x3a, 0, 0x19, 0, 0, 0, 0, 0, 0, 0, 0])
  const unpackedBound = Buffer.from([0x39, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f])
  const repeat = (piece: Buffer) => Buffer.alloc(piece.length * pieceCount, piece)
  metric(inPieces(gaugeField, inPieces(1, repeat(attributeAndTime))))
  metric(inPieces(histogram, inPieces(1, repeat(unpackedBound))))
  metric(
    inPieces(
      exponentialHistogram,
      inPieces(
        1,
        repeated(8, (to) => to.sint32(1, 0)),
      ),
    ),
  )
  metric(repeated(gaugeField, empty), inPieces(gaugeField, inPieces(1, Buffer.alloc(0))))
  metric(repeated(12, empty), inPieces(gaugeField, inPieces(1, Buffer.alloc(0))))
  const scope = Buffer.concat([repeated(1, empty), inPieces(2, inPieces(gaugeField, good))])
  read(metricsBatch([one('a')]).withGroups([{ ...group, rest: inPieces(2, scope) }]))
  assert.ok(taken.length >= 5, String(taken.length))
  assert.ok(performance.now() - startedMs < 5000)
})

test('attributes between other fields are one key, in however many pieces', () => {
  const reader = new PointReader()
  const attributeAndTime = Buffer.from([0x3a, 3, 0x0a, 1, 0x61, 0x19, 0, 0, 0, 0, 0, 0, 0, 0])
  const bytes = Buffer.alloc(attributeAndTime.length * 100, attributeAndTime)
  reader.read(metricDataFields.gauge, bytes, 0, bytes.length)
  const key = reader.keyBytes.subarray(reader.keyStart, reader.keyEnd)
  assert.deepEqual(Buffer.from(key), Buffer.alloc(500, attributeAndTime.subarray(0, 5)))
})
