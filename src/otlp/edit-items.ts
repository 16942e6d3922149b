import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader } from '../wire/field-reader.ts'
import type { Batch, ResourceGroup } from './batch.ts'
import { dataPointsField, nesting } from './fields.ts'
import { asRefusal } from './malformed.ts'
import { MetricRef, ScopeRef } from './scope-ref.ts'
import type { Signal } from './signal.ts'
import { isScopes } from './walk.ts'

export type EditedItem = Uint8Array | ChunkList | undefined

/**
 * Gives what stands in the item's place, whole or in pieces: the very same array to leave it, undefined to drop it. For
 * metrics an item is a data point, and `scope.metric` its Metric.
 */
export type ItemEdit = (item: Uint8Array, scope: ScopeRef, group: ResourceGroup) => EditedItem

/**
 * The batch with every item as `edit` gives it. Only messages around a changed item are rebuilt; metrics, scopes and
 * groups that lost their last item by it are removed; when nothing changed the very same batch comes back.
 */
export function editItems(batch: Batch, edit: ItemEdit): Batch {
  try {
    let isChanged = false
    const groups: ResourceGroup[] = []
    for (const group of batch.groups) {
      const edited = new GroupEdit(batch.signal, group, edit).result()
      if (edited !== group) isChanged = true
      if (edited !== undefined) groups.push(edited)
    }
    return isChanged ? batch.withGroups(groups) : batch
  } catch (error) {
    throw asRefusal(error)
  }
}

/** What became of a message: nothing, removed, or its new body. */
type Outcome = 'kept' | 'removed' | Uint8Array | ChunkList

class GroupEdit {
  readonly #signal: Signal
  readonly #group: ResourceGroup
  readonly #edit: ItemEdit
  #itemCount = 0

  constructor(signal: Signal, group: ResourceGroup, edit: ItemEdit) {
    this.#signal = signal
    this.#group = group
    this.#edit = edit
  }

  result(): ResourceGroup | undefined {
    const { resource, rest } = this.#group
    const fields = new FieldReader(rest)
    const outcome = rebuild(fields, isScopes, () => this.#scope(fields))
    if (outcome === 'kept') return this.#group
    if (outcome === 'removed') return undefined
    return { resource, rest: (outcome as ChunkList).toBytes(), itemCount: this.#itemCount }
  }

  #scope(outer: FieldReader): Outcome {
    const scope = new ScopeRef(outer.bytes, outer.start, outer.end)
    const fields = new FieldReader(outer.bytes, outer.start, outer.end)
    const child =
      this.#signal === 'metrics'
        ? () => this.#metric(fields, scope)
        : () => this.#item(fields, scope)
    return rebuild(fields, isMember, child)
  }

  #metric(outer: FieldReader, scope: ScopeRef): Outcome {
    const metric = new MetricRef(outer.bytes, outer.start, outer.end)
    scope.metric = metric
    const itemCountBefore = this.#itemCount
    const fields = new FieldReader(outer.bytes, outer.start, outer.end)
    const points = new FieldReader(outer.bytes)
    const outcome = rebuild(
      fields,
      () => metric.isData(fields),
      () => {
        points.reset(fields.bytes, fields.start, fields.end)
        const data = rebuild(points, isPoint, () => this.#item(points, scope))
        // Its other fields belong to the pieces that still have points.
        return data === 'removed' ? withoutPoints(points, fields) : data
      },
    )
    scope.metric = undefined
    if (outcome === 'kept' || this.#itemCount > itemCountBefore) return outcome
    return 'removed'
  }

  #item(fields: FieldReader, scope: ScopeRef): Outcome {
    const item = fields.view()
    const edited = this.#edit(item, scope, this.#group)
    if (edited === undefined) return 'removed'
    this.#itemCount++
    return edited === item ? 'kept' : edited
  }
}

/** Runs `editChild` on every child that `fields` comes to; 'removed' when the last child was removed by it. */
function rebuild(
  fields: FieldReader,
  isChild: (fields: FieldReader) => boolean,
  editChild: () => Outcome,
): Outcome {
  const { bytes, limit } = fields
  let keptTo = fields.end
  let childCount = 0
  let rebuilt: ChunkList | undefined
  while (fields.next()) {
    if (!isChild(fields)) continue
    const outcome = editChild()
    if (outcome !== 'removed') childCount++
    if (outcome === 'kept') continue
    rebuilt ??= new ChunkList()
    rebuilt.add(bytes, keptTo, fields.fieldStart)
    keptTo = fields.end
    if (outcome !== 'removed') rebuilt.addField(fields.field, outcome)
  }
  if (rebuilt === undefined) return 'kept'
  if (childCount === 0) return 'removed'
  rebuilt.add(bytes, keptTo, limit)
  return rebuilt
}

/** The fields of a Gauge, Sum or other `data` other than its points. */
function withoutPoints(fields: FieldReader, data: FieldReader): ChunkList {
  const head = new ChunkList()
  fields.reset(data.bytes, data.start, data.end)
  while (fields.next()) if (!isPoint(fields)) head.add(data.bytes, fields.fieldStart, fields.end)
  return head
}

function isMember(fields: FieldReader): boolean {
  return fields.is(nesting.members)
}

function isPoint(fields: FieldReader): boolean {
  return fields.is(dataPointsField)
}
