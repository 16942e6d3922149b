/** What a server must answer about the cases that were pushed to it, however they came there. */
import assert from 'node:assert/strict'
import {
  classicQuantile,
  customQuantile,
  exponentialBuckets,
  exponentialQuantile,
} from '../kit/histogram-quantile.ts'
import {
  numberOf,
  type PrometheusProgram,
  type PrometheusServer,
} from '../kit/prometheus-server.ts'
import {
  classicCases,
  exactNumbers,
  exponentialCases,
  exponentialCount,
  quantiles,
} from './metric-cases.ts'

/** Equal but for what rounding in another order makes of them. */
export function assertClose(actual: number, expected: number, what: string): void {
  const isClose =
    Object.is(actual, expected) || Math.abs(actual - expected) <= Math.abs(expected) * 1e-11
  assert.ok(isClose, `${what}: ${actual} instead of ${expected}`)
}

/** `only` selects what came one way, such as `way="1.0"`. */
export async function assertExactNumbers(
  server: PrometheusServer,
  name: string,
  only: string,
): Promise<void> {
  const found = await server.query(`${name}{${only}}`)
  const values = found.map(({ metric, value }) => [metric.case, numberOf(value!)] as const)
  const expected = Object.entries(exactNumbers).map(([known, [, value]]) => [known, value] as const)
  assert.deepEqual(new Map(values), new Map(expected))
  assert.equal(found.length, expected.length)
}

/** `withoutSum` are the sums of a histogram that has none. */
export async function assertClassic(
  server: PrometheusServer,
  name: string,
  only: string,
  withoutSum: readonly number[] = [],
): Promise<void> {
  for (const [known, { bounds, counts, sum }] of Object.entries(classicCases)) {
    const one = `{${only},case="${known}"}`
    const count = counts.reduce((total, value) => total + value, 0)
    assert.equal(await server.number(`${name}_count${one}`), count, known)
    const sums = (await server.query(`${name}_sum${one}`)).map(({ value }) => Number(value))
    assert.deepEqual(sums, sum === undefined ? withoutSum : [sum], known)
    const buckets = (await server.query(`${name}_bucket${one}`))
      .map(({ metric, value }) => [numberOf(metric.le), Number(value)] as const)
      .sort(([left], [right]) => left - right)
    let total = 0
    const expected = [...bounds, Infinity].map((bound, index) => {
      total += counts[index]
      return [bound, total] as const
    })
    assert.deepEqual(buckets, expected, known)
    for (const quantile of quantiles) {
      const expression = `histogram_quantile(${quantile}, ${name}_bucket${one})`
      assertClose(
        await server.number(expression),
        classicQuantile(quantile, { bounds, counts }),
        expression,
      )
    }
  }
}

/** The classic cases as native histograms with custom buckets: one series each, linear within a bucket. */
export async function assertCustom(
  server: PrometheusServer,
  name: string,
  only: string,
): Promise<void> {
  assert.deepEqual(await server.query(`{__name__=~"${name}_.+",${only}}`), [])
  for (const [known, { bounds, counts, sum = 0 }] of Object.entries(classicCases)) {
    const one = `${name}{${only},case="${known}"}`
    const count = counts.reduce((total, value) => total + value, 0)
    assert.equal(await server.number(`histogram_count(${one})`), count, known)
    assert.equal(await server.number(`histogram_sum(${one})`), sum, known)
    const [{ histogram }] = await server.query(one)
    const buckets = (histogram?.buckets ?? [])
      .map(([, ...edges]) => edges.map(numberOf))
      .filter(([, , value]) => value > 0)
    const expected = counts.map((value, index) => [
      bounds[index - 1] ?? -Infinity,
      bounds[index] ?? Infinity,
      value,
    ])
    assert.deepEqual(
      buckets,
      expected.filter(([, , value]) => value > 0),
      known,
    )
    // Without bounds there is nothing to interpolate between.
    for (const quantile of bounds.length === 0 ? [] : quantiles) {
      const expression = `histogram_quantile(${quantile}, ${one})`
      assertClose(
        await server.number(expression),
        customQuantile(quantile, { bounds, counts }),
        expression,
      )
    }
  }
}

export async function assertNative(
  server: PrometheusServer,
  { major }: PrometheusProgram,
  name: string,
  only: string,
): Promise<void> {
  const within = major >= 3 ? 'exponential' : 'linear'
  for (const [known, histogram] of Object.entries(exponentialCases)) {
    const one = `${name}{${only},case="${known}"}`
    assert.equal(await server.number(`histogram_count(${one})`), exponentialCount(histogram), known)
    assert.equal(await server.number(`histogram_sum(${one})`), histogram.sum, known)
    const [found] = await server.query(one)
    const buckets = (found.histogram?.buckets ?? [])
      .filter(([, , , count]) => count !== '0')
      .map(([, ...edges]) => edges.map(Number))
    const expected = exponentialBuckets(histogram)
    assert.equal(buckets.length, expected.length, `${known}: ${JSON.stringify(buckets)}`)
    for (const [index, { from, to, count }] of expected.entries()) {
      // A zero bucket is shown with both its halves.
      assertClose(buckets[index][0], from, `${known}, bucket ${index}, from`)
      assertClose(buckets[index][1], to, `${known}, bucket ${index}, to`)
      assert.equal(buckets[index][2], count, `${known}, bucket ${index}`)
    }
    for (const quantile of quantiles) {
      const expression = `histogram_quantile(${quantile}, ${one})`
      assertClose(
        await server.number(expression),
        exponentialQuantile(quantile, histogram, within),
        expression,
      )
    }
  }
}
