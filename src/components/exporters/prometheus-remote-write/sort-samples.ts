import type { Row } from './row.ts'
import type { SampleList } from './sample-list.ts'

/**
 * Puts the samples into `target` in the order of their times. Of two of one series at one time the first stays; gives
 * how many points went because of it.
 */
export function sortSamples(source: SampleList, target: SampleList): number {
  target.clear()
  const { timesMs } = source
  const order = Array.from({ length: source.length }, (_, index) => index)
  order.sort((left, right) => timesMs[left] - timesMs[right])
  const lastMs = new Map<Row, number>()
  let duplicates = 0
  for (const index of order) {
    const row = source.rows[index]
    if (lastMs.get(row) === timesMs[index]) {
      duplicates += source.ends[index]
      continue
    }
    lastMs.set(row, timesMs[index])
    target.pushFrom(source, index)
  }
  return duplicates
}
