/** Lazy views of what all signals share. Nothing is read before it is asked for; attributes are read once. */

import { type Attribute, readAttributes } from './attributes.ts'
import { messagesOf, numberOf, textOf, valuesOf } from './field-values.ts'
import { entityRef, instrumentationScope, resource } from './message-fields.ts'

/** No bytes stand for a message that is absent, and read as one that is empty. */
const noBytes = new Uint8Array(0)

export class ResourceView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array = noBytes) {
    this.bytes = bytes
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, resource.fields.attributes.number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, resource.fields.droppedAttributesCount)
  }

  get entityRefs(): EntityRefView[] {
    return messagesOf(this.bytes, resource.fields.entityRefs).map(
      (bytes) => new EntityRefView(bytes),
    )
  }
}

export class EntityRefView {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get schemaUrl(): string {
    return textOf(this.bytes, entityRef.fields.schemaUrl)
  }

  get type(): string {
    return textOf(this.bytes, entityRef.fields.type)
  }

  get idKeys(): string[] {
    return valuesOf(this.bytes, entityRef.fields.idKeys) as string[]
  }

  get descriptionKeys(): string[] {
    return valuesOf(this.bytes, entityRef.fields.descriptionKeys) as string[]
  }
}

/** An InstrumentationScope; its schema_url stands beside it, in the ScopeX message. */
export class ScopeView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array = noBytes) {
    this.bytes = bytes
  }

  get name(): string {
    return textOf(this.bytes, instrumentationScope.fields.name)
  }

  get version(): string {
    return textOf(this.bytes, instrumentationScope.fields.version)
  }

  get attributes(): readonly Attribute[] {
    const { number } = instrumentationScope.fields.attributes
    return (this.#attributes ??= readAttributes(this.bytes, number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, instrumentationScope.fields.droppedAttributesCount)
  }
}
