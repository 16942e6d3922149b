import { FieldReader } from '../wire/field-reader.ts'
import { ChunkList } from '../wire/chunk-list.ts'
import { Batch } from './batch.ts'
import type { ResourceGroup } from './batch.ts'
import type { ClientInfo } from './client-info.ts'
import { countScopeItems } from './count-items.ts'
import { nesting } from './fields.ts'
import { asRefusal } from './malformed.ts'
import type { Signal } from './signal.ts'

/**
 * Finds the resource groups of an encoded Export*ServiceRequest and counts its items. Checks that every group, scope,
 * metric and item lies within its parent; what is inside an item, a Resource or a scope is left to whoever reads it. Ids
 * of a wrong length pass, as unknown fields do: finding them would mean walking every field of every span.
 *
 * The batch shares the memory of `bytes`. Throws a Refusal 'invalid' that names the offset.
 */
export function indexRequest(signal: Signal, bytes: Uint8Array, client?: ClientInfo): Batch {
  try {
    const groups: ResourceGroup[] = []
    let unknown: ChunkList | undefined
    const fields = new FieldReader(bytes)
    while (fields.next()) {
      if (fields.is(nesting.group)) {
        groups.push(indexGroup(signal, bytes, fields.start, fields.end))
        continue
      }
      unknown ??= new ChunkList()
      unknown.add(bytes, fields.fieldStart, fields.end)
    }
    return new Batch(signal, groups, { unknown: unknown?.toBytes(), client })
  } catch (error) {
    throw asRefusal(error)
  }
}

// Made once, as a small request would otherwise pay for it with every group.
const groupReader = new FieldReader(new Uint8Array(0))

function indexGroup(signal: Signal, bytes: Uint8Array, start: number, end: number): ResourceGroup {
  let itemCount = 0
  let resourceCount = 0
  let resource: Uint8Array | undefined
  let fieldStart = 0
  let fieldEnd = 0
  const fields = groupReader
  fields.reset(bytes, start, end)
  while (fields.next()) {
    if (fields.is(nesting.scopes) || fields.is(nesting.legacyScopes)) {
      itemCount += countScopeItems(signal, bytes, fields.start, fields.end)
    } else if (fields.is(nesting.resource)) {
      resourceCount++
      resource = fields.view()
      fieldStart = fields.fieldStart
      fieldEnd = fields.end
    }
  }
  if (resourceCount > 1) return mergeResources(bytes, start, end, itemCount)
  if (resourceCount === 0) return { resource, rest: bytes.subarray(start, end), itemCount }
  if (fieldStart === start) return { resource, rest: bytes.subarray(fieldEnd, end), itemCount }
  if (fieldEnd === end) return { resource, rest: bytes.subarray(start, fieldStart), itemCount }
  // Copied because `rest` is one array: no writer in use puts the Resource in the middle.
  const rest = new ChunkList()
  rest.add(bytes, start, fieldStart)
  rest.add(bytes, fieldEnd, end)
  return { resource, rest: rest.toBytes(), itemCount }
}

/** A singular message may come in several pieces, which are one message when joined. */
function mergeResources(
  bytes: Uint8Array,
  start: number,
  end: number,
  itemCount: number,
): ResourceGroup {
  const resource = new ChunkList()
  const rest = new ChunkList()
  const fields = new FieldReader(bytes, start, end)
  while (fields.next()) {
    if (fields.is(nesting.resource)) resource.add(bytes, fields.start, fields.end)
    else rest.add(bytes, fields.fieldStart, fields.end)
  }
  return { resource: resource.toBytes(), rest: rest.toBytes(), itemCount }
}
