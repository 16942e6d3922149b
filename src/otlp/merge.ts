import { ChunkList } from '../wire/chunk-list.ts'
import { Batch, type ResourceGroup } from './batch.ts'

/** One batch of all groups, in order; nothing is copied. All must be of one signal; the client is the first's. */
export function mergeBatches(batches: readonly Batch[]): Batch {
  const [first] = batches
  if (first === undefined) throw new RangeError('there is nothing to merge')
  if (batches.length === 1) return first
  const groups: ResourceGroup[] = []
  const unknown = new ChunkList()
  for (const batch of batches) {
    if (batch.signal !== first.signal) throw new TypeError('batches of two signals cannot merge')
    for (const group of batch.groups) groups.push(group)
    unknown.addAll(batch.unknown)
  }
  return new Batch(first.signal, groups, { unknown: unknown.toBytes(), client: first.client })
}
