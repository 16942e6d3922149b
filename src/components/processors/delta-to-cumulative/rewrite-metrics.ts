/** Puts other data points in the place of a metric's, and makes it cumulative. */
import { ChunkList } from '../../../wire/chunk-list.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import type { Batch, ResourceGroup } from '../../../otlp/batch.ts'
import { dataPointsField, isMetricData } from '../../../otlp/fields.ts'
import { temporality, type MetricReader } from '../../../kit/prometheus/metric-reader.ts'
import { tagOf } from '../../../kit/prometheus/field-tag.ts'

/** What becomes of a metric: it stays as it is, or its points are these. Of no points nothing is left. */
export type NewPoints = 'kept' | readonly Uint8Array[]

const metricsField = 2
const temporalityField = 2
const cumulative = Uint8Array.of((temporalityField << 3) | 0, temporality.cumulative)

/**
 * The batch with each metric's points as `next` gives them, which is asked in wire order. Metrics, scopes and groups
 * that have lost their last metric are removed; when nothing changed the very same batch comes back.
 */
export function rewriteMetrics(
  batch: Batch,
  metric: MetricReader,
  next: (metric: MetricReader) => NewPoints,
): Batch {
  let isChanged = false
  const groups: ResourceGroup[] = []
  for (const group of batch.groups) {
    const rewritten = new GroupRewrite(group, metric, next).result()
    if (rewritten !== group) isChanged = true
    if (rewritten !== undefined) groups.push(rewritten)
  }
  return isChanged ? batch.withGroups(groups) : batch
}

class GroupRewrite {
  readonly #group: ResourceGroup
  readonly #metric: MetricReader
  readonly #next: (metric: MetricReader) => NewPoints
  #lostCount = 0

  constructor(
    group: ResourceGroup,
    metric: MetricReader,
    next: (metric: MetricReader) => NewPoints,
  ) {
    this.#group = group
    this.#metric = metric
    this.#next = next
  }

  result(): ResourceGroup | undefined {
    const { resource, rest, itemCount } = this.#group
    const scopesTag = hasTag(rest, 0x12) ? 0x12 : libraryMetricsTag
    const fields = new FieldReader(rest)
    const rebuilt = rebuild(fields, scopesTag, () => this.#scope(fields))
    if (rebuilt === 'kept') return this.#group
    const left = itemCount - this.#lostCount
    // Instrumentation libraries beside scopes are read by nobody, yet counted: they go on as they are.
    if (rebuilt === 'removed') {
      return left > 0 ? { resource, rest: without(rest, scopesTag), itemCount: left } : undefined
    }
    return { resource, rest: rebuilt.toBytes(), itemCount: left }
  }

  #scope(outer: FieldReader): Rebuilt {
    const fields = new FieldReader(outer.bytes, outer.start, outer.end)
    return rebuild(fields, (metricsField << 3) | 2, () => this.#one(fields))
  }

  #one(fields: FieldReader): Rebuilt {
    const metric = this.#metric
    metric.read(fields.bytes, fields.start, fields.end)
    const points = this.#next(metric)
    if (points === 'kept') return 'kept'
    const { dataField } = metric
    const data = new ChunkList()
    let pointCount = 0
    const inner = new FieldReader(metric.data, metric.dataStart, metric.dataEnd)
    while (inner.next()) {
      if (inner.is(dataPointsField)) pointCount++
      else if (inner.field !== temporalityField) data.add(inner.bytes, inner.fieldStart, inner.end)
    }
    this.#lostCount += pointCount - points.length
    if (points.length === 0) return 'removed'
    data.addAll(cumulative)
    for (const point of points) data.addField(dataPointsField, point)
    const rebuilt = new ChunkList()
    const outer = new FieldReader(fields.bytes, fields.start, fields.end)
    while (outer.next()) {
      const isData = outer.wireType === 2 && isMetricData(outer.field)
      if (!isData) rebuilt.add(outer.bytes, outer.fieldStart, outer.end)
    }
    rebuilt.addField(dataField, data)
    return rebuilt
  }
}

type Rebuilt = 'kept' | 'removed' | ChunkList

/** 'removed' when the last child was removed by it. */
function rebuild(fields: FieldReader, childTag: number, rebuildChild: () => Rebuilt): Rebuilt {
  const { bytes, limit, start } = fields
  let rebuilt: ChunkList | undefined
  let keptTo = start
  let childCount = 0
  while (fields.next()) {
    if (tagOf(fields) !== childTag) continue
    const child = rebuildChild()
    if (child !== 'removed') childCount++
    if (child === 'kept') continue
    rebuilt ??= new ChunkList()
    rebuilt.add(bytes, keptTo, fields.fieldStart)
    keptTo = fields.end
    if (child !== 'removed') rebuilt.addField(fields.field, child)
  }
  if (rebuilt === undefined) return 'kept'
  if (childCount === 0) return 'removed'
  rebuilt.add(bytes, keptTo, limit)
  return rebuilt
}

/** Instrumentation libraries of before 2022 (field 1000) are read where there are no scopes, as everywhere. */
const libraryMetricsTag = (1000 << 3) | 2

function hasTag(bytes: Uint8Array, tag: number): boolean {
  const fields = new FieldReader(bytes)
  while (fields.next()) if (tagOf(fields) === tag) return true
  return false
}

function without(bytes: Uint8Array, tag: number): Uint8Array {
  const fields = new FieldReader(bytes)
  const kept = new ChunkList()
  while (fields.next()) if (tagOf(fields) !== tag) kept.add(bytes, fields.fieldStart, fields.end)
  return kept.toBytes()
}
