import { type BucketBounds, noBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import { type Label, sortedLabels } from '../../../kit/prometheus/labels.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { HistogramRows } from './histogram-rows.ts'
import { LabelSlab, readLabels } from './label-slab.ts'
import { type Family, Row, type RowOwner, type Source } from './row.ts'
import type { SymbolPool } from './symbol-pool.ts'

/** Makes rows and takes them down again. */
export class RowMaker {
  readonly #slab = new LabelSlab()
  readonly #symbols: SymbolPool

  readonly #convertsHistograms: boolean

  /** With custom buckets a histogram has a row of its own name too. */
  constructor(symbols: SymbolPool, convertsHistograms: boolean) {
    this.#symbols = symbols
    this.#convertsHistograms = convertsHistograms
  }

  /** `labels` in any order, the name among them. */
  named(owner: RowOwner, family: Family, labels: readonly Label[]): Row {
    const all = new Map(labels.map((label) => [label.name, label.value]))
    return this.#row(owner, family, sortedLabels(all))
  }

  #row(owner: RowOwner, family: Family, labels: readonly Label[]): Row {
    return new Row(owner, family, this.#slab.add(labels))
  }

  /** The rows of a new source that are known before its first point. */
  begin(source: Source, labels: readonly Label[]): void {
    const { family, metric } = source
    const isSummary = metric.dataField === metricDataFields.summary
    if (!isSummary && metric.dataField !== metricDataFields.histogram) {
      source.number = this.#row(source, family, named(labels, family.name))
      return
    }
    const make = (suffix: string, more: Record<string, string> = {}) =>
      this.#row(source, family, named(labels, `${family.name}${suffix}`, more))
    const count = make('_count')
    source.histogram = new HistogramRows({
      sum: make('_sum'),
      count,
      infinity: isSummary ? count : make('_bucket', { le: '+Inf' }),
      buckets: [],
      bounds: noBounds,
    })
    if (isSummary) source.quantiles = new Map()
    else if (this.#convertsHistograms) source.number = make('')
  }

  /** The rows of a histogram with these bounds; those of other bounds before are over. */
  bucketRows(source: Source, bounds: BucketBounds): HistogramRows {
    const before = source.histogram!
    if (before.bounds === bounds) return before
    const base = readLabels(before.count.labels)
    const name = `${source.family.name}_bucket`
    this.#release(before.buckets)
    const buckets = bounds.plainTexts.map((le) =>
      this.#row(source, source.family, named(base, name, { le })),
    )
    const { sum, count, infinity } = before
    source.histogram = new HistogramRows({ sum, count, infinity, buckets, bounds })
    return source.histogram
  }

  quantile(source: Source, text: string): Row {
    let row = source.quantiles!.get(text)
    if (row === undefined) {
      const base = readLabels(source.histogram!.count.labels)
      row = this.#row(source, source.family, named(base, source.family.name, { quantile: text }))
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
    for (const row of rows) {
      row.isRetired = true
      if (row.symbols !== undefined) this.#symbols.release(row.symbols)
      row.symbols = undefined
    }
  }
}

function named(
  labels: readonly Label[],
  name: string,
  more: Readonly<Record<string, string>> = {},
): Label[] {
  const all = new Map(labels.map((label) => [label.name, label.value]))
  for (const [key, value] of Object.entries(more)) all.set(key, value)
  all.set('__name__', name)
  return sortedLabels(all)
}
