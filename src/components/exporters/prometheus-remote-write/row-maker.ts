import { type BucketBounds, noBounds } from '../../../kit/prometheus/bucket-bounds.ts'
import type { SeriesBudget } from '../../../kit/prometheus/series-budget.ts'
import { compareText } from '../../../kit/prometheus/attribute-text.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'
import { metricDataFields } from '../../../otlp/fields.ts'
import { HistogramRows } from './histogram-rows.ts'
import type { LabelPool } from './label-pool.ts'
import type { RowOwners } from './row-owners.ts'
import type { Metric, Row, Source } from './row.ts'

interface RowMakerOptions {
  readonly pool: LabelPool
  readonly owners: RowOwners
  /** With custom buckets a histogram has a row of its own name too. */
  readonly convertsHistograms: boolean
}

/** Rows for the buckets or quantiles of a point, by their text, and those that are over with it. */
interface PartRows {
  readonly rows: ReadonlyMap<string, Row>
  readonly over: readonly Row[]
}

/** Of a row with its labels, as an object that its source leads to, roughly. */
const rowBytes = 180

/** Makes rows and takes them down again, within a limit for those of all sources. */
export class RowMaker {
  readonly #pool: LabelPool
  readonly #owners: RowOwners
  readonly #convertsHistograms: boolean
  readonly #budget: SeriesBudget
  #sourceCount = 0

  constructor(options: RowMakerOptions, budget: SeriesBudget) {
    this.#pool = options.pool
    this.#owners = options.owners
    this.#convertsHistograms = options.convertsHistograms
    this.#budget = budget
  }

  /** What rows take beyond one a source, roughly. */
  get partBytes(): number {
    return (this.#budget.count - this.#sourceCount) * rowBytes
  }

  /** Takes the labels of the samples that a source of this metric has in any case. Those given are sorted, without the name. */
  claim(metric: Metric, labels: readonly Label[]): number[] {
    const { name } = metric.family!.family!
    const take = (one: string) => this.#pool.take(withLabel(labels, '__name__', one))
    if (isOneRow(metric)) return [take(name)]
    const claims = [take(`${name}_count`), take(`${name}_sum`)]
    if (metric.dataField === metricDataFields.summary) return claims
    const bucket = withLabel(labels, '__name__', `${name}_bucket`)
    claims.push(this.#pool.take(withLabel(bucket, 'le', '+Inf')))
    if (this.#convertsHistograms) claims.push(take(name))
    return claims
  }

  /** Whether there is room for what a source has before its first point. */
  hasRoomToBegin(claims: readonly number[]): boolean {
    return this.#budget.hasRoom(claims.length)
  }

  /** The rows of a new source that are known before its first point, out of what it claimed. */
  begin(source: Source, claims: readonly number[]): void {
    for (const claim of claims) this.#owners.give(claim, source)
    this.#begin(source, claims)
    this.#budget.add(source.rowCount)
    this.#sourceCount++
    const endMs = Math.max(...claims.map((claim) => this.#owners.endMs(claim)))
    // Half a millisecond beyond, so that not even the last one of its predecessor may come again.
    if (endMs >= 0) source.newestMs = endMs + 0.5
  }

  #begin(source: Source, claims: readonly number[]): void {
    const { family, metric } = source
    if (isOneRow(metric)) {
      source.labels = claims[0]
      return
    }
    const row = (labels: number) => ({ owner: source, family, labels })
    const count = row(claims[0])
    const isSummary = metric.dataField === metricDataFields.summary
    source.histogram = new HistogramRows({
      sum: row(claims[1]),
      count,
      infinity: isSummary ? count : row(claims[2]),
      buckets: [],
      bounds: noBounds,
    })
    if (isSummary) source.quantiles = new Map()
    else if (this.#convertsHistograms) source.labels = claims[3]
  }

  /**
   * The first cause, if any, for which not all rows of these buckets or quantiles can be had; `judge` says it of labels:
   * of those that are new to the source, and for a point that is not the newest of those it has too.
   */
  problem(
    source: Source,
    { texts, isOlder }: { texts: Iterable<string>; isOlder: boolean },
    judge: (set: number) => string | undefined,
  ): string | undefined {
    const known = knownRows(source)
    for (const text of texts) {
      const row = known.get(text)
      if (row !== undefined && !isOlder) continue
      const { labels } = row ?? this.#row(source, text)
      const problem = judge(labels)
      if (row === undefined) this.#pool.release(labels)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  /** Whether there may be so many rows of buckets or quantiles in place of those it has. */
  hasRoom({ histogram, quantiles }: Source, count: number): boolean {
    return this.#budget.hasRoom(count - (quantiles?.size ?? histogram!.buckets.length))
  }

  /** The rows of a histogram from its newest point on, which has these bounds and that time. */
  replaceBuckets(source: Source, bounds: BucketBounds, timeMs: number): readonly Row[] {
    const before = source.histogram!
    if (before.bounds === bounds) return []
    const { rows, over } = this.#replace(source, bounds.plainTexts, timeMs)
    source.histogram = before.withBuckets(bounds, [...rows.values()])
    return over
  }

  /** The rows of a summary from its newest point on, which has these quantiles and that time. */
  replaceQuantiles(
    source: Source,
    wanted: ReadonlyMap<string, unknown>,
    timeMs: number,
  ): readonly Row[] {
    if (hasQuantiles(source, wanted)) return []
    const { rows, over } = this.#replace(source, wanted.keys(), timeMs)
    source.quantiles = rows
    return over
  }

  #replace(source: Source, texts: Iterable<string>, timeMs: number): PartRows {
    const before = knownRows(source)
    const rows = new Map<string, Row>()
    for (const text of texts) {
      let row = before.get(text)
      if (row === undefined) {
        row = this.#row(source, text)
        this.#owners.give(row.labels, source)
      }
      rows.set(text, row)
    }
    const over: Row[] = []
    for (const [text, row] of before) if (!rows.has(text)) over.push(row)
    this.#owners.letGo(over, timeMs)
    this.#budget.add(rows.size - before.size)
    return { rows, over }
  }

  /** Rows for a point that is not the newest: those that the newest has not are over with it at once. */
  passing(source: Source, texts: Iterable<string>): PartRows {
    const known = knownRows(source)
    const rows = new Map<string, Row>()
    const over: Row[] = []
    for (const text of texts) {
      let row = known.get(text)
      if (row === undefined) over.push((row = this.#row(source, text)))
      rows.set(text, row)
    }
    this.#owners.letGo(over, source.newestMs)
    return { rows, over }
  }

  /**
   * The rows of a histogram whose sample was to have custom buckets, and of which that time becomes classic only as it
   * is sent. Where others have some of them, or there is no room, they are for this one sample: without those of others.
   */
  lateBuckets(source: Source, bounds: BucketBounds, timeMs: number): HistogramRows {
    const before = source.histogram!
    if (before.bounds === bounds) return before
    const known = knownRows(source)
    const made = bounds.plainTexts.map((text) => known.get(text) ?? this.#row(source, text))
    const isFree = ({ labels }: Row) => (this.#owners.of(labels) ?? source) === source
    const hasRoom = before.bounds === noBounds && this.hasRoom(source, made.length)
    if (!source.isGone && hasRoom && made.every(isFree)) {
      for (const { labels } of made) this.#owners.give(labels, source)
      this.#budget.add(made.length - before.buckets.length)
      source.histogram = before.withBuckets(bounds, made)
      return source.histogram
    }
    const rows = made.map((row) => (isFree(row) ? row : undefined))
    this.#owners.letGo(
      made.filter((row, index) => known.get(bounds.plainTexts[index]) !== row),
      timeMs,
    )
    return before.withBuckets(bounds, rows)
  }

  /** A new row of a bucket or quantile. */
  #row(source: Source, text: string): Row {
    const { family, histogram, quantiles } = source
    const base = this.#pool.read(histogram!.count.labels)
    const suffix = quantiles === undefined ? '_bucket' : ''
    const named = withLabel(base, '__name__', `${family.name}${suffix}`)
    const part = quantiles === undefined ? 'le' : 'quantile'
    return { owner: source, family, labels: this.#pool.take(withLabel(named, part, text)) }
  }

  takeDown(source: Source): void {
    this.#budget.add(-source.rowCount)
    this.#sourceCount--
    source.isGone = true
    this.#owners.letGo(source.rows(), Math.floor(source.newestMs))
  }
}

function isOneRow({ dataField }: Metric): boolean {
  return dataField !== metricDataFields.histogram && dataField !== metricDataFields.summary
}

/** Whether a summary has rows for just these quantiles. */
export function hasQuantiles(source: Source, wanted: ReadonlyMap<string, unknown>): boolean {
  const known = source.quantiles!
  if (wanted.size !== known.size) return false
  for (const text of wanted.keys()) if (!known.has(text)) return false
  return true
}

/** The rows of buckets or quantiles that a source has, by their text. */
function knownRows({ quantiles, histogram }: Source): ReadonlyMap<string, Row> {
  if (quantiles !== undefined) return quantiles
  const { buckets, bounds } = histogram!
  return new Map(bounds.plainTexts.map((text, index) => [text, buckets[index]!]))
}

/** The labels, sorted as they are, with one that is new or another than before. */
export function withLabel(labels: readonly Label[], name: string, value: string): Label[] {
  let at = 0
  while (at < labels.length && compareText(labels[at].name, name) < 0) at++
  return labels.toSpliced(at, labels[at]?.name === name ? 1 : 0, { name, value })
}
