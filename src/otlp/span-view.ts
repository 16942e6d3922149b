/** Lazy views of a span and its parts. Nothing is read before it is asked for; lists are read once. */

import { type Attribute, readAttributes } from './attributes.ts'
import { bigintOf, bytesOf, messageOf, messagesOf, numberOf, textOf } from './field-values.ts'
import { encodeHex } from './hex.ts'
import { span, spanEvent, spanLink, spanStatus } from './message-fields.ts'

const { fields } = span

/** Ids are lower-case hex, times nanoseconds since 1970. */
export class SpanView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined
  #events: readonly SpanEventView[] | undefined
  #links: readonly SpanLinkView[] | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get traceId(): string {
    return encodeHex(this.traceIdBytes)
  }

  /** Shares the span's memory. */
  get traceIdBytes(): Uint8Array {
    return bytesOf(this.bytes, fields.traceId)
  }

  get spanId(): string {
    return encodeHex(bytesOf(this.bytes, fields.spanId))
  }

  /** '' for a root span. */
  get parentSpanId(): string {
    return encodeHex(bytesOf(this.bytes, fields.parentSpanId))
  }

  get traceState(): string {
    return textOf(this.bytes, fields.traceState)
  }

  get flags(): number {
    return numberOf(this.bytes, fields.flags)
  }

  get name(): string {
    return textOf(this.bytes, fields.name)
  }

  /** A number of the enum spanKind, or one that is newer. */
  get kind(): number {
    return numberOf(this.bytes, fields.kind)
  }

  get startTimeUnixNano(): bigint {
    return bigintOf(this.bytes, fields.startTimeUnixNano)
  }

  get endTimeUnixNano(): bigint {
    return bigintOf(this.bytes, fields.endTimeUnixNano)
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, fields.attributes.number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, fields.droppedAttributesCount)
  }

  get events(): readonly SpanEventView[] {
    return (this.#events ??= messagesOf(this.bytes, fields.events).map(
      (bytes) => new SpanEventView(bytes),
    ))
  }

  get droppedEventsCount(): number {
    return numberOf(this.bytes, fields.droppedEventsCount)
  }

  get links(): readonly SpanLinkView[] {
    return (this.#links ??= messagesOf(this.bytes, fields.links).map(
      (bytes) => new SpanLinkView(bytes),
    ))
  }

  get droppedLinksCount(): number {
    return numberOf(this.bytes, fields.droppedLinksCount)
  }

  /** An absent status is an unset one. */
  get status(): SpanStatus {
    const status = messageOf(this.bytes, fields.status)
    if (status === undefined) return unsetStatus
    const { code, message } = spanStatus.fields
    return { code: numberOf(status, code), message: textOf(status, message) }
  }
}

export interface SpanStatus {
  /** A number of the enum statusCode, or one that is newer. */
  readonly code: number
  readonly message: string
}

const unsetStatus: SpanStatus = { code: 0, message: '' }

export class SpanEventView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get timeUnixNano(): bigint {
    return bigintOf(this.bytes, spanEvent.fields.timeUnixNano)
  }

  get name(): string {
    return textOf(this.bytes, spanEvent.fields.name)
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, spanEvent.fields.attributes.number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, spanEvent.fields.droppedAttributesCount)
  }
}

export class SpanLinkView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get traceId(): string {
    return encodeHex(bytesOf(this.bytes, spanLink.fields.traceId))
  }

  get spanId(): string {
    return encodeHex(bytesOf(this.bytes, spanLink.fields.spanId))
  }

  get traceState(): string {
    return textOf(this.bytes, spanLink.fields.traceState)
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, spanLink.fields.attributes.number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, spanLink.fields.droppedAttributesCount)
  }

  get flags(): number {
    return numberOf(this.bytes, spanLink.fields.flags)
  }
}
