import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testHost } from '../../../test/kit/test-host.ts'
import { attributes, gauge, metricsBatch } from '../../../test/kit/metrics-request.ts'
import { encodeRequest, type PlainMessage } from '../../../test/kit/oracle.ts'
import { indexRequest } from '../../otlp/index-request.ts'
import { attributesIdentity } from './attribute-text.ts'
import { collectorLabelNaming } from './label-name.ts'
import type { MetricSource } from './metric-source.ts'
import { SeriesIndex } from './series-index.ts'

const rules = {
  naming: collectorLabelNaming,
  constLabels: [],
  scopeInfo: false,
  promotes: () => false,
  keepIdentifying: false,
}

interface Series {
  readonly id: string
  readonly metric: MetricSource<never>
  pointCount: number
}

/** An index whose series are told apart by what they are called, and what became of each point. */
function indexed(entriesMax: number, host = testHost()) {
  const known = new Map<string, Series>()
  const dropped: (string | undefined)[] = []
  const index = new SeriesIndex<never, Series>(
    { rules, seed: 1, entriesMax, host },
    {
      isGone: (series) => known.get(series.id) !== series,
      isNew: (series) => series.pointCount === 0,
      openMetric: () => true,
      partBytes: () => 0,
      openSeries: (metric, list) => {
        const id = `${metric.name} ${attributesIdentity(list)}`
        const series = known.get(id) ?? { id, metric, pointCount: 0 }
        known.set(id, series)
        return series
      },
      take: (series) => series.pointCount++,
      drop: (metric) => dropped.push(metric?.name),
    },
  )
  const swept = () => {
    const met = new Set<Series>()
    while (!index.sweep(100, -1, (series) => !met.add(series))) continue
    return met.size
  }
  return { index, known, dropped, swept }
}

function orders(names: readonly string[]): string[][] {
  if (names.length === 0) return [[]]
  return names.flatMap((name) =>
    orders(names.filter((other) => other !== name)).map((rest) => [name, ...rest]),
  )
}

const inOrder = (names: readonly string[]) =>
  attributes(Object.fromEntries(names.map((name) => [name, 1])))

test('however many orders the attributes of one series come in, every series can be swept', () => {
  const { index, known, dropped, swept } = indexed(10)
  const all = orders(['a', 'b', 'c', 'd'])
  const points = all.map((names) => ({ attributes: inOrder(names), asInt: 1n }))
  index.read(metricsBatch([gauge('one', points)]), 0)
  assert.deepEqual([known.size, [...known.values()][0].pointCount], [1, all.length])
  assert.equal(index.keyCount, 10)
  for (const name of ['two', 'three']) {
    index.read(metricsBatch([gauge(name, [{ asInt: 1n }])]), 0)
  }
  assert.deepEqual([known.size, swept(), dropped], [3, 3, []])
})

test('beyond twice as many keys points of new series are dropped, not kept out of the sweep', () => {
  const { index, known, dropped, swept } = indexed(2)
  const points = Array.from({ length: 6 }, (_, at) => ({
    attributes: attributes({ at }),
    asInt: 1n,
  }))
  index.read(metricsBatch([gauge('one', points)]), 0)
  assert.deepEqual([known.size, swept(), dropped], [4, 4, ['one', 'one']])
})

function resourceBatch(resource: PlainMessage, scope: PlainMessage = { name: 's' }) {
  const metrics = [gauge('one', [{ asInt: 1n }])]
  const scopeMetrics = [{ scope, metrics }]
  return indexRequest(
    'metrics',
    encodeRequest('metrics', { resourceMetrics: [{ resource, scopeMetrics }] }),
  )
}

test('in however many forms a resource and a scope come, they take no more than their room', () => {
  const { index, known, dropped } = indexed(10)
  for (let droppedAttributesCount = 1; droppedAttributesCount < 100; droppedAttributesCount++) {
    const extra = { droppedAttributesCount }
    index.read(resourceBatch(extra, { name: 's', ...extra }), 0)
  }
  assert.equal(index.sourceCount, 10 + 10 + 1)
  index.read(resourceBatch({ attributes: attributes({ 'service.name': 'new' }) }), 0)
  assert.equal(index.sourceCount, 11 + 11 + 2)
  assert.deepEqual([known.size, dropped], [1, []])
})

test('a source that was forgotten by one of its forms is one again for all of them', () => {
  for (const form of [
    (names: string[]) => resourceBatch({ attributes: inOrder(names) }),
    (names: string[]) => resourceBatch({}, { name: 's', attributes: inOrder(names) }),
  ]) {
    const { index, known } = indexed(100)
    const [one, other] = [form(['a', 'b']), form(['b', 'a'])]
    index.read(one, 0)
    index.read(other, 0)
    const [{ metric: before }] = known.values()
    known.clear()
    // A quarter as many sources as series: one of each.
    index.sweep(4, 1, () => true)
    assert.equal(index.sourceCount, 4 - 3)
    const metrics = [other, one].map((batch) => {
      known.clear()
      index.read(batch, 1)
      return [...known.values()][0].metric
    })
    assert.notEqual(metrics[0], before)
    assert.equal(metrics[0], metrics[1])
  }
})

test('where memory for series is used up, known ones go on, and new ones wait until others have gone', () => {
  const host = testHost()
  const { index, known, dropped } = indexed(1000, host)
  const read = (at: number) => {
    const long = { at: String(at).padEnd(100_000, 'x') }
    index.read(metricsBatch([gauge('one', [{ attributes: attributes(long), asInt: 1n }])]), at)
  }
  for (let at = 0; at < 10; at++) read(at)
  assert.ok(host.memory.keptBytes > 10 * 2 * 100_000, `${host.memory.keptBytes} bytes are kept`)
  host.memory.keptBytesMax = host.memory.keptBytes
  for (let at = 8; at < 14; at++) read(at)
  assert.deepEqual([known.size, dropped.length], [10, 4])
  assert.deepEqual(
    [...known.values()].map(({ pointCount }) => pointCount),
    [1, 1, 1, 1, 1, 1, 1, 1, 2, 2],
  )
  assert.equal(host.lines.filter(({ level }) => level === 'warn').length, 1)
  index.sweep(100, 0, () => true)
  read(14)
  assert.deepEqual([known.size, dropped.length], [11, 4])
  index.close()
  assert.equal(host.memory.keptBytes, 0)
})
