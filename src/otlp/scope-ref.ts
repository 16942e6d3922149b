import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader, wireType } from '../wire/field-reader.ts'
import { isMetricData, nesting, pointAttributesField } from './fields.ts'

/** One ScopeSpans, ScopeMetrics or ScopeLogs where it lies. What is not asked for is not read. */
export class ScopeRef {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** The Metric of the point that is being visited; undefined outside such a visit. */
  metric: MetricRef | undefined = undefined
  #scope: Uint8Array | undefined
  #schemaUrl = ''
  #isRead = false

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  /** The encoded InstrumentationScope, merged into one piece; undefined when there is none. */
  get scope(): Uint8Array | undefined {
    this.#read()
    return this.#scope
  }

  get schemaUrl(): string {
    this.#read()
    return this.#schemaUrl
  }

  #read(): void {
    if (this.#isRead) return
    this.#isRead = true
    const pieces = new ChunkList()
    let isPresent = false
    const fields = new FieldReader(this.bytes, this.start, this.end)
    while (fields.next()) {
      if (fields.is(nesting.schemaUrl)) this.#schemaUrl = fields.string()
      if (!fields.is(nesting.scope)) continue
      isPresent = true
      pieces.add(fields.bytes, fields.start, fields.end)
    }
    if (isPresent) this.#scope = pieces.toBytes()
  }
}

/** One Metric where it lies, and which member of its oneof `data` counts: the last on the wire. */
export class MetricRef {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** Field number of the member in Metric: 5, 7, 9, 10, 11; 0 when none is set. */
  readonly dataField: number
  /** Where that member's first piece begins; pieces of it before another member are void. */
  readonly dataStart: number
  #message: Uint8Array | undefined

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes
    this.start = start
    this.end = end
    let dataField = 0
    let dataStart = end
    const fields = new FieldReader(bytes, start, end)
    while (fields.next()) {
      if (fields.wireType !== wireType.bytes || !isMetricData(fields.field)) continue
      if (fields.field === dataField) continue
      dataField = fields.field
      dataStart = fields.fieldStart
    }
    this.dataField = dataField
    this.dataStart = dataStart
  }

  /** The encoded Metric. */
  get message(): Uint8Array {
    this.#message ??= this.bytes.subarray(this.start, this.end)
    return this.#message
  }

  /** Field number of a point's attributes. */
  get attributesField(): number {
    return pointAttributesField(this.dataField)
  }

  /** Whether a reader over this Metric stands on a piece of the data that counts. */
  isData(fields: FieldReader): boolean {
    return fields.is(this.dataField) && fields.fieldStart >= this.dataStart
  }
}
