import type { BucketBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import type { Row } from './row.ts'

/** The rows of a classic histogram, for the bounds it has. */
export class HistogramRows {
  readonly sum: Row
  readonly count: Row
  /** The same as `count` where there are no buckets, as in summaries. */
  readonly infinity: Row
  /** By bound, ascending, without +Inf. */
  readonly buckets: readonly Row[]
  readonly bounds: BucketBounds

  constructor(rows: {
    sum: Row
    count: Row
    infinity: Row
    buckets: readonly Row[]
    bounds: BucketBounds
  }) {
    this.sum = rows.sum
    this.count = rows.count
    this.infinity = rows.infinity
    this.buckets = rows.buckets
    this.bounds = rows.bounds
  }

  get rowCount(): number {
    return this.buckets.length + (this.infinity === this.count ? 2 : 3)
  }

  *all(): Iterable<Row> {
    yield this.sum
    yield this.count
    yield* this.buckets
    if (this.infinity !== this.count) yield this.infinity
  }
}
