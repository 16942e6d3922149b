import { type BucketBounds, noBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import type { SeriesBudget } from '../../../kit/prometheus/series-budget.ts'
import { compareText } from '../../../kit/prometheus/attribute-text.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { HistogramRows } from './histogram-rows.ts'
import type { LabelPool } from './label-pool.ts'
import type { RetiredLabels } from './retired-labels.ts'
import { type Metric, noLabels, type Row, type RowOwner, type Source } from './row.ts'

interface RowMakerOptions {
  readonly pool: LabelPool
  readonly retired: RetiredLabels
  /** With custom buckets a histogram has a row of its own name too. */
  readonly convertsHistograms: boolean
}

/** Makes rows and takes them down again, within a limit for those of all sources. */
export class RowMaker {
  readonly #pool: LabelPool
  readonly #retired: RetiredLabels
  readonly #convertsHistograms: boolean
  readonly #budget: SeriesBudget

  constructor(options: RowMakerOptions, budget: SeriesBudget) {
    this.#pool = options.pool
    this.#retired = options.retired
    this.#convertsHistograms = options.convertsHistograms
    this.#budget = budget
  }

  /**
   * Takes the labels of the samples that a source of this metric has in any case; whoever has these series has all the
   * others too. `labels` are sorted, without the name.
   */
  claim(metric: Metric, labels: readonly Label[]): number[] {
    const { name } = metric.family!.family!
    const names = isOneRow(metric) ? [name] : [`${name}_count`, `${name}_sum`]
    if (this.#isInTwoForms(metric)) names.push(name)
    return names.map((one) => this.#pool.take(withLabel(labels, '__name__', one)))
  }

  /** Whether there is room for what a source of this metric has before its first point. */
  hasRoomToBegin(metric: Metric, claims: readonly number[]): boolean {
    const hasInfinity = metric.dataField === metricDataFields.histogram
    return this.#budget.hasRoom(claims.length + (hasInfinity ? 1 : 0))
  }

  /** The rows of a new source that are known before its first point, out of what it claimed. */
  begin(source: Source, labels: readonly Label[], claims: readonly number[]): void {
    this.#begin(source, labels, claims)
    this.#budget.add(source.rowCount)
  }

  #begin(source: Source, labels: readonly Label[], claims: readonly number[]): void {
    const { family, metric } = source
    if (isOneRow(metric)) {
      source.labels = claims[0]
      return
    }
    const isSummary = metric.dataField === metricDataFields.summary
    const count = { owner: source, family, labels: claims[0] }
    const infinity = () => this.#row(source, labels, '_bucket', { name: 'le', value: '+Inf' })
    source.histogram = new HistogramRows({
      sum: { owner: source, family, labels: claims[1] },
      count,
      infinity: isSummary ? count : infinity(),
      buckets: [],
      bounds: noBounds,
    })
    if (isSummary) source.quantiles = new Map()
    else if (this.#isInTwoForms(metric)) source.labels = claims[2]
  }

  /** What the source claimed. */
  claims({ labels, histogram }: Source): number[] {
    const claims = histogram === undefined ? [] : [histogram.count.labels, histogram.sum.labels]
    return labels === noLabels ? claims : [...claims, labels]
  }

  #isInTwoForms({ dataField }: Metric): boolean {
    return this.#convertsHistograms && dataField === metricDataFields.histogram
  }

  #row(source: Source, labels: readonly Label[], suffix: string, more: Label): Row {
    const named = withLabel(labels, '__name__', `${source.family.name}${suffix}`)
    const set = this.#pool.take(withLabel(named, more.name, more.value))
    return { owner: source, family: source.family, labels: set }
  }

  hasRoomForBuckets(source: Source, bounds: BucketBounds): boolean {
    const { buckets } = source.histogram!
    return this.#budget.hasRoom(bounds.values.length - buckets.length)
  }

  /**
   * The rows of a histogram with these bounds; those of other bounds before are over. Where there is no room for them
   * they are only for what is at hand.
   */
  bucketRows(source: Source, bounds: BucketBounds): HistogramRows {
    const before = source.histogram!
    if (before.bounds === bounds) return before
    const base = this.#pool.read(before.count.labels)
    const buckets = bounds.plainTexts.map((value) =>
      this.#row(source, base, '_bucket', { name: 'le', value }),
    )
    const { sum, count, infinity } = before
    const rows = new HistogramRows({ sum, count, infinity, buckets, bounds })
    // Of a source that is over nothing would take them down.
    if (source.isGone || !this.hasRoomForBuckets(source, bounds)) {
      this.#release(buckets)
      return rows
    }
    this.#release(before.buckets)
    this.#budget.add(buckets.length - before.buckets.length)
    source.histogram = rows
    return rows
  }

  hasRoomForQuantiles({ quantiles }: Source, count: number): boolean {
    return this.#budget.hasRoom(count - quantiles!.size)
  }

  /** The rows of a summary from its newest point on, which has these quantiles. Gives those that are over with it. */
  replaceQuantiles(source: Source, wanted: ReadonlyMap<string, unknown>): readonly Row[] {
    const before = source.quantiles!
    const over: Row[] = []
    for (const [text, row] of before) if (!wanted.has(text)) over.push(row)
    if (over.length === 0 && wanted.size === before.size) return over
    const quantiles = new Map<string, Row>()
    for (const text of wanted.keys()) {
      quantiles.set(text, before.get(text) ?? this.#quantile(source, text))
    }
    this.#release(over)
    this.#budget.add(quantiles.size - before.size)
    source.quantiles = quantiles
    return over
  }

  /** The row for a sample of a point that is not the newest: unless that has it too, for the one sample. */
  passingQuantile(source: Source, text: string): Row {
    const known = source.quantiles!.get(text)
    if (known !== undefined) return known
    const row = this.#quantile(source, text)
    this.#release([row])
    return row
  }

  #quantile(source: Source, text: string): Row {
    const base = this.#pool.read(source.histogram!.count.labels)
    return this.#row(source, base, '', { name: 'quantile', value: text })
  }

  takeDown(source: Source): void {
    this.#budget.add(-source.rowCount)
    this.retire(source, source.rows())
  }

  retire(owner: RowOwner, rows: Iterable<Row>): void {
    owner.isGone = true
    this.#release(rows)
  }

  #release(rows: Iterable<Row>): void {
    for (const row of rows) this.#retired.add(row.labels)
  }
}

function isOneRow({ dataField }: Metric): boolean {
  return dataField !== metricDataFields.histogram && dataField !== metricDataFields.summary
}

/** The labels, sorted as they are, with one that is new or another than before. */
export function withLabel(labels: readonly Label[], name: string, value: string): Label[] {
  let at = 0
  while (at < labels.length && compareText(labels[at].name, name) < 0) at++
  return labels.toSpliced(at, labels[at]?.name === name ? 1 : 0, { name, value })
}
