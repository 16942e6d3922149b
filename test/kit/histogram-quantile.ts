/**
 * histogram_quantile as the Prometheus documentation describes it, computed from the buckets that were pushed: the
 * independent judge of what a server makes of them.
 */

/** A classic histogram as OTLP has it: a count more than bounds, none of them cumulative. */
export interface ClassicBuckets {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

export interface ExponentialBuckets {
  readonly scale: number
  readonly zeroThreshold: number
  readonly zeroCount: number
  readonly positive: { readonly offset: number; readonly counts: readonly number[] }
  readonly negative: { readonly offset: number; readonly counts: readonly number[] }
}

export interface Bucket {
  readonly from: number
  readonly to: number
  readonly count: number
}

function outside(quantile: number): number {
  return quantile < 0 ? -Infinity : Infinity
}

/**
 * Linear within a bucket. The lowest one begins at 0 if its bound is positive, and else its bound is the answer; in the
 * highest one the answer is the second highest bound. NaN with fewer than two buckets or without observations.
 */
export function classicQuantile(quantile: number, classic: ClassicBuckets): number {
  return boundedQuantile(quantile, classic, true)
}

/** Of a native histogram with custom buckets: the same, but that empty buckets are not there. */
export function customQuantile(quantile: number, classic: ClassicBuckets): number {
  return boundedQuantile(quantile, classic, false)
}

function boundedQuantile(
  quantile: number,
  { bounds, counts }: ClassicBuckets,
  hasEmpty: boolean,
): number {
  if (quantile < 0 || quantile > 1) return outside(quantile)
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (bounds.length === 0 || total === 0) return NaN
  const rank = quantile * total
  let below = 0
  for (const [index, bound] of bounds.entries()) {
    const count = counts[index]
    if (below + count >= rank && (hasEmpty || count > 0)) {
      if (index === 0 && bound <= 0) return bound
      const from = index === 0 ? 0 : bounds[index - 1]
      return from + (bound - from) * ((rank - below) / count)
    }
    below += count
  }
  return bounds[bounds.length - 1]
}

/** Populated buckets from the lowest to the highest; OTLP's bucket i covers (base^i, base^(i+1)]. */
export function exponentialBuckets(histogram: ExponentialBuckets): Bucket[] {
  const { scale, zeroCount, zeroThreshold, positive, negative } = histogram
  const edge = (index: number) => 2 ** (index * 2 ** -scale)
  const above = positive.counts.map((count, index) => ({
    from: edge(positive.offset + index),
    to: edge(positive.offset + index + 1),
    count,
  }))
  const below = negative.counts.map((count, index) => ({
    from: -edge(negative.offset + index + 1),
    to: -edge(negative.offset + index),
    count,
  }))
  const zero = { from: -zeroThreshold, to: zeroThreshold, count: zeroCount }
  return [...below.toReversed(), zero, ...above].filter(({ count }) => count > 0)
}

/**
 * Since 3.0 exponential within a bucket, before it linear; always linear in the zero bucket, which is only its positive
 * half where there are no negative observations, and the other way round.
 */
export function exponentialQuantile(
  quantile: number,
  histogram: ExponentialBuckets,
  within: 'linear' | 'exponential',
): number {
  if (quantile < 0 || quantile > 1) return outside(quantile)
  const buckets = exponentialBuckets(histogram)
  const total = buckets.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return NaN
  const rank = quantile * total
  let below = 0
  for (const bucket of buckets) {
    if (below + bucket.count >= rank) {
      return inBucket(bucket, (rank - below) / bucket.count, { buckets, within })
    }
    below += bucket.count
  }
  throw new Error('a rank beyond the last bucket')
}

function inBucket(
  { from, to }: Bucket,
  part: number,
  { buckets, within }: { buckets: readonly Bucket[]; within: 'linear' | 'exponential' },
): number {
  if (from < 0 && to > 0) {
    const hasNegative = buckets[0].to < 0
    const hasPositive = buckets[buckets.length - 1].from > 0
    const low = !hasNegative && hasPositive ? 0 : from
    const high = !hasPositive && hasNegative ? 0 : to
    return low + (high - low) * part
  }
  if (within === 'linear') return from + (to - from) * part
  return to > 0 ? from * (to / from) ** part : to * (from / to) ** (1 - part)
}
