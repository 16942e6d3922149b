import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader } from '../wire/field-reader.ts'
import { AttributeEditor } from './attribute-editor.ts'
import { resourceFields } from './fields.ts'
import { asRefusal } from './malformed.ts'

const entityRefFields = { idKeys: 3, descriptionKeys: 4 } as const

/**
 * The Resource with its attributes as `edit` leaves them, and without references to attributes that it deleted. The
 * very same array comes back when nothing changed. Throws a Refusal 'invalid' on malformed bytes.
 */
export function editResource(
  resource: Uint8Array,
  edit: (attributes: AttributeEditor) => void,
): Uint8Array {
  try {
    const editor = new AttributeEditor(resource, resourceFields.attributes)
    const before = hasEntityRefs(resource) ? editor.keys() : []
    edit(editor)
    const deleted = before.filter((key) => !editor.has(key))
    const pieces = editor.finish()
    const edited = pieces instanceof ChunkList ? pieces.toBytes() : pieces
    return deleted.length === 0 ? edited : dropEntityRefs(edited, new Set(deleted))
  } catch (error) {
    throw asRefusal(error)
  }
}

/**
 * The Resource after attributes with these keys were deleted from it: an EntityRef that is identified by one is removed,
 * and one that is described by one loses that key. The very same array comes back when none is named.
 */
export function dropEntityRefs(resource: Uint8Array, keys: ReadonlySet<string>): Uint8Array {
  try {
    const kept = new ChunkList()
    let keptTo = 0
    const fields = new FieldReader(resource)
    while (fields.next()) {
      if (!fields.is(resourceFields.entityRefs)) continue
      const reference = dropFromReference(fields.view(), keys)
      if (reference === 'as it was') continue
      kept.add(resource, keptTo, fields.fieldStart)
      keptTo = fields.end
      if (reference !== 'removed') kept.addField(resourceFields.entityRefs, reference)
    }
    if (keptTo === 0) return resource
    kept.add(resource, keptTo, resource.length)
    return kept.toBytes()
  } catch (error) {
    throw asRefusal(error)
  }
}

function hasEntityRefs(resource: Uint8Array): boolean {
  const fields = new FieldReader(resource)
  while (fields.next()) if (fields.is(resourceFields.entityRefs)) return true
  return false
}

function dropFromReference(
  reference: Uint8Array,
  keys: ReadonlySet<string>,
): ChunkList | 'as it was' | 'removed' {
  const kept = new ChunkList()
  let keptTo = 0
  const fields = new FieldReader(reference)
  while (fields.next()) {
    if (fields.is(entityRefFields.idKeys) && keys.has(fields.string())) return 'removed'
    if (!fields.is(entityRefFields.descriptionKeys) || !keys.has(fields.string())) continue
    kept.add(reference, keptTo, fields.fieldStart)
    keptTo = fields.end
  }
  if (keptTo === 0) return 'as it was'
  kept.add(reference, keptTo, reference.length)
  return kept
}
