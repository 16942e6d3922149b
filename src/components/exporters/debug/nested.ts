/** The nesting of every signal, read level by level for printing. */
import type { Batch, ResourceGroup } from '../../../otlp/batch.ts'
import { messageOf, messagesOf, textOf } from '../../../otlp/field-values.ts'
import { requests } from '../../../otlp/message-fields.ts'
import type { FieldTable, MessageTable } from '../../../otlp/message-table.ts'
import { ResourceView, ScopeView } from '../../../otlp/resource-view.ts'
import { signals } from '../../../otlp/signal.ts'

export interface NestedScope {
  readonly schemaUrl: string
  readonly scope: ScopeView
  /** Spans, metrics or log records. */
  readonly members: readonly Uint8Array[]
}

export interface NestedResource {
  readonly schemaUrl: string
  readonly resource: ResourceView
  readonly scopes: readonly NestedScope[]
}

export function nestedResource(batch: Batch, group: ResourceGroup): NestedResource {
  const [resources, scopes, members] = signals[batch.signal].jsonKeys
  const groupTable = fieldOf(requests[batch.signal], resources).message()
  const scopesField = fieldOf(groupTable, scopes)
  const scopeTable = scopesField.message()
  return {
    schemaUrl: textOf(group.rest, fieldOf(groupTable, 'schemaUrl')),
    resource: new ResourceView(group.resource),
    scopes: messagesOf(group.rest, scopesField).map((bytes) => ({
      schemaUrl: textOf(bytes, fieldOf(scopeTable, 'schemaUrl')),
      scope: new ScopeView(messageOf(bytes, fieldOf(scopeTable, 'scope'))),
      members: messagesOf(bytes, fieldOf(scopeTable, members)),
    })),
  }
}

function fieldOf(table: MessageTable, key: string): FieldTable {
  return table.byKey.get(key)!
}
