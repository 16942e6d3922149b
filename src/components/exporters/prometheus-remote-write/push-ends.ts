import { metricDataFields } from '../../../otlp/fields.ts'
import type { Row, Source } from './row.ts'
import type { SampleList } from './sample-list.ts'

interface Ending {
  readonly timeMs: number
  /** Whether histograms are sent as native ones with custom buckets. */
  readonly takesCustomBuckets: boolean
  /** Asked of each row that has anything to end. */
  readonly isOver: (row: Row) => boolean
}

/** Stale markers for the rows of a source that are over. */
export function pushEnds(list: SampleList, source: Source, ending: Ending): void {
  const { timeMs, takesCustomBuckets, isOver } = ending
  const { dataField } = source.metric
  const isHistogram = dataField === metricDataFields.histogram
  const isNative = isHistogram || dataField === metricDataFields.exponentialHistogram
  const isCustom = isHistogram && takesCustomBuckets
  for (const row of source.rows()) {
    // Of a histogram's two forms only the one that is sent has anything to end.
    if (isHistogram && (row === source.number) !== isCustom) continue
    if (!isOver(row)) continue
    list.pushStale(row, timeMs)
    if (isNative && row === source.number) list.attach(staleHistogram)
  }
}

const staleHistogram = { exemplars: [], histogram: 'stale' } as const
