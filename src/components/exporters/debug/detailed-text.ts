/** Verbosity `detailed`: every field, in the Collector's layout. */
import type { Batch } from '../../../otlp/batch.ts'
import { LogRecordView } from '../../../otlp/log-view.ts'
import { severityNumber, spanKind, statusCode } from '../../../otlp/message-fields.ts'
import { MetricView } from '../../../otlp/metric-view.ts'
import { SpanView } from '../../../otlp/span-view.ts'
import { writeAttributes } from './attribute-lines.ts'
import { enumText, instantText, typedText } from './collector-text.ts'
import { writeMetric } from './detailed-metrics.ts'
import { nestedResource } from './nested.ts'
import type { TextLines } from './text-lines.ts'

const levelNames = {
  traces: ['ResourceSpans', 'ScopeSpans', 'Span'],
  metrics: ['ResourceMetrics', 'ScopeMetrics', 'Metric'],
  logs: ['ResourceLog', 'ScopeLogs', 'LogRecord'],
} as const

export function writeDetailed(lines: TextLines, batch: Batch): void {
  const [resourceName, scopeName, memberName] = levelNames[batch.signal]
  for (const [index, group] of batch.groups.entries()) {
    if (lines.isFull) return
    const { resource, schemaUrl, scopes } = nestedResource(batch, group)
    lines.add(`${resourceName} #${index}`)
    lines.add(`Resource SchemaURL: ${schemaUrl}`)
    writeAttributes(lines, 'Resource attributes', resource.attributes)
    for (const [scopeIndex, nested] of scopes.entries()) {
      const { scope } = nested
      lines.add(`${scopeName} #${scopeIndex}`)
      lines.add(`${scopeName} SchemaURL: ${nested.schemaUrl}`)
      lines.add(`InstrumentationScope ${scope.name} ${scope.version}`)
      writeAttributes(lines, 'InstrumentationScope attributes', scope.attributes)
      for (const [memberIndex, member] of nested.members.entries()) {
        if (lines.isFull) return
        lines.add(`${memberName} #${memberIndex}`)
        if (batch.signal === 'traces') writeSpan(lines, new SpanView(member))
        else if (batch.signal === 'logs') writeRecord(lines, new LogRecordView(member))
        else writeMetric(lines, new MetricView(member))
      }
    }
  }
}

function writeSpan(lines: TextLines, span: SpanView): void {
  const { status, traceState } = span
  const add = (name: string, value: string) => lines.add(`    ${name.padEnd(15)}: ${value}`)
  add('Trace ID', span.traceId)
  add('Parent ID', span.parentSpanId)
  add('ID', span.spanId)
  add('Name', span.name)
  add('Kind', enumText(spanKind.names, span.kind, 'SPAN_KIND_'))
  if (traceState !== '') add('TraceState', traceState)
  add('Start time', instantText(span.startTimeUnixNano))
  add('End time', instantText(span.endTimeUnixNano))
  add('Status code', enumText(statusCode.names, status.code, 'STATUS_CODE_'))
  add('Status message', status.message)
  if (span.droppedAttributesCount > 0) {
    add('DroppedAttributesCount', String(span.droppedAttributesCount))
  }
  if (span.droppedEventsCount > 0) add('DroppedEventsCount', String(span.droppedEventsCount))
  if (span.droppedLinksCount > 0) add('DroppedLinksCount', String(span.droppedLinksCount))
  writeAttributes(lines, 'Attributes', span.attributes)
  if (span.events.length > 0) lines.add('Events:')
  for (const [index, event] of span.events.entries()) {
    lines.add(`SpanEvent #${index}`)
    lines.add(`     -> Name: ${event.name}`)
    lines.add(`     -> Timestamp: ${instantText(event.timeUnixNano)}`)
    lines.add(`     -> DroppedAttributesCount: ${event.droppedAttributesCount}`)
    writeAttributes(lines, '     -> Attributes:', event.attributes)
  }
  if (span.links.length > 0) lines.add('Links:')
  for (const [index, link] of span.links.entries()) {
    lines.add(`SpanLink #${index}`)
    lines.add(`     -> Trace ID: ${link.traceId}`)
    lines.add(`     -> ID: ${link.spanId}`)
    lines.add(`     -> TraceState: ${link.traceState}`)
    lines.add(`     -> DroppedAttributesCount: ${link.droppedAttributesCount}`)
    writeAttributes(lines, '     -> Attributes:', link.attributes)
  }
}

function writeRecord(lines: TextLines, record: LogRecordView): void {
  const { severityNumber: severity, eventName } = record
  const name = enumText(severityNumber.names, severity, 'SEVERITY_NUMBER_')
  lines.add(`ObservedTimestamp: ${instantText(record.observedTimeUnixNano)}`)
  lines.add(`Timestamp: ${instantText(record.timeUnixNano)}`)
  lines.add(`SeverityText: ${record.severityText}`)
  lines.add(`SeverityNumber: ${name}(${severity})`)
  if (eventName !== '') lines.add(`EventName: ${eventName}`)
  lines.add(`Body: ${typedText(record.body)}`)
  if (record.droppedAttributesCount > 0) {
    lines.add(`DroppedAttributesCount: ${record.droppedAttributesCount}`)
  }
  writeAttributes(lines, 'Attributes', record.attributes)
  lines.add(`Trace ID: ${record.traceId}`)
  lines.add(`Span ID: ${record.spanId}`)
  lines.add(`Flags: ${record.flags}`)
}
