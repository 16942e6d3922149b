import type { Batch, ResourceGroup } from './batch.ts'

/**
 * The batch with each Resource replaced by what `edit` makes of it. Items are not touched, and where every edit gives
 * back the very same bytes the same batch comes back.
 */
export function mapResources(
  batch: Batch,
  edit: (resource: Uint8Array | undefined) => Uint8Array | undefined,
): Batch {
  let hasChanged = false
  const groups = batch.groups.map((group): ResourceGroup => {
    const resource = edit(group.resource)
    if (resource === group.resource) return group
    hasChanged = true
    return { resource, rest: group.rest, itemCount: group.itemCount }
  })
  return hasChanged ? batch.withGroups(groups) : batch
}
