import { type Attribute, type AttributeValue, readAttributes, readValue } from './attributes.ts'
import { bigintOf, bytesOf, messageOf, numberOf, textOf } from './field-values.ts'
import { encodeHex } from './hex.ts'
import { logRecord } from './message-fields.ts'

const { fields } = logRecord

/** A log record, read as it is asked for; ids are lower-case hex, times nanoseconds since 1970. */
export class LogRecordView {
  readonly bytes: Uint8Array
  #attributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get timeUnixNano(): bigint {
    return bigintOf(this.bytes, fields.timeUnixNano)
  }

  get observedTimeUnixNano(): bigint {
    return bigintOf(this.bytes, fields.observedTimeUnixNano)
  }

  /** A number of the enum severityNumber, or one that is newer. */
  get severityNumber(): number {
    return numberOf(this.bytes, fields.severityNumber)
  }

  get severityText(): string {
    return textOf(this.bytes, fields.severityText)
  }

  /** Null when it is absent, as when it is the empty value. */
  get body(): AttributeValue {
    const body = messageOf(this.bytes, fields.body)
    return body === undefined ? null : readValue(body)
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, fields.attributes.number))
  }

  get droppedAttributesCount(): number {
    return numberOf(this.bytes, fields.droppedAttributesCount)
  }

  get flags(): number {
    return numberOf(this.bytes, fields.flags)
  }

  get traceId(): string {
    return encodeHex(bytesOf(this.bytes, fields.traceId))
  }

  get spanId(): string {
    return encodeHex(bytesOf(this.bytes, fields.spanId))
  }

  /** Not '' makes the record an event of that name. */
  get eventName(): string {
    return textOf(this.bytes, fields.eventName)
  }
}
