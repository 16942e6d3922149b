import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import {
  type Attributes,
  cumulative,
  gauge,
  metricsBatch,
  point,
} from '../../../../test/kit/metrics-request.ts'
import {
  at,
  baseMs,
  closeRemoteWrites,
  from,
  type Rig,
  startRemoteWrite as start,
  v2,
} from '../../../../test/kit/remote-write-rig.ts'

const collisions = 'penstock_exporter_prometheusremotewrite_collisions'

/** A count of 1 in each bucket. */
const buckets = (bounds: readonly number[], times: object, name = 'x') => {
  const bucketCounts = [...bounds, 0].map(() => 1n)
  const count = BigInt(bucketCounts.length)
  const fields = { ...times, count, sum: 1, explicitBounds: bounds, bucketCounts }
  return { name, histogram: { ...cumulative, dataPoints: [point({}, fields)] } }
}

const quantiles = (some: readonly number[], times: object) => {
  const quantileValues = some.map((quantile) => ({ quantile, value: 1 }))
  return { name: 's', summary: { dataPoints: [{ ...times, count: 1n, sum: 1, quantileValues }] } }
}

const number = (name: string, attributes: Attributes, ms: number) =>
  gauge(name, [point(attributes, { ...at(ms), asDouble: 77 })])

/** Times and values by series; that of the only job is left out. */
function sent({ peer }: Rig): Record<string, (readonly [number, number])[]> {
  assert.deepEqual(peer.violations, [])
  return Object.fromEntries(
    Array.from(peer.values(), ([series, values]) => [
      series.replace(/,?job="shop"/, '').replace('{,', '{'),
      values.map(([ms, value]) => [ms - baseMs, value] as const),
    ]),
  )
}

afterEach(closeRemoteWrites)

describe('a series that two sources come to', () => {
  const parts = [
    ['a bucket', buckets([1], at(1)), number('x_bucket', { le: '1' }, 1), 'x_bucket{le="1"}', 1],
    ['+Inf', buckets([1], at(1)), number('x_bucket', { le: '+Inf' }, 1), 'x_bucket{le="+Inf"}', 2],
    ['the count', buckets([1], at(1)), number('x_count', {}, 1), 'x_count{}', 2],
    [
      'a quantile',
      quantiles([0.5], at(1)),
      number('s', { quantile: '0.5' }, 1),
      's{quantile="0.5"}',
      1,
    ],
  ] as const
  for (const [what, whole, one, series, value] of parts) {
    it(`is the first one's, where it is ${what} of that`, async () => {
      const rig = await start()
      await rig.push(whole, one)
      assert.deepEqual(sent(rig)[series], [[1, value]])
      assert.equal(rig.value(collisions), 1)
      assert.deepEqual(rig.host.drops, [
        { signal: 'metrics', itemCount: 1, cause: 'series_collision' },
      ])
      const [{ message, fields }] = rig.host.lines
      const named = String((fields as Record<string, unknown>).series)
      assert.match(message, /"[xs]".*keeps it.*"(x_bucket|x_count|s)"/)
      assert.equal(named.replace(/,?job="shop"/, '').replace('{,', '{'), series)
    })

    it(`is the first one's, where it is ${what} of the other`, async () => {
      const rig = await start()
      await rig.push(one, whole)
      assert.deepEqual(sent(rig), { [series]: [[1, 77]] })
      assert.equal(rig.value(collisions), 1)
      assert.equal(rig.value('penstock_exporter_prometheusremotewrite_series'), 1)
    })
  }

  it('may be a bucket that a histogram has only from its second point on', async () => {
    const rig = await start()
    await rig.push(buckets([1], at(1)), number('x_bucket', { le: '5' }, 1))
    await rig.push(buckets([1, 5], at(2)))
    await rig.push(buckets([1], at(3)))
    assert.deepEqual(sent(rig)['x_bucket{le="5"}'], [[1, 77]])
    assert.deepEqual(sent(rig)['x_count{}'], [
      [1, 2],
      [3, 2],
    ])
    assert.equal(rig.value(collisions), 1)
  })

  it('goes to a process that was restarted, and never back in time', async () => {
    const rig = await start(v2)
    await rig.push(number('x_bucket', { le: '1' }, 1), buckets([1], { ...from(5), ...at(6) }))
    await rig.push(number('x_bucket', { le: '1' }, 7))
    assert.deepEqual(sent(rig)['x_bucket{le="1"}'], [
      [1, 77],
      [6, 1],
    ])
    assert.equal(rig.value(collisions), 1)
    // Times that contradict themselves: it starts after the number, and is older.
    await rig.push(number('late_sum', {}, 10), buckets([], { ...from(11), ...at(9) }, 'late'))
    assert.deepEqual(sent(rig)['late_sum{}'], [[10, 77]])
    assert.deepEqual(rig.host.drops.at(-1)?.cause, 'out_of_order')
  })

  for (const [what, late] of [
    ['a value', {}],
    ['an end', { flags: 1 }],
  ] as const) {
    it(`gets no ${what.split(' ')[1]} from before it was the bucket's, where points come out of order`, async () => {
      const rig = await start()
      await rig.push(number('x_bucket', { le: '1' }, 12))
      const points = [
        buckets([], at(5)),
        buckets([1], { ...from(13), ...at(20) }),
        buckets([1], { ...at(11), ...late }),
      ].flatMap(({ histogram }) => histogram.dataPoints)
      await rig.push({ name: 'x', histogram: { ...cumulative, dataPoints: points } })
      assert.deepEqual(sent(rig)['x_bucket{le="1"}'], [
        [12, 77],
        [20, 1],
      ])
      const isEnd = what === 'an end'
      assert.deepEqual(
        sent(rig)['x_count{}'].map(([ms]) => ms),
        isEnd ? [5, 11, 20] : [5, 20],
      )
      assert.deepEqual(
        rig.host.drops.map(({ cause }) => cause),
        isEnd ? [] : ['out_of_order'],
      )
    })
  }

  it('is target_info, which is ours alone as long as we send one', async () => {
    const resource = { 'service.name': 'shop', zone: 'a' }
    const theirs = metricsBatch([number('target_info', { zone: 'a' }, 1), number('up', {}, 1)], {
      resource,
    })
    const rig = await start({ target_info: { enabled: true } })
    await rig.exporter.consume(theirs)
    await rig.settled()
    assert.deepEqual(sent(rig)['target_info{zone="a"}'], [[1, 1]])
    assert.deepEqual(rig.host.drops, [{ signal: 'metrics', itemCount: 1, cause: 'reserved_name' }])
    const without = await start()
    await without.exporter.consume(theirs)
    await without.settled()
    assert.deepEqual(sent(without)['target_info{zone="a"}'], [[1, 77]])
  })
})
