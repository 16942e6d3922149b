import type { Signal } from './signal.ts'

/** Field numbers of the nesting that all signals share: request > resource group > scope group > member. */
export const nesting = {
  /** Of Export*ServiceRequest. */
  group: 1,
  /** Of ResourceSpans, ResourceMetrics, ResourceLogs. */
  resource: 1,
  scopes: 2,
  /**
   * InstrumentationLibrarySpans and its like, from before OTLP 0.15, with the inner layout of a scope group. Its
   * members are counted and visited as any scope's are, and it leaves under its own number: nothing goes uncounted.
   */
  legacyScopes: 1000,
  /** Of a resource group and of a scope group. */
  schemaUrl: 3,
  /** Of ScopeSpans, ScopeMetrics, ScopeLogs. */
  scope: 1,
  /** Spans, metrics or log records. */
  members: 2,
} as const

export const resourceFields = { attributes: 1, droppedAttributesCount: 2, entityRefs: 3 } as const

export const scopeFields = {
  name: 1,
  version: 2,
  attributes: 3,
  droppedAttributesCount: 4,
} as const

/** The members of Metric's oneof `data`, each with its points at field 1. */
export const metricDataFields = {
  gauge: 5,
  sum: 7,
  histogram: 9,
  exponentialHistogram: 10,
  summary: 11,
} as const

export const metricFields = {
  name: 1,
  description: 2,
  unit: 3,
  metadata: 12,
  ...metricDataFields,
} as const

/** Of every member of Metric's `data`. */
export const dataPointsField = 1

/** Where a point keeps its attributes differs by kind: 7, 7, 9, 1, 7. Indexed by the field number in Metric. */
export function pointAttributesField(dataField: number): number {
  if (dataField === metricDataFields.histogram) return 9
  if (dataField === metricDataFields.exponentialHistogram) return 1
  return 7
}

/** Field number of a span's or log record's attributes; a point's is `pointAttributesField`. */
export const itemAttributesField: Readonly<Record<Exclude<Signal, 'metrics'>, number>> = {
  traces: 9,
  logs: 6,
}

/** True for the field numbers of Metric's oneof `data`: 5, 7, 9, 10, 11. */
export function isMetricData(field: number): boolean {
  return field < 12 && ((metricDataBits >>> field) & 1) === 1
}

const metricDataBits = Object.values(metricDataFields).reduce(
  (bits, field) => bits | (1 << field),
  0,
)
