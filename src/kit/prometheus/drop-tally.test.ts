import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testHost } from '../../../test/kit/test-host.ts'
import { DropTally } from './drop-tally.ts'
import type { MetricSource } from './metric-source.ts'

const metric = (name: string) =>
  ({
    name,
    scope: { name: '', resource: { labels: { target: [{ name: 'job', value: 'shop' }] } } },
  }) as unknown as MetricSource<unknown>

test('the log names a metric of each cause once a minute, and how many points it was', async () => {
  const host = testHost()
  const drops = new DropTally(host)
  const dropTwo = (cause: string, name: string) => {
    drops.add(cause, 1, metric('first'))
    drops.add(cause, 1, metric(name))
    assert.equal(drops.report(), 2)
  }
  dropTwo('scale', 'a')
  dropTwo('scale', 'b')
  dropTwo('out_of_order', 'c')
  await host.clock.advance(60_000)
  dropTwo('scale', 'd')
  assert.deepEqual(
    host.lines.map(({ level, message, fields }) => [level, message, fields]),
    [
      [
        'warn',
        'points are dropped as scale, the last of metric "a" of job "shop"',
        { cause: 'scale', dropped_points: 2 },
      ],
      [
        'warn',
        'points are dropped as out_of_order, the last of metric "c" of job "shop"',
        { cause: 'out_of_order', dropped_points: 2 },
      ],
      [
        'warn',
        'points are dropped as scale, the last of metric "d" of job "shop"',
        { cause: 'scale', dropped_points: 4 },
      ],
    ],
  )
})

test('what has a line of its own, or came to nothing, gets none', () => {
  const host = testHost()
  const drops = new DropTally(host)
  drops.add('series_collision', 3, metric('a'))
  assert.equal(drops.report(), 3)
  drops.add('scale', 2, metric('a'))
  drops.discard()
  assert.equal(drops.report(), 0)
  assert.deepEqual(host.lines, [])
})
