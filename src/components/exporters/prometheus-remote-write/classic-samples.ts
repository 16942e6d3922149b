/** A histogram as classic series: sum, count and a sample a bucket. */
import { addCounts, type Count } from '../../../kit/prometheus/count.ts'
import { CustomHistogram } from '../../../kit/prometheus/custom-buckets.ts'
import type { HistogramRows } from './histogram-rows.ts'
import { type Row, Source } from './row.ts'
import type { RowMaker } from './row-maker.ts'
import { type RowExemplar, SampleList } from './sample-list.ts'

export interface ClassicValue {
  /** Undefined when there is none. */
  readonly sum: number | undefined
  readonly count: number
  /** How many lie in or below each bucket; what is missing is as the one before. */
  readonly totals: ArrayLike<number>
  readonly exemplars: readonly RowExemplar[]
  readonly timeMs: number
  readonly startMs: number
}

/** Each exemplar goes to the first bucket whose bound is not below its value, or to the last. */
export function pushClassic(list: SampleList, rows: HistogramRows, value: ClassicValue): void {
  const { sum, count, totals, exemplars, timeMs, startMs } = value
  const push = (row: Row, one: number) => list.push(row, one, timeMs, startMs)
  const attach = (some: readonly RowExemplar[]) => {
    if (some.length > 0) list.attach({ exemplars: some })
  }
  if (sum !== undefined) push(rows.sum, sum)
  push(rows.count, count)
  let below: number | undefined
  for (const [index, row] of rows.buckets.entries()) {
    const bound = rows.bounds.values[index]
    if (row !== undefined) push(row, totals[index])
    if (row !== undefined && exemplars.length > 0) {
      const from = below
      const isAbove = (one: number) => from === undefined || one > from
      attach(exemplars.filter(({ value: one }) => one <= bound && isAbove(one)))
    }
    below = bound
  }
  push(rows.infinity, count)
  // Not "above the last bound": what is no number lies in no other bucket either.
  const isBelow = (one: number) => below !== undefined && one <= below
  if (exemplars.length > 0) attach(exemplars.filter((exemplar) => !isBelow(exemplar.value)))
}

/** Whether a server of 1.0 gets it as classic series. */
export function becomesClassic(list: SampleList, index: number): boolean {
  const histogram = list.detail(index)?.histogram
  return histogram instanceof CustomHistogram && list.row(index).owner instanceof Source
}

/**
 * The samples at these places for a server of 1.0, which knows no custom buckets: what was queued as such before that
 * was known becomes classic.
 */
export function withoutCustomBuckets(
  list: SampleList,
  indices: Uint32Array,
  maker: RowMaker,
): { readonly list: SampleList; readonly indices: Uint32Array } {
  if (!list.hasDetails || !indices.some((index) => becomesClassic(list, index))) {
    return { list, indices }
  }
  const classic = new SampleList()
  for (const index of indices) {
    const detail = list.detail(index)
    const histogram = detail?.histogram
    const { owner } = list.row(index)
    if (!(histogram instanceof CustomHistogram) || !(owner instanceof Source)) {
      classic.pushFrom(list, index)
      continue
    }
    const { bounds, count, sum, counts } = histogram
    const totals: number[] = []
    let total: Count = 0
    for (const one of counts) {
      total = addCounts(total, one)
      totals.push(Number(total))
    }
    pushClassic(classic, maker.lateBuckets(owner, bounds, list.timesMs[index]), {
      sum,
      count: Number(count),
      totals,
      exemplars: detail!.exemplars,
      timeMs: list.timesMs[index],
      startMs: list.startsMs[index],
    })
    if (list.ends[index] === 1) classic.endPoint()
  }
  return {
    list: classic,
    indices: Uint32Array.from({ length: classic.length }, (_, index) => index),
  }
}
