/** Every field of OTLP, once: its JSON name, number and kind. Compared with proto/ by a test. */

import {
  choice,
  enumeration,
  many,
  message,
  type MessageTable,
  one,
  optional,
} from './message-table.ts'
import type { Signal } from './signal.ts'

// Fields 8 of AnyValue and 3 of KeyValue mean something in profiles only; here they are unknown and pass as they are.

export const anyValue: MessageTable = message({
  stringValue: choice('value', 1, 'string'),
  boolValue: choice('value', 2, 'bool'),
  intValue: choice('value', 3, 'int64'),
  doubleValue: choice('value', 4, 'double'),
  arrayValue: choice('value', 5, () => arrayValue),
  kvlistValue: choice('value', 6, () => keyValueList),
  bytesValue: choice('value', 7, 'bytes'),
})

export const arrayValue = message({ values: many(1, () => anyValue) })

export const keyValue = message({ key: one(1, 'string'), value: one(2, () => anyValue) })

export const keyValueList = message({ values: many(1, () => keyValue) })

export const instrumentationScope = message({
  name: one(1, 'string'),
  version: one(2, 'string'),
  attributes: many(3, () => keyValue),
  droppedAttributesCount: one(4, 'uint32'),
})

export const entityRef = message({
  schemaUrl: one(1, 'string'),
  type: one(2, 'string'),
  idKeys: many(3, 'string'),
  descriptionKeys: many(4, 'string'),
})

export const resource = message({
  attributes: many(1, () => keyValue),
  droppedAttributesCount: one(2, 'uint32'),
  entityRefs: many(3, () => entityRef),
})

// Traces.

export const spanKind = enumeration('SPAN_KIND_', {
  UNSPECIFIED: 0,
  INTERNAL: 1,
  SERVER: 2,
  CLIENT: 3,
  PRODUCER: 4,
  CONSUMER: 5,
})

export const statusCode = enumeration('STATUS_CODE_', { UNSET: 0, OK: 1, ERROR: 2 })

export const spanEvent = message({
  timeUnixNano: one(1, 'fixed64'),
  name: one(2, 'string'),
  attributes: many(3, () => keyValue),
  droppedAttributesCount: one(4, 'uint32'),
})

export const spanLink = message({
  traceId: one(1, 'traceId'),
  spanId: one(2, 'spanId'),
  traceState: one(3, 'string'),
  attributes: many(4, () => keyValue),
  droppedAttributesCount: one(5, 'uint32'),
  flags: one(6, 'fixed32'),
})

export const spanStatus = message({ message: one(2, 'string'), code: one(3, statusCode) })

export const span = message({
  traceId: one(1, 'traceId'),
  spanId: one(2, 'spanId'),
  traceState: one(3, 'string'),
  parentSpanId: one(4, 'spanId'),
  flags: one(16, 'fixed32'),
  name: one(5, 'string'),
  kind: one(6, spanKind),
  startTimeUnixNano: one(7, 'fixed64'),
  endTimeUnixNano: one(8, 'fixed64'),
  attributes: many(9, () => keyValue),
  droppedAttributesCount: one(10, 'uint32'),
  events: many(11, () => spanEvent),
  droppedEventsCount: one(12, 'uint32'),
  links: many(13, () => spanLink),
  droppedLinksCount: one(14, 'uint32'),
  status: one(15, () => spanStatus),
})

// Metrics. The attributes' number differs from point to point.

export const aggregationTemporality = enumeration('AGGREGATION_TEMPORALITY_', {
  UNSPECIFIED: 0,
  DELTA: 1,
  CUMULATIVE: 2,
})

export const exemplar = message({
  filteredAttributes: many(7, () => keyValue),
  timeUnixNano: one(2, 'fixed64'),
  asDouble: choice('value', 3, 'double'),
  asInt: choice('value', 6, 'sfixed64'),
  spanId: one(4, 'spanId'),
  traceId: one(5, 'traceId'),
})

export const numberPoint = message({
  attributes: many(7, () => keyValue),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  asDouble: choice('value', 4, 'double'),
  asInt: choice('value', 6, 'sfixed64'),
  exemplars: many(5, () => exemplar),
  flags: one(8, 'uint32'),
})

export const histogramPoint = message({
  attributes: many(9, () => keyValue),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  count: one(4, 'fixed64'),
  sum: optional(5, 'double'),
  bucketCounts: many(6, 'fixed64'),
  explicitBounds: many(7, 'double'),
  exemplars: many(8, () => exemplar),
  flags: one(10, 'uint32'),
  min: optional(11, 'double'),
  max: optional(12, 'double'),
})

export const exponentialBuckets = message({
  offset: one(1, 'sint32'),
  bucketCounts: many(2, 'uint64'),
})

export const exponentialHistogramPoint = message({
  attributes: many(1, () => keyValue),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  count: one(4, 'fixed64'),
  sum: optional(5, 'double'),
  scale: one(6, 'sint32'),
  zeroCount: one(7, 'fixed64'),
  positive: one(8, () => exponentialBuckets),
  negative: one(9, () => exponentialBuckets),
  flags: one(10, 'uint32'),
  exemplars: many(11, () => exemplar),
  min: optional(12, 'double'),
  max: optional(13, 'double'),
  zeroThreshold: one(14, 'double'),
})

export const valueAtQuantile = message({ quantile: one(1, 'double'), value: one(2, 'double') })

export const summaryPoint = message({
  attributes: many(7, () => keyValue),
  startTimeUnixNano: one(2, 'fixed64'),
  timeUnixNano: one(3, 'fixed64'),
  count: one(4, 'fixed64'),
  sum: one(5, 'double'),
  quantileValues: many(6, () => valueAtQuantile),
  flags: one(8, 'uint32'),
})

export const gauge = message({ dataPoints: many(1, () => numberPoint) })

export const sum = message({
  dataPoints: many(1, () => numberPoint),
  aggregationTemporality: one(2, aggregationTemporality),
  isMonotonic: one(3, 'bool'),
})

export const histogram = message({
  dataPoints: many(1, () => histogramPoint),
  aggregationTemporality: one(2, aggregationTemporality),
})

export const exponentialHistogram = message({
  dataPoints: many(1, () => exponentialHistogramPoint),
  aggregationTemporality: one(2, aggregationTemporality),
})

export const summary = message({ dataPoints: many(1, () => summaryPoint) })

export const metric = message({
  name: one(1, 'string'),
  description: one(2, 'string'),
  unit: one(3, 'string'),
  gauge: choice('data', 5, () => gauge),
  sum: choice('data', 7, () => sum),
  histogram: choice('data', 9, () => histogram),
  exponentialHistogram: choice('data', 10, () => exponentialHistogram),
  summary: choice('data', 11, () => summary),
  metadata: many(12, () => keyValue),
})

// Logs.

export const severityNumber = enumeration('SEVERITY_NUMBER_', {
  UNSPECIFIED: 0,
  ...Object.fromEntries(
    ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'].flatMap((level, index) =>
      ['', '2', '3', '4'].map((step, more) => [level + step, index * 4 + more + 1]),
    ),
  ),
})

export const logRecord = message({
  timeUnixNano: one(1, 'fixed64'),
  observedTimeUnixNano: one(11, 'fixed64'),
  severityNumber: one(2, severityNumber),
  severityText: one(3, 'string'),
  body: one(5, () => anyValue),
  attributes: many(6, () => keyValue),
  droppedAttributesCount: one(7, 'uint32'),
  flags: one(8, 'fixed32'),
  traceId: one(9, 'traceId'),
  spanId: one(10, 'spanId'),
  eventName: one(12, 'string'),
})

// The three levels above, alike in all signals.

/** A Resource*, whose scopes are called `scopes` and hold `members`. */
function resourceLevel(scopes: string, members: string, member: () => MessageTable): MessageTable {
  const scopeLevel = message({
    scope: one(1, () => instrumentationScope),
    [members]: many(2, member),
    schemaUrl: one(3, 'string'),
  })
  return message({
    resource: one(1, () => resource),
    [scopes]: many(2, () => scopeLevel),
    schemaUrl: one(3, 'string'),
  })
}

const resourceSpans = resourceLevel('scopeSpans', 'spans', () => span)
const resourceMetrics = resourceLevel('scopeMetrics', 'metrics', () => metric)
const resourceLogs = resourceLevel('scopeLogs', 'logRecords', () => logRecord)

/** Export*ServiceRequest. */
export const requests: Readonly<Record<Signal, MessageTable>> = {
  traces: message({ resourceSpans: many(1, () => resourceSpans) }),
  metrics: message({ resourceMetrics: many(1, () => resourceMetrics) }),
  logs: message({ resourceLogs: many(1, () => resourceLogs) }),
}
