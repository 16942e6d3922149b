/** A caller that waits repeats a whole batch when any of it was given back, and with it what was delivered. */
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import {
  cumulative,
  delta,
  metricsBatch,
  point,
  sum,
} from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  from,
  type Rig,
  startRemoteWrite,
} from '../../../../test/kit/remote-write-rig.ts'
import { Repeats } from './repeats.ts'

const resource = { 'service.name': 'shop', 'k8s.pod.name': 'p-1' }
/** The shard has this many series before the next one follows. */
const neighbours = 32

afterEach(closeRemoteWrites)

interface WaitingRig extends Rig {
  readonly send: (...metrics: PlainMessage[]) => Promise<void>
  /** Sends these while some requests are refused for now, and again when none is. */
  readonly sendTwice: (
    isRefused: (series: ReadonlySet<string>, requestNumber: number) => boolean,
    ...metrics: PlainMessage[]
  ) => Promise<void>
}

async function start(settings: Record<string, unknown> = {}): Promise<WaitingRig> {
  const rig = await startRemoteWrite({
    remote_write_queue: { enabled: false, num_consumers: 2 },
    retry_on_failure: { enabled: false },
    ...settings,
  })
  const send = async (...metrics: PlainMessage[]) =>
    rig.exporter.consume(metricsBatch(metrics, { resource }))
  return {
    ...rig,
    send,
    sendTwice: async (isRefused, ...metrics) => {
      let requestCount = 0
      rig.peer.respond = ({ samples }) => {
        const series = new Set(samples.map((sample) => sample.series))
        return isRefused(series, requestCount++) ? { status: 503 } : undefined
      }
      await assert.rejects(() => send(...metrics))
      rig.peer.respond = () => undefined
      await send(...metrics)
    },
  }
}

const hits = (temporality: PlainMessage, times: readonly number[], podCount: number) => {
  const pods = Array.from({ length: podCount }, (_, pod) => pod)
  const points = pods.flatMap((pod) =>
    times.map((ms) => point({ pod }, { ...from(ms - 1), ...at(ms), asInt: 1n })),
  )
  return sum('hits', points, { sum: temporality })
}

const lag = (times: readonly number[]) => ({
  name: 'lag',
  histogram: {
    ...cumulative,
    dataPoints: times.map((ms) => ({
      ...at(ms),
      count: 3n,
      sum: 1,
      explicitBounds: [1, 2],
      bucketCounts: [1n, 1n, 1n],
    })),
  },
})

const timesOf = ({ peer }: Rig) =>
  new Map(
    Array.from(peer.values(), ([series, values]) => [
      series,
      values.map(([timeMs]) => timeMs - baseMs),
    ]),
  )

describe('a batch that is repeated because a part of it was given back', () => {
  for (const [kind, temporality] of [
    ['totals', cumulative],
    ['deltas', delta],
  ] as const) {
    it(`loses no ${kind}, and none is counted as dropped`, async () => {
      const { peer, send, sendTwice, value, host } = await start()
      const batch = hits(temporality, [1, 2], 2 * neighbours)
      await sendTwice((_, number) => number === 1, batch)
      assert.equal(peer.values().size, 64)
      const last = temporality === delta ? 2 : 1
      for (const values of peer.values().values()) {
        assert.deepEqual(values.at(-1), [baseMs + 2, last])
      }
      assert.deepEqual(peer.violations, [])
      assert.deepEqual(host.drops, [])
      // Half of the points twice: delivered, and repeated without need.
      assert.equal(value('otelcol_exporter_sent_metric_points'), 64 + 128)
      assert.equal(value('otelcol_exporter_send_failed_metric_points'), 64)
      // What is late without being a repetition is still dropped.
      await send(hits(temporality, [0], 1))
      assert.deepEqual(
        host.drops.map(({ cause }) => cause),
        ['out_of_order'],
      )
    })
  }

  it('is another matter than one before it, of which other series were given back', async () => {
    const { sendTwice, host, peer } = await start()
    await sendTwice((_, number) => number === 1, hits(cumulative, [1, 2], 2 * neighbours))
    await sendTwice((_, number) => number === 0, hits(cumulative, [3, 4], 2 * neighbours))
    assert.deepEqual(host.drops, [])
    assert.deepEqual(peer.violations, [])
  })

  it('may come after newer points', async () => {
    const rig = await start()
    const batch = hits(cumulative, [1, 2], 2 * neighbours)
    let requestCount = 0
    rig.peer.respond = () => (requestCount++ === 1 ? { status: 503 } : undefined)
    await assert.rejects(() => rig.send(batch))
    const isDelivered = new Set(rig.peer.values().keys())
    await rig.send(hits(cumulative, [3], 2 * neighbours))
    await rig.send(batch)
    assert.deepEqual(rig.host.drops, [
      { signal: 'metrics', itemCount: neighbours * 2, cause: 'out_of_order' },
    ])
    for (const [series, times] of timesOf(rig)) {
      assert.deepEqual(times, isDelivered.has(series) ? [1, 2, 3] : [3])
    }
  })

  it('adds a delta of the same millisecond that is not a repetition', async () => {
    const { peer, send, sendTwice, host } = await start()
    await sendTwice((_, number) => number === 1, hits(delta, [1], 2 * neighbours))
    await send(hits(delta, [1.5], 2 * neighbours))
    await send(hits(delta, [2], 2 * neighbours))
    for (const values of peer.values().values()) assert.deepEqual(values.at(-1), [baseMs + 2, 3])
    assert.deepEqual(host.drops, [])
  })

  it('sends target_info when only that was given back', async () => {
    const rig = await start({ target_info: { enabled: true } })
    const isInfo = (series: string) => series.startsWith('target_info')
    await rig.sendTwice((series) => [...series].some(isInfo), hits(cumulative, [1, 2], neighbours))
    assert.equal(rig.peer.accepted.length, 2)
    const info = [...timesOf(rig)].find(([series]) => isInfo(series))
    assert.deepEqual(info?.[1], [2])
    assert.deepEqual(rig.host.drops, [])
    assert.deepEqual(rig.peer.violations, [])
  })

  for (const [how, settings, badNumber] of [
    ['by requests of their own', { max_batch_size_bytes: 120 }, -1],
    ['when their request was cut', {}, 0],
  ] as const) {
    it(`sends a histogram of which only some buckets were delivered, ${how}`, async () => {
      for (const refusedNumber of [1, 2]) {
        const rig = await start(settings)
        let requestCount = 0
        rig.peer.respond = () => {
          const number = requestCount++
          if (number === badNumber) return { status: 400 }
          return number === refusedNumber ? { status: 503 } : undefined
        }
        await assert.rejects(() => rig.send(lag([1])))
        assert.ok(rig.peer.values().size > 0)
        await rig.send(lag([1]))
        assert.deepEqual([...timesOf(rig).keys()].toSorted(), [
          'lag_bucket{job="shop",le="+Inf"}',
          'lag_bucket{job="shop",le="1"}',
          'lag_bucket{job="shop",le="2"}',
          'lag_count{job="shop"}',
          'lag_sum{job="shop"}',
        ])
        assert.deepEqual(rig.peer.violations, [])
        assert.deepEqual(rig.host.drops, [])
      }
    })
  }

  it('is not overtaken by what is newer of a series, when its request was cut', async () => {
    const rig = await start()
    const batch = hits(cumulative, [1, 2, 3, 4, 5, 6, 7, 8], 1)
    const statuses = [400, 400, 200, 503]
    rig.peer.respond = () => ({ status: statuses.shift() })
    await assert.rejects(() => rig.send(batch))
    assert.deepEqual([...timesOf(rig).values()], [[1, 2]])
    await rig.send(batch)
    assert.deepEqual(
      [...timesOf(rig).values()].map((times) => [...new Set(times)]),
      [[1, 2, 3, 4, 5, 6, 7, 8]],
    )
    assert.deepEqual(rig.host.drops, [])
    const counted = (what: string) => rig.value(`otelcol_exporter_${what}_metric_points`)!
    assert.deepEqual([counted('sent'), counted('send_failed')], [2 + 8, 6])
  })

  const [first, second] = [neighbours, neighbours]
  const lostAndFailed = [
    {
      what: 'a series',
      podCount: first + second,
      bad: /pod="5"/,
      failing: /pod="40"/,
      lostCount: 2,
      sentCount: (first - 1) * 2 + (first - 1 + second) * 2,
    },
    {
      what: 'more than is sought through',
      podCount: first + second,
      bad: /pod="([12]?\d|3[01])"/,
      failing: /pod="40"/,
      lostCount: first * 2,
      sentCount: second * 2,
    },
    {
      what: 'a sample whose series was given back',
      podCount: 1,
      bad: / 1$/,
      failing: / 2$/,
      lostCount: 1,
      sentCount: 1,
    },
  ]
  for (const { what, podCount, bad, failing, lostCount, sentCount } of lostAndFailed) {
    it(`counts ${what}, refused for good, as dropped once, and not as sent`, async () => {
      const rig = await start()
      const batch = hits(cumulative, [1, 2], podCount)
      let isFailing = true
      rig.peer.respond = ({ samples }) => {
        const names = samples.map(({ series, timeMs }) => `${series} ${timeMs - baseMs}`)
        if (names.some((name) => bad.test(name))) return { status: 400 }
        return isFailing && names.some((name) => failing.test(name)) ? { status: 503 } : undefined
      }
      await assert.rejects(() => rig.send(batch))
      isFailing = false
      await rig.send(batch)
      assert.deepEqual(rig.host.drops, [
        { signal: 'metrics', itemCount: lostCount, cause: 'rejected_by_peer' },
      ])
      const counted = (which: string) => rig.value(`otelcol_exporter_${which}_metric_points`)!
      assert.equal(counted('sent') + counted('send_failed'), 2 * 2 * podCount)
      assert.equal(counted('sent'), sentCount)
      assert.deepEqual(rig.peer.violations, [])
      // What comes after it, to the same places, fares as it does itself.
      const later = hits(cumulative, [3, 4], podCount)
      const statuses = [200, 503]
      rig.peer.respond = () => ({ status: statuses.shift() })
      if (podCount > 1) await assert.rejects(() => rig.send(later))
      await rig.send(later)
      const again = podCount > 1 ? first * 2 : 0
      assert.equal(counted('sent'), sentCount + podCount * 2 + again)
    })
  }

  it('counts what a server may not be sent as dropped once', async () => {
    const rig = await start()
    const batch = hits(cumulative, [1], 2 * neighbours)
    const statuses = [401, 503]
    rig.peer.respond = () => ({ status: statuses.shift() })
    await assert.rejects(() => rig.send(batch))
    await rig.send(batch)
    assert.deepEqual(
      rig.host.drops.map(({ itemCount }) => itemCount),
      [neighbours],
    )
    assert.equal(rig.value('otelcol_exporter_sent_metric_points'), neighbours)
    assert.equal(rig.value('otelcol_exporter_send_failed_metric_points'), 3 * neighbours)
  })

  it('sends of a series only what was not delivered', async () => {
    const rig = await start({ max_batch_size_bytes: 500 })
    const times = Array.from({ length: 40 }, (_, index) => index + 1)
    await rig.sendTwice((_, number) => number === 1, lag(times))
    assert.ok(rig.peer.accepted.length > 3)
    for (const [, sent] of timesOf(rig)) assert.deepEqual([...new Set(sent)], times)
    assert.deepEqual(rig.peer.violations, [])
    assert.deepEqual(rig.host.drops, [])
    const counted = (what: string) => rig.value(`otelcol_exporter_${what}_metric_points`)!
    assert.equal(counted('sent') + counted('send_failed'), 2 * times.length)
  })
})

describe('repeats', () => {
  it('forget all beyond their limit', () => {
    const owner = () => ({
      shard: 0,
      isGone: false,
      hasLoggedRejection: false,
      newestMs: -1,
      committedMs: -1,
    })
    const [one, other] = [owner(), owner()]
    const repeats = new Repeats(3)
    assert.equal(repeats.fate(one, 1), undefined)
    for (let times = 0; times < 2; times++) {
      for (const timeMs of [1, 2]) repeats.add(one, timeMs, 'sent')
      repeats.add(other, 2, 'lost')
    }
    assert.deepEqual(
      [one, other].map((who) => [1, 2, 3].map((timeMs) => repeats.fate(who, timeMs))),
      [
        ['sent', 'sent', undefined],
        [undefined, 'lost', undefined],
      ],
    )
    repeats.add(other, 3, 'lost')
    assert.deepEqual(
      [one, other].map((who) => [1, 2, 3].map((timeMs) => repeats.fate(who, timeMs))),
      [
        [undefined, undefined, undefined],
        [undefined, undefined, 'lost'],
      ],
    )
  })
})
