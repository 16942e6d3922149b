import type { BucketBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import type { Row } from './row.ts'

/** The rows of a classic histogram, for the bounds it has. */
export class HistogramRows {
  readonly sum: Row
  readonly count: Row
  /** The same as `count` where there are no buckets, as in summaries. */
  readonly infinity: Row
  /** By bound, ascending, without +Inf; undefined where another source has that series. */
  readonly buckets: readonly (Row | undefined)[]
  readonly bounds: BucketBounds

  constructor(rows: {
    sum: Row
    count: Row
    infinity: Row
    buckets: readonly (Row | undefined)[]
    bounds: BucketBounds
  }) {
    this.sum = rows.sum
    this.count = rows.count
    this.infinity = rows.infinity
    this.buckets = rows.buckets
    this.bounds = rows.bounds
  }

  withBuckets(bounds: BucketBounds, buckets: readonly (Row | undefined)[]): HistogramRows {
    const { sum, count, infinity } = this
    return new HistogramRows({ sum, count, infinity, buckets, bounds })
  }

  get rowCount(): number {
    return this.buckets.length + (this.infinity === this.count ? 2 : 3)
  }

  *all(): Iterable<Row> {
    yield this.sum
    yield this.count
    for (const row of this.buckets) if (row !== undefined) yield row
    if (this.infinity !== this.count) yield this.infinity
  }
}
