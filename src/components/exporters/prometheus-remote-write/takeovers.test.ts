/** Series that a restarted service does not go on with: its histograms and summaries have other parts than before. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import {
  cumulative,
  delta,
  gauge,
  metricsBatch,
  point,
} from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  from,
  type Rig,
  startRemoteWrite as start,
  v2,
} from '../../../../test/kit/remote-write-rig.ts'

const queued = { min_size: 1e6, flush_timeout: '1h', num_consumers: 2 }

/** Of a process that began at `startMs`, as from then on all of its points. */
type Made = (startMs: number, ms: number, parts: readonly number[], fields?: object) => PlainMessage

const histogram: Made = (startMs, ms, explicitBounds, fields = {}) => {
  const bucketCounts = [...explicitBounds, Infinity].map(() => 1n)
  const counted = { count: BigInt(bucketCounts.length), sum: 1, explicitBounds, bucketCounts }
  const made = point({}, { ...from(startMs), ...at(ms), ...counted, ...fields })
  return { name: 'x', histogram: { ...cumulative, dataPoints: [made] } }
}

const summary: Made = (startMs, ms, quantiles, fields = {}) => {
  const quantileValues = quantiles.map((quantile) => ({ quantile, value: 1 }))
  const counted = { count: 1n, sum: 1, quantileValues }
  const made = point({}, { ...from(startMs), ...at(ms), ...counted, ...fields })
  return { name: 'x', summary: { dataPoints: [made] } }
}

const number = (name: string, startMs: number, ms: number) =>
  gauge(name, [point({}, { ...from(startMs), ...at(ms), asDouble: 77 })])

/** One batch of the process with that version: it has the same series as that with another, and is another source. */
async function consume({ exporter }: Rig, version: number, ...metrics: PlainMessage[]) {
  const resource = { 'service.name': 'shop', 'service.version': version }
  await exporter.consume(metricsBatch(metrics, { resource }))
}

async function push(rig: Rig, version: number, ...metrics: PlainMessage[]): Promise<void> {
  await consume(rig, version, ...metrics)
  await rig.settled()
}

/** Times by series, those of stale markers as texts; each marker is looked for by its exact bits. */
function sent({ peer }: Rig): Record<string, (number | string)[]> {
  assert.deepEqual(peer.violations, [])
  const found: Record<string, (number | string)[]> = {}
  let endCount = 0
  for (const { series, timeMs, value } of peer.accepted.flatMap(({ samples }) => samples)) {
    const name = series.replace(/,?job="shop"/, '').replace('{,', '{')
    const isEnd = Number.isNaN(value)
    if (isEnd) endCount++
    found[name] = [...(found[name] ?? []), isEnd ? `end ${timeMs - baseMs}` : timeMs - baseMs]
  }
  const markers = peer.accepted.map(({ bytes }) => markerCount(bytes))
  assert.equal(
    endCount,
    markers.reduce((all, one) => all + one, 0),
  )
  return found
}

function markerCount(bytes: Uint8Array): number {
  return Buffer.from(bytes).toString('hex').split('020000000000f07f').length - 1
}

const of = (made: Made, part: number) =>
  made === histogram ? `x_bucket{le="${part}"}` : `x{quantile="${part}"}`

afterEach(closeRemoteWrites)

for (const [version, settings] of [
  ['1.0', {}],
  ['2.0', v2],
] as const) {
  for (const [what, made] of [
    ['buckets', histogram],
    ['quantiles', summary],
  ] as const) {
    describe(`${what} of a service that is restarted with others, by ${version}`, () => {
      it('are ended by its first point, with that', async () => {
        const rig = await start(settings)
        await push(rig, 1, made(0, 1, [0.1, 0.2]))
        await push(rig, 2, made(2, 3, [0.2, 0.5]))
        await push(rig, 2, made(2, 4, [0.2, 0.5]))
        const series = sent(rig)
        assert.deepEqual(series[of(made, 0.1)], [1, 'end 3'])
        assert.deepEqual(series[of(made, 0.2)], [1, 3, 4])
        assert.deepEqual(series[of(made, 0.5)], [3, 4])
        for (const name of ['x_count{}', 'x_sum{}']) assert.deepEqual(series[name], [1, 3, 4])
        assert.deepEqual(
          rig.peer.requests.map(({ bytes }) => markerCount(bytes)),
          [0, 1, 0],
        )
        assert.deepEqual(rig.host.drops, [])
        assert.equal(rig.value('otelcol_exporter_sent_metric_points'), 3)
      })

      it('go on where they are the same', async () => {
        const rig = await start(settings)
        await push(rig, 1, made(0, 1, [0.1, 0.2]))
        await push(rig, 2, made(2, 3, [0.1, 0.2]))
        for (const [name, times] of Object.entries(sent(rig))) {
          assert.deepEqual(times, [1, 3], name)
        }
        const translated = 'otelcol_exporter_prometheusremotewrite_translated_time_series'
        assert.equal(rig.value(translated, { endpoint: rig.peer.url }), made === histogram ? 10 : 8)
      })

      it('may come back, but not at the time at which they ended', async () => {
        const rig = await start(settings)
        await push(rig, 1, made(0, 1, [0.1]))
        await push(rig, 2, made(2, 3, [0.5]))
        await push(rig, 2, made(2, 3, [0.1]))
        await push(rig, 2, made(2, 4, [0.1]))
        await push(rig, 3, made(5, 6, [0.5]))
        assert.deepEqual(sent(rig)[of(made, 0.1)], [1, 'end 3', 4, 'end 6'])
        assert.deepEqual(sent(rig)[of(made, 0.5)], [3, 'end 4', 6])
        assert.deepEqual(
          rig.host.drops.map(({ cause }) => cause),
          ['out_of_order'],
        )
      })

      it('are ended behind what waits of them, in one batch with the newcomer or not', async () => {
        const rig = await start({ ...settings, remote_write_queue: queued })
        // The first 32 series are the first shard's.
        const others = Array.from({ length: 32 }, (_, index) => number(`other${index}`, 0, 1))
        await consume(rig, 1, ...others)
        await consume(rig, 1, made(0, 1, [0.1]))
        await consume(rig, 2, made(2, 3, [0.5]), made(2, 4, [0.5]))
        await rig.exporter.stop?.(new AbortController().signal)
        assert.deepEqual(sent(rig)[of(made, 0.1)], [1, 'end 3'])
        const counts = rig.peer.requests.map(({ samples, bytes }) => [
          samples[0].series.slice(0, 1),
          markerCount(bytes),
        ])
        assert.deepEqual(Object.fromEntries(counts), { o: 0, x: 1 })
      })

      it('are ended once, by whichever point of a batch came first', async () => {
        const rig = await start(settings)
        await push(rig, 1, made(0, 1, [0.1]))
        await push(rig, 2, made(2, 5, [0.5]), made(2, 4, [0.5]), made(2, 6, [0.1]))
        assert.deepEqual(sent(rig)[of(made, 0.1)], [1, 'end 5', 6])
        assert.deepEqual(sent(rig)[of(made, 0.5)], [4, 5, 'end 6'])
        assert.deepEqual(rig.host.drops, [])
      })

      it('are ended by a first point without a value, too', async () => {
        const rig = await start(settings)
        await push(rig, 1, made(0, 1, [0.1]))
        await push(rig, 2, made(2, 3, [], { flags: 1 }))
        for (const [name, times] of Object.entries(sent(rig))) {
          assert.deepEqual(times, [1, 'end 3'], name)
        }
      })

      it('are left alone by a point that is dropped', async () => {
        const rig = await start({ ...settings, max_series: 5 })
        await push(rig, 1, made(0, 1, [0.1]))
        await push(rig, 2, made(2, 3, [1, 2, 3, 4]))
        await push(rig, 1, number('other', 0, 4))
        assert.deepEqual(sent(rig)[of(made, 0.1)], [1])
        assert.deepEqual(
          rig.host.drops.map(({ cause }) => cause),
          ['series_limit'],
        )
      })
    })

    it(`ends all but what a gauge takes of a ${made.name} that was over, by ${version}`, async () => {
      const rig = await start(settings)
      await push(rig, 1, made(0, 1, [0.1]))
      await push(rig, 2, number('x_count', 2, 3))
      const { 'x_count{}': count, ...rest } = sent(rig)
      assert.deepEqual(count, [1, 3])
      assert.deepEqual(
        Object.keys(rest).toSorted(),
        [
          'x_sum{}',
          of(made, 0.1),
          ...(made === histogram ? ['x_bucket{le="+Inf"}'] : []),
        ].toSorted(),
      )
      for (const [name, times] of Object.entries(rest)) assert.deepEqual(times, [1, 'end 3'], name)
    })
  }

  it(`ends the buckets of a histogram that became a summary, by ${version}`, async () => {
    const rig = await start(settings)
    await push(rig, 1, histogram(0, 1, [0.1]))
    await push(rig, 2, summary(2, 3, [0.5]))
    assert.deepEqual(sent(rig), {
      'x_count{}': [1, 3],
      'x_sum{}': [1, 3],
      'x_bucket{le="0.1"}': [1, 'end 3'],
      'x_bucket{le="+Inf"}': [1, 'end 3'],
      'x{quantile="0.5"}': [3],
    })
  })
}

describe('a series that nobody goes on with', () => {
  it('is not ended by whoever comes next where the newcomer had no room', async () => {
    const rig = await start({ max_series: 2 })
    await push(rig, 1, number('x_count', 0, 1), number('other', 0, 1))
    await push(rig, 2, histogram(2, 3, []))
    await push(rig, 1, number('other', 0, 4))
    assert.deepEqual(sent(rig), { 'x_count{}': [1], 'other{}': [1, 4] })
    assert.deepEqual(
      rig.host.drops.map(({ cause }) => cause),
      ['series_limit'],
    )
  })
})

describe('a series whose service is restarted within a millisecond', () => {
  const nanosAt = (some: number) => BigInt(baseMs) * 1_000_000n + BigInt(some)

  it('has no second sample of that', async () => {
    const rig = await start()
    const made = (startNanos: number, nanos: number, asDouble: number) => {
      const times = { startTimeUnixNano: nanosAt(startNanos), timeUnixNano: nanosAt(nanos) }
      return gauge('fill', [point({}, { ...times, asDouble })])
    }
    await push(rig, 1, made(0, 1, 77))
    await push(rig, 2, made(2, 3, 78))
    await push(rig, 2, made(2, 1_000_000, 79))
    assert.deepEqual(sent(rig), { 'fill{}': [0, 1] })
    assert.deepEqual(
      rig.host.drops.map(({ cause }) => cause),
      ['out_of_order'],
    )
  })

  it('is not ended at the time of its last sample', async () => {
    const rig = await start()
    const made = (bound: number, startNanos: number, nanos: number) => {
      const times = { startTimeUnixNano: nanosAt(startNanos), timeUnixNano: nanosAt(nanos) }
      const { histogram: data, name } = histogram(0, 0, [bound], times)
      return { name, histogram: { ...(data as PlainMessage), ...delta } }
    }
    await push(rig, 1, made(0.1, 0, 1))
    await push(rig, 2, made(0.5, 2, 3))
    assert.deepEqual(sent(rig), {
      'x_count{}': [0],
      'x_sum{}': [0],
      'x_bucket{le="0.1"}': [0],
      'x_bucket{le="+Inf"}': [0],
    })
  })
})

describe('a series whose source has merely expired', () => {
  it('is not ended by who comes to it next, since another gateway may go on with it', async () => {
    // What a delta has added up stays for longer than its series.
    const rig = await start({ metric_expiration: '1m', delta_to_cumulative: { max_stale: '1h' } })
    const made = (ms: number, bound: number) => {
      const one = histogram(ms - 1, ms, [bound])
      return { ...one, histogram: { ...(one.histogram as PlainMessage), ...delta } }
    }
    await push(rig, 1, made(1, 0.1))
    await rig.host.clock.advance(90_000)
    await push(rig, 2, made(90_000, 0.5))
    assert.deepEqual(sent(rig)[of(histogram, 0.1)], [1])
    assert.deepEqual(sent(rig)['x_count{}'], [1, 90_000])
  })
})

describe('a histogram with custom buckets', () => {
  it('ends as one native histogram where a gauge takes its count', async () => {
    const rig = await start({ ...v2, convert_histograms_to_nhcb: true })
    await push(rig, 1, histogram(0, 1, [0.1]))
    await push(rig, 2, number('x_count', 2, 3))
    assert.deepEqual(rig.peer.violations, [])
    const samples = rig.peer.accepted.flatMap((request) => request.samples)
    const found = samples.map(({ series, timeMs, histogram: one }) => [
      `${series} ${timeMs - baseMs}`,
      one?.sum,
    ])
    assert.equal(found.length, 3)
    assert.deepEqual(Object.fromEntries(found), {
      'x{job="shop"} 1': 1,
      'x{job="shop"} 3': NaN,
      'x_count{job="shop"} 3': undefined,
    })
    assert.deepEqual(
      rig.peer.accepted.map(({ bytes }) => markerCount(bytes)),
      [0, 1],
    )
  })
})
