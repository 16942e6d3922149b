import { Batch, type ResourceGroup } from './batch.ts'
import { joinBytes } from './join-bytes.ts'

/** One batch of all groups, in order; nothing is copied. All must be of one signal; the client is the first's. */
export function mergeBatches(batches: readonly Batch[]): Batch {
  const [first] = batches
  if (first === undefined) throw new RangeError('there is nothing to merge')
  if (batches.length === 1) return first
  const groups: ResourceGroup[] = []
  for (const batch of batches) {
    if (batch.signal !== first.signal) throw new TypeError('batches of two signals cannot merge')
    for (const group of batch.groups) groups.push(group)
  }
  const unknown = batches.filter((batch) => batch.unknown.length > 0).map((batch) => batch.unknown)
  return new Batch(first.signal, groups, { unknown: joinBytes(unknown), client: first.client })
}
