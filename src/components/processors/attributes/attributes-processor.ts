import type { ActionSettings } from '../../../kit/actions/action-settings.ts'
import { type AttributeActions, compileActions } from '../../../kit/actions/attribute-actions.ts'
import { editAttributesInPieces } from '../../../otlp/attributes.ts'
import type { Batch, ResourceGroup } from '../../../otlp/batch.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { type EditedItem, editItems } from '../../../otlp/edit-items.ts'
import { itemAttributesField } from '../../../otlp/fields.ts'
import type { ScopeRef } from '../../../otlp/scope-ref.ts'
import type { Signal } from '../../../otlp/signal.ts'
import type { Processor } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import { ItemMatch } from './item-match.ts'
import type { IncludeExclude } from './match-settings.ts'

interface AttributesSettings extends IncludeExclude {
  readonly actions: readonly ActionSettings[]
}

/** Edits the attributes of the items that `include` and `exclude` leave; only these are rewritten. */
export class AttributesProcessor implements Processor {
  readonly #host: ProcessorHost
  readonly #actions: AttributeActions
  readonly #include: ItemMatch | undefined
  readonly #exclude: ItemMatch | undefined
  readonly #fieldOf: (scope: ScopeRef) => number

  constructor(settings: AttributesSettings, host: ProcessorHost) {
    this.#host = host
    this.#actions = compileActions(settings.actions)
    this.#include = settings.include && new ItemMatch(settings.include)
    this.#exclude = settings.exclude && new ItemMatch(settings.exclude)
    this.#fieldOf = attributesField(host.signal)
  }

  consume(batch: Batch): void | Promise<void> {
    const { client } = batch
    const edited = editItems(batch, (item, scope, group) =>
      this.#edit(item, { scope, group, client }),
    )
    this.#include?.forget()
    this.#exclude?.forget()
    return this.#host.next.consume(edited)
  }

  #edit(
    item: Uint8Array,
    { scope, group, client }: { scope: ScopeRef; group: ResourceGroup; client?: ClientInfo },
  ): EditedItem {
    const include = this.#include
    const exclude = this.#exclude
    if (include !== undefined && !include.matches(item, scope, group)) return item
    // What its attributes do not save is left alone without a look at them.
    const mayBeExcluded = exclude !== undefined && exclude.matches(item, scope, group)
    if (mayBeExcluded && !exclude.asksForAttributes) return item
    return editAttributesInPieces(item, this.#fieldOf(scope), (attributes) => {
      if (include !== undefined && !include.matchesAttributes(attributes)) return
      if (mayBeExcluded && exclude.matchesAttributes(attributes)) return
      this.#actions.apply(attributes, client)
    })
  }
}

function attributesField(signal: Signal): (scope: ScopeRef) => number {
  if (signal === 'metrics') return (scope) => scope.metric!.attributesField
  const field = itemAttributesField[signal]
  return () => field
}
