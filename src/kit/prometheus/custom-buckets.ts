/** Explicit-bounds histograms as native ones with custom buckets: one series in place of one a bucket. */
import type { BucketBounds } from './bucket-bounds.ts'
import { addCounts, type Count, countOfHalves, subtractCounts } from './count.ts'
import type { PointValue } from './point-value.ts'

/** The schema number of native histograms that bring their bounds with them. */
export const customSchema = -53

export class CustomHistogram {
  readonly bounds: BucketBounds
  /** Of the bucket below each bound, and behind them of what lies above all bounds. */
  readonly counts: readonly Count[]
  /** Undefined when the point has none. */
  readonly sum: number | undefined

  constructor(bounds: BucketBounds, counts: readonly Count[], sum: number | undefined) {
    this.bounds = bounds
    this.counts = counts
    this.sum = sum
  }

  get count(): Count {
    let sum: Count = 0
    for (const count of this.counts) sum = addCounts(sum, count)
    return sum
  }
}

/** As in the classic form the count is what `+Inf` holds: what no bound is above is the rest of it. */
export function customHistogram({ histogram, bounds }: PointValue): CustomHistogram {
  const { counts, countLow, countHigh, hasSum, sum } = histogram
  const view = new DataView(counts.bytes.buffer, counts.bytes.byteOffset + counts.start)
  const buckets: Count[] = []
  let rest = countOfHalves(countLow, countHigh)
  for (let index = 0; index < bounds.values.length; index++) {
    const at = index * 8
    const isGiven = at < counts.byteLength
    const count = isGiven ? countOfHalves(view.getInt32(at, true), view.getInt32(at + 4, true)) : 0
    buckets.push(count)
    rest = subtractCounts(rest, count)
  }
  buckets.push(rest > 0 ? rest : 0)
  return new CustomHistogram(bounds, buckets, hasSum ? sum : undefined)
}
