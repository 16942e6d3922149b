import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, during, exposed } from '../../../../test/kit/exposed-store.ts'
import { delta, gauge, point, sum } from '../../../../test/kit/metrics-request.ts'

/** io.prometheus.client.MetricType */
const counterType = 0
const oddTotals = 'penstock_exporter_prometheus_odd_totals'

/** OpenMetrics, "Counter": "A Total is a non-NaN and MUST be monotonically non-decreasing over time, starting from 0." */
const values: readonly (readonly [value: object, isTotal: boolean, text: string])[] = [
  [{ asDouble: -1 }, false, '-1.0'],
  [{ asInt: -1n }, false, '-1.0'],
  [{ asInt: -(2n ** 63n) }, false, '-9223372036854775808'],
  [{ asDouble: -Infinity }, false, '-Inf'],
  [{ asDouble: NaN }, false, 'NaN'],
  [{ asDouble: -Number.MIN_VALUE }, false, '-5e-324'],
  [{ asDouble: -0 }, true, '0.0'],
  [{ asDouble: Infinity }, true, '+Inf'],
  [{ asInt: 2n ** 63n - 1n }, true, '9223372036854775807'],
]

test('a counter with a value that none may have is unknown to OpenMetrics, and loses no sample', () => {
  for (const [value, isTotal, text] of values) {
    const { take, openMetrics, own, host, ...pages } = exposed({ enable_open_metrics: true })
    const good = point({ a: '1' }, { ...during(1, 2), asInt: 5n })
    take([sum('foo', [good, point({ a: '2' }, { ...during(1, 2), ...value })])])
    const page = openMetrics()
    assert.match(page, isTotal ? /^# TYPE foo counter$/m : /^# TYPE foo_total unknown$/m)
    assert(page.includes(`foo_total{a="1"} 5.0\n`), page)
    assert(page.includes(`foo_total{a="2"} ${text}\n`), page)
    assert.equal(page.includes('_created'), isTotal)
    assert.match(pages.text(), /^# TYPE foo_total counter$/m)
    assert.equal(pages.families()[0]?.type, counterType)
    assert.equal(own(oddTotals), isTotal ? 0 : 1)
    assert.equal(host.lines.length, isTotal ? 0 : 1)
  }
})

test('it stays unknown when its value is better, is named once, and is a counter again after its end', async () => {
  const { take, openMetrics, own, host, store } = exposed({ enable_open_metrics: true })
  const total = (seconds: number, value: number) =>
    sum('foo', [point({ a: '1' }, { ...at(seconds), asDouble: value })])
  take([total(1, -1)])
  take([total(2, NaN)])
  take([total(3, 7)])
  assert.equal(openMetrics(), '# TYPE foo_total unknown\nfoo_total{a="1"} 7.0\n# EOF\n')
  assert.equal(own(oddTotals), 2)
  assert.deepEqual(
    host.lines.map(({ message }) => message),
    [
      'metric "foo" of a resource without a service name is monotonic and has the value -1: ' +
        'OpenMetrics shows foo_total as unknown, since no counter may have that',
    ],
  )
  await host.clock.advance(300_001)
  for (let round = 0; round < 4; round++) store.sweep()
  take([total(4, 1)])
  assert.match(openMetrics(), /^# TYPE foo counter$/m)
})

test('what deltas add up to is held to the same, and gauges to nothing', () => {
  const { take, openMetrics, own } = exposed({ enable_open_metrics: true })
  const change = (start: number, asDouble: number) =>
    sum('d', [point({}, { ...during(start, start + 1), asDouble })], { sum: delta })
  take([change(1, 3), gauge('g', [point({}, { ...at(1), asDouble: -1 })])])
  take([change(2, -2)])
  assert.equal(own(oddTotals), 0)
  take([change(3, -2)])
  assert.equal(own(oddTotals), 1)
  assert.match(openMetrics(), /^# TYPE d_total unknown\nd_total -1\.0$/m)
})
