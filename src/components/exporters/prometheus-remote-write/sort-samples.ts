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
  const lastMs = new Map<number, number>()
  let duplicates = 0
  for (const index of order) {
    const set = source.sets[index]
    if (lastMs.get(set) === timesMs[index]) {
      duplicates += source.ends[index]
      continue
    }
    lastMs.set(set, timesMs[index])
    target.pushFrom(source, index)
  }
  return duplicates
}
