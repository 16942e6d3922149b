import { ChunkList } from '../wire/chunk-list.ts'
import { FieldReader, wireType } from '../wire/field-reader.ts'
import { fieldLength } from '../wire/varint.ts'
import { Batch, contentByteLength, type ResourceGroup } from './batch.ts'
import { countDataPoints, countPoints, countScopeItems } from './count-items.ts'
import { dataPointsField, isMetricData, nesting } from './fields.ts'
import { MetricRef } from './scope-ref.ts'
import { isScopes } from './walk.ts'

/** What a part may hold. */
export interface PartLimits {
  readonly itemCountMax: number
  readonly byteLengthMax: number
}

/** A message that the current part has only some children of. */
interface OpenMessage {
  /** Its field number in the message around it. */
  readonly field: number
  /** What every part repeats: all fields but the children. */
  readonly head: ChunkList
  body: ChunkList
  hasChildren: boolean
}

/** A kind of message that can be cut: which of its fields are children, and how to count and cut one of those. */
interface Level {
  readonly isChild: (fields: FieldReader) => boolean
  readonly countItems: (fields: FieldReader) => number
  /** Undefined for items, which stay whole. */
  readonly child: Level | undefined
}

/**
 * Cuts a batch into parts. Whatever fits into the current part goes there whole: a group, a scope, a metric, an item. What
 * does not fit is opened: its children are tried one by one, and where the part is full all open messages are closed, the
 * part is done, and the same messages are opened anew in the next, with the same heads. One pass, one copy of what
 * is cut, none of groups that stay whole.
 */
export class Splitter {
  readonly #batch: Batch
  readonly #levels: Level
  readonly #nextLimits: PartLimits
  #limits: PartLimits
  readonly #parts: Batch[] = []
  #groups: ResourceGroup[] = []
  /** Of the current part, with what is in open messages. */
  #itemCount = 0
  /** Of the current part's finished groups and unknown fields. */
  #byteLength: number
  /** The group that is being cut, and the messages in it, outermost first. */
  #resource: Uint8Array | undefined
  #open: OpenMessage[] = []
  #groupItemCount = 0
  #isPartEmpty = true

  /** `nextLimits` are those of all parts but the first. */
  constructor(batch: Batch, limits: PartLimits, nextLimits = limits) {
    this.#batch = batch
    this.#levels = batch.signal === 'metrics' ? metricsGroupLevel : groupLevel
    this.#limits = limits
    this.#nextLimits = nextLimits
    this.#byteLength = batch.unknown.length
  }

  parts(): Batch[] {
    for (const group of this.#batch.groups) this.#addGroup(group)
    if (this.#groups.length > 0 || this.#parts.length === 0) this.#finishPart()
    return this.#parts
  }

  #addGroup(group: ResourceGroup): void {
    const byteLength = fieldLength(nesting.group, contentByteLength(group))
    if (!this.#fits(byteLength, group.itemCount)) {
      const { head, childCount } = readHead(new FieldReader(group.rest), this.#levels)
      if (childCount > 0) {
        this.#cutGroup(group, head)
        return
      }
      this.#nextPart()
    }
    this.#groups.push(group)
    this.#itemCount += group.itemCount
    this.#byteLength += byteLength
    this.#isPartEmpty = false
  }

  #cutGroup(group: ResourceGroup, head: ChunkList): void {
    this.#resource = group.resource
    this.#openMessage(nesting.group, head)
    this.#addChildren(new FieldReader(group.rest), this.#levels)
    this.#close()
  }

  #addChildren(fields: FieldReader, level: Level): void {
    while (fields.next()) {
      if (!level.isChild(fields)) continue
      const itemCount = level.countItems(fields)
      if (this.#fits(fields.end - fields.fieldStart, itemCount)) this.#add(fields, itemCount)
      else if (level.child === undefined || !this.#cut(fields, level.child)) {
        this.#nextPart()
        this.#add(fields, itemCount)
      }
    }
  }

  /** Adds the children of the message that `fields` stands on; false when it has none, which is not for cutting. */
  #cut(fields: FieldReader, level: Level): boolean {
    const inner =
      level === metricLevel
        ? soundMetric(fields)
        : new FieldReader(fields.bytes, fields.start, fields.end)
    const { bytes, end: start, limit } = inner
    const { head, childCount } = readHead(inner, level)
    if (childCount === 0) return false
    inner.reset(bytes, start, limit)
    this.#openMessage(fields.field, head)
    this.#addChildren(inner, level)
    this.#close()
    return true
  }

  #add(fields: FieldReader, itemCount: number): void {
    const message = this.#open[this.#open.length - 1]
    message.body.add(fields.bytes, fields.fieldStart, fields.end)
    message.hasChildren = true
    this.#itemCount += itemCount
    this.#groupItemCount += itemCount
    this.#isPartEmpty = false
  }

  #fits(byteLength: number, itemCount: number): boolean {
    const { itemCountMax, byteLengthMax } = this.#limits
    if (this.#itemCount + itemCount > itemCountMax) return false
    if (byteLengthMax === Infinity) return true
    let wanted = byteLength
    for (let index = this.#open.length - 1; index >= 0; index--) {
      const { field, body } = this.#open[index]
      wanted += body.byteLength
      if (index === 0 && this.#resource !== undefined) {
        wanted += fieldLength(nesting.resource, this.#resource.length)
      }
      wanted = fieldLength(field, wanted)
    }
    return this.#byteLength + wanted <= byteLengthMax
  }

  #openMessage(field: number, head: ChunkList): void {
    this.#open.push({ field, head, body: head.copy(), hasChildren: false })
  }

  /** Closes the innermost message. One that got no child in this part is left out of it. */
  #close(): void {
    const message = this.#open.pop()
    if (message === undefined || !message.hasChildren) return
    const outer = this.#open[this.#open.length - 1]
    if (outer !== undefined) {
      outer.body.addField(message.field, message.body)
      outer.hasChildren = true
      return
    }
    const group = {
      resource: this.#resource,
      rest: message.body.toBytes(),
      itemCount: this.#groupItemCount,
    }
    this.#groups.push(group)
    this.#byteLength += fieldLength(nesting.group, contentByteLength(group))
    this.#groupItemCount = 0
  }

  /** Finishes the current part, unless it is empty, and opens the same messages in the next. */
  #nextPart(): void {
    if (this.#isPartEmpty) return
    const open = [...this.#open]
    while (this.#open.length > 0) this.#close()
    this.#finishPart()
    for (const { field, head } of open) this.#openMessage(field, head)
  }

  #finishPart(): void {
    const { signal, unknown, client } = this.#batch
    // Unknown fields of the request stay with the first part: they are not repeated, lest they be merged.
    const isFirst = this.#parts.length === 0
    this.#parts.push(new Batch(signal, this.#groups, isFirst ? { unknown, client } : { client }))
    this.#groups = []
    this.#itemCount = 0
    this.#groupItemCount = 0
    this.#byteLength = 0
    this.#isPartEmpty = true
    this.#limits = this.#nextLimits
  }
}

function readHead(fields: FieldReader, level: Level): { head: ChunkList; childCount: number } {
  const head = new ChunkList()
  let childCount = 0
  while (fields.next()) {
    if (level.isChild(fields)) childCount++
    else head.add(fields.bytes, fields.fieldStart, fields.end)
  }
  return { head, childCount }
}

/** The Metric that `outer` stands on, with the data that counts in one piece, so that its own head can be repeated. */
function soundMetric(outer: FieldReader): FieldReader {
  const { bytes, start, end } = outer
  const metric = new MetricRef(bytes, start, end)
  const head = new ChunkList()
  const data = new ChunkList()
  let dataCount = 0
  const fields = new FieldReader(bytes, start, end)
  while (fields.next()) {
    if (fields.wireType !== wireType.bytes || !isMetricData(fields.field)) {
      head.add(bytes, fields.fieldStart, fields.end)
      continue
    }
    dataCount++
    if (metric.isData(fields)) data.add(bytes, fields.start, fields.end)
  }
  if (dataCount < 2) return new FieldReader(bytes, start, end)
  head.addField(metric.dataField, data)
  return new FieldReader(head.toBytes())
}

const pointLevel: Level = {
  isChild: (fields) => fields.is(dataPointsField),
  countItems: () => 1,
  child: undefined,
}

const metricLevel: Level = {
  isChild: (fields) => fields.wireType === wireType.bytes && isMetricData(fields.field),
  countItems: ({ bytes, start, end }) => countDataPoints(bytes, start, end),
  child: pointLevel,
}

const metricsScopeLevel: Level = {
  isChild: (fields) => fields.is(nesting.members),
  countItems: ({ bytes, start, end }) => countPoints(bytes, start, end),
  child: metricLevel,
}

const metricsGroupLevel: Level = {
  isChild: isScopes,
  countItems: ({ bytes, start, end }) => countScopeItems('metrics', bytes, start, end),
  child: metricsScopeLevel,
}

const scopeLevel: Level = {
  isChild: (fields) => fields.is(nesting.members),
  countItems: () => 1,
  child: undefined,
}

const groupLevel: Level = {
  isChild: isScopes,
  countItems: ({ bytes, start, end }) => countScopeItems('traces', bytes, start, end),
  child: scopeLevel,
}
