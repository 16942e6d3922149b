import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { cumulative, gauge, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { closeRemoteWrites, startRemoteWrite } from '../../../../test/kit/remote-write-rig.ts'

afterEach(closeRemoteWrites)

const bytesMax = 10_000
const at = { timeUnixNano: 1_767_225_600_001_000_000n }
const each = <One>(count: number, make: (index: number) => One): One[] =>
  Array.from({ length: count }, (_, index) => make(index))

const described = each(100, (index) =>
  gauge(`fill_${index}`, [point({}, { ...at, asDouble: 5 })], {
    description: `${index}`.padEnd(500, 'é'),
  }),
)
const exemplars = (id: number) =>
  each(20, (value) => ({
    ...at,
    asDouble: value,
    traceId: `hex:${(id * 1000 + value).toString(16).padStart(32, '0')}`,
    filteredAttributes: [
      { key: 'k', value: { stringValue: `${id} ${value} ${'\u{1F600}'.repeat(70)}` } },
    ],
  }))
const exemplified: PlainMessage = {
  name: 'hits',
  sum: {
    ...cumulative,
    isMonotonic: true,
    dataPoints: each(40, (id) => ({
      ...point({ id }, { ...at, asDouble: 1 }),
      exemplars: exemplars(id),
    })),
  },
}
/** Every other delta is a large one, and there are many spans. */
const bucketCounts = each(160, (index) => [0n, 0n, 0n, 2n ** 52n, 1n][index % 5])
const native: PlainMessage = {
  name: 'wait',
  exponentialHistogram: {
    ...cumulative,
    dataPoints: each(60, (id) => ({
      ...point({ id }, at),
      count: 32n * (2n ** 52n + 1n),
      sum: 1,
      scale: 3,
      positive: { offset: -80, bucketCounts },
    })),
  },
}
const custom: PlainMessage = {
  name: 'lag',
  histogram: {
    ...cumulative,
    dataPoints: each(60, (id) => ({
      ...point({ id }, at),
      count: 160n * 2n ** 40n,
      explicitBounds: each(159, (index) => index + 0.5),
      bucketCounts: each(160, () => 2n ** 40n),
    })),
  },
}
/** No two texts are alike, so that 2.0 saves nothing. */
const distinct = each(400, (id) =>
  gauge(
    `n${id}`,
    each(1, () =>
      point(Object.fromEntries(each(9, (index) => [`a${id}_${index}`, `b${id}_${index}`])), {
        ...at,
        asDouble: 1,
      }),
    ),
  ),
)

describe('max_batch_size_bytes', () => {
  const v2 = { protobuf_message: 'io.prometheus.write.v2.Request' }
  const rows: [what: string, settings: object, metrics: readonly PlainMessage[]][] = [
    ['metadata of 1.0', { send_metadata: true }, described],
    ['metadata of 2.0', v2, described],
    ['exemplars of 1.0', {}, [exemplified]],
    ['exemplars of 2.0', v2, [exemplified]],
    ['native histograms of 1.0', {}, [native]],
    ['native histograms of 2.0', v2, [native]],
    ['custom buckets', { ...v2, convert_histograms_to_nhcb: true }, [custom]],
    ['texts that do not repeat', v2, distinct],
  ]
  for (const [what, settings, metrics] of rows) {
    it(`holds for ${what}`, async () => {
      const { peer, push } = await startRemoteWrite({
        ...settings,
        max_batch_size_bytes: bytesMax,
        remote_write_queue: { num_consumers: 1 },
      })
      await push(...metrics)
      const lengths = peer.accepted.map(({ samples, bytes }) => [bytes.length, samples.length])
      assert.ok(lengths.length > 1)
      for (const [byteLength, sampleCount] of lengths) {
        assert.ok(byteLength <= bytesMax || sampleCount === 1, lengths.join('; '))
      }
      // Nor are requests much shorter than they may be.
      const byteLength = lengths.reduce((sum, [length]) => sum + length, 0)
      assert.ok(lengths.length <= 2 + byteLength / (bytesMax / 2), lengths.join('; '))
      assert.deepEqual(peer.violations, [])
    })
  }
})
