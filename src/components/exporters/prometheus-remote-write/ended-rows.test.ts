/** Series of buckets and quantiles that their histogram or summary has no more: what a scrape of them would end, too. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { cumulative, delta, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  type Rig,
  startRemoteWrite as start,
  v2,
} from '../../../../test/kit/remote-write-rig.ts'

import { testHost } from '../../../../test/kit/test-host.ts'
import { strategyOf } from '../../../kit/prometheus/translation-rules.ts'
import { LabelPool } from './label-pool.ts'
import { Repeats } from './repeats.ts'
import { RetiredLabels } from './retired-labels.ts'
import { effectiveSettings, labelRules, settings as schema } from './settings.ts'
import { Translator } from './translator.ts'
import { writeMetrics } from './write-metrics.ts'

const ours = 'penstock_exporter_prometheusremotewrite'

type Part = readonly [ms: number, parts: readonly number[]]

/** Points of these times and bounds, each with a count of 1 in every bucket. */
const histogram = (...points: Part[]) => ({
  name: 'x',
  histogram: {
    ...cumulative,
    dataPoints: points.map(([ms, explicitBounds]) => {
      const bucketCounts = [...explicitBounds, Infinity].map(() => 1n)
      const count = BigInt(bucketCounts.length)
      return point({}, { ...at(ms), count, sum: 1, explicitBounds, bucketCounts })
    }),
  },
})

const deltaHistogram = (...points: Part[]): PlainMessage => {
  const made = histogram(...points)
  return { ...made, histogram: { ...made.histogram, ...delta } }
}

/** Points of these times and quantiles, each of the value 1. */
const summary = (...points: Part[]) => ({
  name: 'x',
  summary: {
    dataPoints: points.map(([ms, quantiles]) => {
      const quantileValues = quantiles.map((quantile) => ({ quantile, value: 1 }))
      return point({}, { ...at(ms), count: 1n, sum: 1, quantileValues })
    }),
  },
})

/** Time and value of what a server has of a bucket or quantile; a NaN is checked to be the stale marker. */
function sent({ peer }: Rig, part: number): (readonly [number, number])[] {
  assert.deepEqual(peer.violations, [])
  let found: (readonly [number, number])[] = []
  for (const [series, values] of peer.values()) {
    if (!series.includes(`="${part}"`)) continue
    found = [...found, ...values.map(([ms, value]) => [ms - baseMs, value] as const)]
  }
  const ends = peer.accepted.flatMap(({ samples }) =>
    samples.filter(({ value }) => value !== value),
  )
  const markers = peer.accepted.map(({ bytes }) => occurrences(bytes, '020000000000f07f'))
  assert.equal(
    ends.length,
    markers.reduce((sum, one) => sum + one, 0),
  )
  return found
}

function occurrences(bytes: Uint8Array, hex: string): number {
  return Buffer.from(bytes).toString('hex').split(hex).length - 1
}

afterEach(closeRemoteWrites)

for (const [version, settings] of [
  ['1.0', {}],
  ['2.0', v2],
] as const) {
  const kinds = [
    ['buckets that a histogram', histogram],
    ['quantiles that a summary', summary],
  ] as const
  for (const [what, made] of kinds) {
    describe(`${what} has no more, by ${version}`, () => {
      it('are ended at the time of the point without them', async () => {
        const rig = await start(settings)
        await rig.push(made([1, [0.1, 0.2]]))
        await rig.push(made([2, [0.2, 0.5]]))
        await rig.push(made([3, [0.2, 0.5]]))
        assert.deepEqual(sent(rig, 0.1), [
          [1, 1],
          [2, NaN],
        ])
        assert.deepEqual(
          sent(rig, 0.2).map(([ms]) => ms),
          [1, 2, 3],
        )
        assert.deepEqual(
          sent(rig, 0.5).map(([ms]) => ms),
          [2, 3],
        )
        assert.deepEqual(rig.host.drops, [])
        assert.equal(rig.value('otelcol_exporter_sent_metric_points'), 3)
      })

      it('are ended in the request that has the point', async () => {
        const rig = await start(settings)
        await rig.push(made([1, [0.1]]))
        await rig.push(made([2, [0.2]]))
        assert.deepEqual(
          rig.peer.requests.map(({ bytes }) => occurrences(bytes, '020000000000f07f')),
          [0, 1],
        )
      })

      it('may come back, but not at a time at which they ended', async () => {
        const rig = await start(settings)
        await rig.push(made([1, [0.1]]))
        await rig.push(made([2, [0.2]]))
        await rig.push(made([2, [0.1]]))
        await rig.push(made([3, [0.1]]))
        assert.deepEqual(sent(rig, 0.1), [
          [1, 1],
          [2, NaN],
          [3, 1],
        ])
        assert.deepEqual(sent(rig, 0.2), [
          [2, 1],
          [3, NaN],
        ])
        assert.deepEqual(
          rig.host.drops.map(({ cause }) => cause),
          ['out_of_order'],
        )
      })

      it('are not ended by a point that repeats a time, which may have them already', async () => {
        const rig = await start(settings)
        await rig.push(made([1, [0.1]]))
        await rig.push(made([1, [0.2]]))
        assert.deepEqual(sent(rig, 0.1), [[1, 1]])
      })

      it('are not those of the newest point, whatever an older one in its batch has', async () => {
        const rig = await start(settings)
        await rig.push(made([1, [0.1]]))
        await rig.push(made([9, [0.1]], [5, [0.2]]))
        await rig.push(made([10, [0.1]]))
        assert.deepEqual(
          sent(rig, 0.1),
          [1, 9, 10].map((ms) => [ms, 1]),
        )
        assert.deepEqual(sent(rig, 0.2), [
          [5, 1],
          [9, NaN],
        ])
      })

      it('stay as they are when a point of a later batch is older', async () => {
        const rig = await start(settings)
        await rig.push(made([5, [0.1]]))
        await rig.push(made([4, [0.2]]))
        await rig.push(made([6, [0.1]]))
        assert.deepEqual(
          sent(rig, 0.1),
          [5, 6].map((ms) => [ms, 1]),
        )
        assert.deepEqual(sent(rig, 0.2), [])
        assert.deepEqual(
          rig.host.drops.map(({ cause }) => cause),
          ['out_of_order'],
        )
      })

      it('are forgotten once they are ended', async () => {
        const rig = await start({ ...settings, max_series: 7, metric_expiration: '1h' })
        for (let ms = 1; ms <= 50; ms++) await rig.push(made([ms, [ms / 100, 0.99]]))
        assert.deepEqual(sent(rig, 0.49), [
          [49, 1],
          [50, NaN],
        ])
        assert.equal(rig.value(`${ours}_series`), made === histogram ? 5 : 4)
        assert.deepEqual(rig.host.drops, [])
      })
    })
  }

  it(`ends buckets of deltas too, by ${version}`, async () => {
    const rig = await start(settings)
    await rig.push(deltaHistogram([1, [0.1, 0.2]]))
    await rig.push(deltaHistogram([2, [0.2]]))
    assert.deepEqual(sent(rig, 0.1), [
      [1, 1],
      [2, NaN],
    ])
  })
}

describe('bounds of a histogram that is sent with custom buckets', () => {
  const custom = { ...v2, convert_histograms_to_nhcb: true }

  it('are part of each sample, so that nothing is over with other ones', async () => {
    const rig = await start(custom)
    for (const [ms, bound] of [1, 2, 1].entries()) await rig.push(histogram([ms + 1, [bound]]))
    assert.deepEqual(rig.peer.violations, [])
    const samples = rig.peer.accepted.flatMap((request) => request.samples)
    assert.deepEqual(
      samples.map(({ series, timeMs, histogram: one }) => [
        series,
        timeMs - baseMs,
        one?.customValues,
      ]),
      [1, 2, 1].map((bound, index) => ['x{job="shop"}', index + 1, [bound]]),
    )
    const markers = rig.peer.accepted.map(({ bytes }) => occurrences(bytes, '020000000000f07f'))
    assert.deepEqual(markers, [0, 0, 0])
  })

  it('are series once the server turns out to take but 1.0, and end as such', async () => {
    const rig = await start(custom)
    rig.peer.respond = ({ version }) => (version === 2 ? { status: 415 } : undefined)
    await rig.push(histogram([1, [0.1]]))
    await rig.push(histogram([2, [0.2]]))
    assert.deepEqual(sent(rig, 0.1), [
      [1, 1],
      [2, NaN],
    ])
    assert.deepEqual(sent(rig, 0.2), [[2, 1]])
  })
})

describe('labels of a series that is ended', () => {
  it('stay for as long as its stale marker is on its way', () => {
    const pool = new LabelPool(1)
    const { translator, retired } = translating(pool)
    const translate = (...points: Part[]) => {
      const samples = translator.translate(metricsBatch([histogram(...points)]))
      return { samples, done: retired.hold() }
    }
    translate([1, [0.1, 0.2]]).done()
    assert.equal(pool.sets.count, 5, 'count, sum, two buckets and +Inf')
    const { samples, done } = translate([2, [0.2]])
    translator.sweep()
    const texts = Array.from({ length: samples.length }, (_, at) =>
      pool.describe(samples.row(at).labels),
    )
    assert.ok(texts.includes('x_bucket{le="0.1"}'), texts.join('\n'))
    assert.equal(pool.sets.count, 5)
    done()
    translator.sweep()
    assert.equal(pool.sets.count, 4)
  })
})

function translating(pool: LabelPool): { translator: Translator; retired: RetiredLabels } {
  const host = testHost({ signals: ['metrics'] })
  const settings = effectiveSettings(schema.parse({ endpoint: 'http://127.0.0.1:9/' }))
  const retired = new RetiredLabels(pool)
  const none = () => 0
  const gauges = { queueSize: none, queueCapacity: none, inFlight: none, consumers: none }
  const counts = { series: none, sources: none, deltaStreams: none }
  const options = {
    naming: { strategy: strategyOf(settings), namespace: '' },
    rules: labelRules(settings),
    expirationMs: settings.metric_expiration,
    seriesMax: settings.max_series,
    deltas: settings.delta_to_cumulative,
    hasTargetInfo: false,
    shardCount: 1,
    pool,
    convertsHistograms: false,
    takesCustomBuckets: () => false,
    retired,
    repeats: new Repeats(0),
  }
  const metrics = writeMetrics(host, { ...gauges, ...counts }, settings.endpoint)
  return { translator: new Translator(options, host, metrics), retired }
}
