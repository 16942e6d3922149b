import { type BucketBounds, noBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import { compareText } from '../../../kit/prometheus/attribute-text.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { HistogramRows } from './histogram-rows.ts'
import type { LabelPool } from './label-pool.ts'
import type { RetiredLabels } from './retired-labels.ts'
import { type Metric, noLabels, type Row, type RowOwner, type Source } from './row.ts'

/** Makes rows and takes them down again. */
export class RowMaker {
  readonly #pool: LabelPool
  readonly #retired: RetiredLabels
  readonly #convertsHistograms: boolean

  /** With custom buckets a histogram has a row of its own name too. */
  constructor(pool: LabelPool, retired: RetiredLabels, convertsHistograms: boolean) {
    this.#pool = pool
    this.#retired = retired
    this.#convertsHistograms = convertsHistograms
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

  /** The rows of a new source that are known before its first point, out of what it claimed. */
  begin(source: Source, labels: readonly Label[], claims: readonly number[]): void {
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

  /** The rows of a histogram with these bounds; those of other bounds before are over. */
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
    this.#release(source.isGone ? buckets : before.buckets)
    if (!source.isGone) source.histogram = rows
    return rows
  }

  quantile(source: Source, text: string): Row {
    let row = source.quantiles!.get(text)
    if (row === undefined) {
      const base = this.#pool.read(source.histogram!.count.labels)
      row = this.#row(source, base, '', { name: 'quantile', value: text })
      source.quantiles!.set(text, row)
    }
    return row
  }

  takeDown(source: Source): void {
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
