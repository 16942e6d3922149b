import { Batch, type ResourceGroup } from '../../src/otlp/batch.ts'
import { FieldCursor, wireBytes } from '../../src/otlp/field-cursor.ts'
import type { Signal } from '../../src/otlp/signal.ts'

/** A batch of well-formed bytes, without counting items. */
export function naiveBatch(signal: Signal, bytes: Uint8Array): Batch {
  const groups: ResourceGroup[] = []
  const request = new FieldCursor(bytes)
  while (request.next())
    if (request.number === 1 && request.wireType === wireBytes) groups.push(group(request.slice()))
  return new Batch(signal, groups)
}

function group(bytes: Uint8Array): ResourceGroup {
  const resources: Uint8Array[] = []
  const rest: Uint8Array[] = []
  const cursor = new FieldCursor(bytes)
  let before = 0
  while (cursor.next()) {
    if (cursor.number === 1 && cursor.wireType === wireBytes) resources.push(cursor.slice())
    else rest.push(bytes.subarray(before, cursor.position))
    before = cursor.position
  }
  const resource = resources.length > 0 ? new Uint8Array(Buffer.concat(resources)) : undefined
  return { resource, rest: new Uint8Array(Buffer.concat(rest)), itemCount: 0 }
}
