import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import snappyJs from 'snappyjs'
import { compressSnappy } from '../../../kit/compression/snappy.ts'
import { sortedLabels } from '../../../kit/prometheus/labels.ts'
import { decodeMessage, type PlainMessage } from '../../../../test/kit/oracle.ts'
import { LabelPool } from './label-pool.ts'
import { metricTypes } from '../../../kit/prometheus/family-identity.ts'
import { Family, type RowOwner } from './row.ts'
import { SampleList } from './sample-list.ts'
import { PlainWriter } from './series-writer.ts'
import { SnappySeriesWriter } from './snappy-series-writer.ts'
import type { WriteRequest } from './write-request.ts'
import { requestBuilderV1 } from './write-request-v1.ts'
import { requestBuilderV2 } from './write-request-v2.ts'

const owner: RowOwner = {
  shard: 0,
  isGone: false,
  hasLoggedRejection: false,
  newestMs: -1,
  committedMs: -1,
}

function familyOf(name: string, help: string): Family {
  return new Family({ name, type: metricTypes.counter, help, unit: 'seconds' })
}

const text = fc.oneof(
  fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' }),
  fc.string({ minLength: 100, maxLength: 400 }),
)
const labelSets = fc.uniqueArray(
  fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), text, { maxKeys: 6 }),
  {
    minLength: 1,
    maxLength: 8,
    selector: (set) => JSON.stringify(sortedLabels(new Map(Object.entries(set)))),
  },
)
/** All that 64 bits of nanoseconds can say. */
const timeMs = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  fc.integer({ min: 2 ** 31, max: Math.floor(2 ** 64 / 1e6) }),
)
const samples = fc.array(
  fc.record({
    row: fc.nat(),
    value: fc.double(),
    timeMs,
    startMs: fc.oneof(timeMs, fc.constant(0)),
  }),
  { minLength: 1, maxLength: 40 },
)

function fill(
  sets: readonly Readonly<Record<string, string>>[],
  made: readonly { row: number; value: number; timeMs: number; startMs: number }[],
) {
  const pool = new LabelPool(7)
  const rows = sets.map((set, index) => {
    const labels = new Map(Object.entries(set)).set('__name__', `metric_${index}`)
    const family = familyOf(`metric_${index}`, `Help ${index % 2}`)
    return { owner, family, labels: pool.take(sortedLabels(labels)) }
  })
  const list = new SampleList()
  for (const one of made) list.push(rows[one.row % rows.length], one.value, one.timeMs, one.startMs)
  return { pool, rows, list, indices: Uint32Array.from(made, (_, index) => index) }
}

/** What was put in, by series in the order of their first samples. */
function expected(
  sets: readonly Readonly<Record<string, string>>[],
  made: readonly { row: number; value: number; timeMs: number; startMs: number }[],
) {
  const series = new Map<number, PlainMessage[]>()
  for (const { row, value, timeMs: time, startMs } of made) {
    const index = row % sets.length
    const samples_ = series.get(index) ?? []
    series.set(index, samples_)
    // The first of a time is sent, whatever follows.
    if (samples_.at(-1)?.timestamp === BigInt(time)) continue
    samples_.push({ value, timestamp: BigInt(time), startTimestamp: BigInt(startMs) })
  }
  return [...series].map(([index, list]) => {
    const labels = new Map(Object.entries(sets[index])).set('__name__', `metric_${index}`)
    return { labels: sortedLabels(labels), samples: list }
  })
}

/** Without compression. */
function plain({ body, isCompressed }: WriteRequest): Uint8Array {
  return isCompressed ? new Uint8Array(snappyJs.uncompress(body)) : body
}

const messages = (value: unknown) => (value ?? []) as PlainMessage[]

/** Fields that have their default may be left out. */
function withDefaults(sample: PlainMessage): PlainMessage {
  return { value: 0, timestamp: 0n, startTimestamp: 0n, ...sample }
}

describe('write request', () => {
  it('1.0: protobufjs reads what was put in, samples of a series together', () => {
    fc.assert(
      fc.property(labelSets, samples, (sets, made) => {
        const { list, indices, pool } = fill(sets, made)
        const wanted = expected(sets, made).map(({ labels, samples: list_ }) => ({
          labels,
          samples: list_.map((sample) => ({ ...sample, startTimestamp: 0n })),
        }))
        for (const writer of [new PlainWriter(pool), new SnappySeriesWriter(pool)]) {
          const build = requestBuilderV1(pool, writer)
          // Twice: what one request has written must not be taken for the other's.
          build(list, indices.toReversed(), { metadataBeforeMs: undefined })
          const request = build(list, indices, { metadataBeforeMs: undefined })
          const { timeseries } = decodeMessage('prometheus.WriteRequest', plain(request))
          const read = messages(timeseries).map((one) => ({
            labels: messages(one.labels).map((label) => ({ ...label })),
            samples: messages(one.samples).map(withDefaults),
          }))
          assert.deepEqual(read, wanted)
          assert.equal(request.counts.samples, wanted.flatMap(({ samples }) => samples).length)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('1.0: a block that is compressed while it is written holds the same bytes', () => {
    const sets = Array.from({ length: 5000 }, (_, index) => ({
      instance: `pod-${Math.floor(index / 100)}.shop.svc`,
      job: 'checkout',
      route: `/api/v1/orders/${Math.floor(index / 10) % 10}`,
      status: String(200 + (index % 10)),
    }))
    const made = sets.map((_, row) => ({ row, value: row * 1.37, timeMs: 1.7e12, startMs: 0 }))
    const { list, indices, pool } = fill(sets, made)
    const options = { metadataBeforeMs: undefined }
    const whole = requestBuilderV1(pool, new PlainWriter(pool))(list, indices, options).body.slice()
    const writer = new SnappySeriesWriter(pool)
    for (let round = 0; round < 3; round++) {
      const block = requestBuilderV1(pool, writer)(list, indices, options).body
      assert.ok(Buffer.from(whole).equals(new Uint8Array(snappyJs.uncompress(block))))
      assert.ok(block.length < compressSnappy(whole).length * 1.25)
    }
  })

  it('2.0: protobufjs reads what was put in, and the symbols are those in use', () => {
    fc.assert(
      fc.property(labelSets, samples, (sets, made) => {
        const { list, indices, pool, rows } = fill(sets, made)
        const build = requestBuilderV2(pool)
        // Twice: what one request numbers must not be taken for the other's.
        build(list, indices.toReversed(), { metadataBeforeMs: undefined })
        const { body, counts } = build(list, indices, { metadataBeforeMs: undefined })
        const message = decodeMessage('io.prometheus.write.v2.Request', body)
        const symbols = message.symbols as string[]
        assert.equal(symbols[0], '')
        assert.equal(new Set(symbols).size, symbols.length)
        const used = new Set([0])
        const read = messages(message.timeseries).map((one) => {
          const refs = one.labelsRefs as unknown as number[]
          const metadata = one.metadata as Record<string, number>
          for (const ref of [...refs, metadata.helpRef, metadata.unitRef]) used.add(ref)
          assert.equal(symbols[metadata.unitRef], 'seconds')
          const labels = Array.from({ length: refs.length / 2 }, (_, index) => ({
            name: symbols[refs[index * 2]],
            value: symbols[refs[index * 2 + 1]],
          }))
          return { labels, samples: messages(one.samples).map(withDefaults) }
        })
        assert.deepEqual(read, expected(sets, made))
        assert.equal(used.size, symbols.length)
        assert.equal(counts.samples, expected(sets, made).flatMap((one) => one.samples).length)
        for (const row of rows) pool.release(row.labels)
        for (const table of [pool.sets, pool.labels, pool.texts]) assert.equal(table.count, 0)
      }),
      { numRuns: 150 },
    )
  })

  it('keeps samples in their places when the first ones are dropped', () => {
    const { list, rows, pool } = fill([{ a: '1' }, { a: '2' }], [])
    for (let index = 0; index < 1000; index++) list.push(rows[index % 2], index, index + 1, 0)
    list.dropFirst(600)
    const build = requestBuilderV1(pool, new PlainWriter(pool))
    const { body } = build(list, Uint32Array.of(0, 399), { metadataBeforeMs: undefined })
    const [first, last] = messages(decodeMessage('prometheus.WriteRequest', body).timeseries)
    assert.deepEqual(first.samples, [{ value: 600, timestamp: 601n }])
    assert.deepEqual(last.samples, [{ value: 999, timestamp: 1000n }])
  })
})
