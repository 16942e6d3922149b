/** What the suites push to real servers, with the values that must come out again. */
import type { ClassicBuckets, ExponentialBuckets } from '../kit/histogram-quantile.ts'
import { attributes, cumulative } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'

export type Times = Readonly<Record<string, bigint>>

/** By the value of their attribute `case`: a number point's value, and the double that Prometheus must say it is. */
export const exactNumbers: Readonly<Record<string, readonly [PlainMessage, number]>> = {
  third: [{ asDouble: 0.1 + 0.2 }, 0.30000000000000004],
  tiny: [{ asDouble: 5e-324 }, 5e-324],
  huge: [{ asDouble: 1.7976931348623157e308 }, 1.7976931348623157e308],
  million: [{ asDouble: 1_000_000 }, 1_000_000],
  'zero point': [{ asDouble: 0.00001 }, 0.00001],
  integer: [{ asInt: -42n }, -42],
  'all digits': [{ asInt: 2n ** 53n - 1n }, 9_007_199_254_740_991],
  'nearest even': [{ asInt: 2n ** 53n + 1n }, 2 ** 53],
  'largest integer': [{ asInt: 2n ** 63n - 1n }, 2 ** 63],
  'smallest integer': [{ asInt: -(2n ** 63n) }, -(2 ** 63)],
  'not a number': [{ asDouble: NaN }, NaN],
  infinity: [{ asDouble: Infinity }, Infinity],
  'minus infinity': [{ asDouble: -Infinity }, -Infinity],
}

export const quantiles = [-1, 0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1, 2]

export type ClassicCase = ClassicBuckets & { readonly sum?: number }

/** By the value of `case`, of a histogram in seconds. */
export const classicCases: Readonly<Record<string, ClassicCase>> = {
  usual: { bounds: [0.005, 1, 10], counts: [1, 2, 3, 0], sum: 9.5 },
  overflowing: { bounds: [0.1, 1], counts: [0, 4, 6], sum: 100 },
  'below zero': { bounds: [-10, 0, 10], counts: [3, 3, 3, 1], sum: -20 },
  'without sum': { bounds: [1, 2, 3], counts: [5, 0, 6, 0] },
  'without observations': { bounds: [1, 2], counts: [0, 0, 0], sum: 0 },
  'without buckets': { bounds: [], counts: [7], sum: 7 },
  'large counts': { bounds: [1e6, 1e7], counts: [4_000_000_000, 1e12, 3], sum: 1e18 },
}

export type ExponentialCase = ExponentialBuckets & { readonly sum: number }

const none = { offset: 0, counts: [] }
/** What the specification says that a point without a zero threshold has. */
const thresholdDefault = 1e-128

/** By the value of `case`. Scales are such that Prometheus has them too. */
export const exponentialCases: Readonly<Record<string, ExponentialCase>> = {
  usual: {
    scale: 0,
    zeroCount: 2,
    zeroThreshold: 0.01,
    positive: { offset: 0, counts: [2, 4, 2] },
    negative: none,
    sum: 40,
  },
  fine: {
    scale: 5,
    zeroCount: 0,
    zeroThreshold: thresholdDefault,
    positive: { offset: -70, counts: [5, 0, 0, 0, 0, 9, 1, 0, 3] },
    negative: none,
    sum: 4.5,
  },
  'on both sides': {
    scale: 1,
    zeroCount: 3,
    zeroThreshold: 0.5,
    positive: { offset: 3, counts: [1, 0, 6] },
    negative: { offset: 1, counts: [4, 2] },
    sum: 3.25,
  },
  'below zero': {
    scale: 2,
    zeroCount: 1,
    zeroThreshold: 0.001,
    positive: none,
    negative: { offset: -3, counts: [2, 2, 8] },
    sum: -11,
  },
  coarse: {
    scale: -2,
    zeroCount: 0,
    zeroThreshold: thresholdDefault,
    positive: { offset: -1, counts: [7, 1, 1] },
    negative: none,
    sum: 5000,
  },
}

export function exactNumbersMetric(name: string, times: Times): PlainMessage {
  const dataPoints = Object.entries(exactNumbers).map(([known, [value]]) => ({
    attributes: attributes({ case: known }),
    ...times,
    ...value,
  }))
  return { name, description: 'Numbers to the last digit.', gauge: { dataPoints } }
}

export function classicMetric(name: string, times: Times): PlainMessage {
  const dataPoints = Object.entries(classicCases).map(([known, { bounds, counts, sum }]) => ({
    attributes: attributes({ case: known }),
    ...times,
    count: BigInt(counts.reduce((total, count) => total + count, 0)),
    ...(sum === undefined ? {} : { sum }),
    explicitBounds: [...bounds],
    bucketCounts: counts.map(BigInt),
  }))
  return { name, unit: 's', histogram: { ...cumulative, dataPoints } }
}

export function exponentialMetric(name: string, times: Times): PlainMessage {
  const side = ({ offset, counts }: ExponentialCase['positive']) => ({
    offset,
    bucketCounts: counts.map(BigInt),
  })
  const dataPoints = Object.entries(exponentialCases).map(([known, one]) => ({
    attributes: attributes({ case: known }),
    ...times,
    count: BigInt(exponentialCount(one)),
    sum: one.sum,
    scale: one.scale,
    zeroCount: BigInt(one.zeroCount),
    ...(one.zeroThreshold === thresholdDefault ? {} : { zeroThreshold: one.zeroThreshold }),
    positive: side(one.positive),
    negative: side(one.negative),
  }))
  return { name, unit: 's', exponentialHistogram: { ...cumulative, dataPoints } }
}

export function exponentialCount({ zeroCount, positive, negative }: ExponentialCase): number {
  return [zeroCount, ...positive.counts, ...negative.counts].reduce((sum, count) => sum + count, 0)
}
