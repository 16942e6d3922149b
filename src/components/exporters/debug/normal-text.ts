/** Verbosity `normal`: one line an item. */
import type { Attribute } from '../../../otlp/attributes.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { LogRecordView } from '../../../otlp/log-view.ts'
import { type MetricData, MetricView } from '../../../otlp/metric-view.ts'
import { SpanView } from '../../../otlp/span-view.ts'
import { valueText } from '../../../otlp/value-text.ts'
import type {
  ExponentialHistogramPointView,
  HistogramPointView,
  SummaryPointView,
} from '../../../otlp/point-views.ts'
import { fixedText } from './collector-text.ts'
import { type NestedScope, nestedResource } from './nested.ts'
import type { TextLines } from './text-lines.ts'

const levelNames = {
  traces: ['ResourceTraces', 'ScopeTraces'],
  metrics: ['ResourceMetrics', 'ScopeMetrics'],
  logs: ['ResourceLog', 'ScopeLog'],
} as const

export function writeNormal(lines: TextLines, batch: Batch): void {
  const [resourceName, scopeName] = levelNames[batch.signal]
  for (const [index, group] of batch.groups.entries()) {
    if (lines.isFull) return
    const { resource, schemaUrl, scopes } = nestedResource(batch, group)
    const url = schemaUrl === '' ? '' : ` [${schemaUrl}]`
    lines.add(`${resourceName} #${index}${url}${spaced(pairs(resource.attributes))}`)
    for (const [scopeIndex, nested] of scopes.entries()) {
      const attributes = spaced(pairs(nested.scope.attributes))
      lines.add(`${scopeName} #${scopeIndex}${scopeDetails(nested)}${attributes}`)
      for (const member of nested.members) {
        if (lines.isFull) return
        writeMember(lines, batch, member)
      }
    }
  }
}

function scopeDetails({ scope, schemaUrl }: NestedScope): string {
  const version = scope.version === '' ? '' : `@${scope.version}`
  const url = schemaUrl === '' ? '' : ` [${schemaUrl}]`
  return scope.name === '' && version === '' ? url : ` ${scope.name}${version}${url}`
}

function writeMember(lines: TextLines, batch: Batch, member: Uint8Array): void {
  if (batch.signal === 'traces') {
    const span = new SpanView(member)
    lines.add(`${span.name} ${span.traceId} ${span.spanId}${spaced(pairs(span.attributes))}`)
  } else if (batch.signal === 'logs') {
    const record = new LogRecordView(member)
    lines.add(`${valueText(record.body)}${spaced(pairs(record.attributes))}`)
  } else {
    const metric = new MetricView(member)
    for (const { attributes, text } of pointTexts(metric.data)) {
      lines.add(`${metric.name}{${pairs(attributes).join(',')}} ${text}`)
    }
  }
}

interface PointText {
  readonly attributes: readonly Attribute[]
  readonly text: string
}

function pointTexts(data: MetricData | undefined): PointText[] {
  if (data === undefined) return []
  switch (data.kind) {
    case 'gauge':
    case 'sum':
      return data.points.map(({ attributes, value }) => ({ attributes, text: String(value ?? '') }))
    case 'histogram':
      return data.points.map((point) => ({
        attributes: point.attributes,
        text: histogramText(point),
      }))
    case 'exponentialHistogram':
      return data.points.map((point) => ({
        attributes: point.attributes,
        text: exponentialText(point),
      }))
    default:
      return data.points.map((point) => ({
        attributes: point.attributes,
        text: summaryText(point),
      }))
  }
}

function histogramText(point: HistogramPointView): string {
  const bounds = point.explicitBounds
  const buckets = point.bucketCounts.map((count, index) =>
    index < bounds.length ? `le${bounds[index]}=${count}` : String(count),
  )
  return [...totals(point), ...buckets].join(' ')
}

function exponentialText(point: ExponentialHistogramPointView): string {
  const base = 2 ** (2 ** -point.scale)
  const buckets = [point.negative, point.positive].flatMap(
    (side) =>
      side?.bucketCounts.map((count, index) => `le${base ** (side.offset + index)}=${count}`) ?? [],
  )
  const zero = point.zeroCount > 0n ? [`zero_count${point.zeroThreshold}=${point.zeroCount}`] : []
  return [...totals(point), ...buckets, ...zero].join(' ')
}

function summaryText(point: SummaryPointView): string {
  const quantiles = point.quantileValues.map(({ quantile, value }) => `q${quantile}=${value}`)
  return [`count=${point.count}`, `sum=${fixedText(point.sum)}`, ...quantiles].join(' ')
}

function totals({ count, sum, min, max }: HistogramPointView | ExponentialHistogramPointView) {
  const optional = Object.entries({ sum, min, max }).filter(([, value]) => value !== undefined)
  return [`count=${count}`, ...optional.map(([name, value]) => `${name}=${value}`)]
}

function pairs(attributes: readonly Attribute[]): string[] {
  return attributes.map(({ key, value }) => `${key}=${valueText(value)}`)
}

function spaced(words: readonly string[]): string {
  return words.map((word) => ` ${word}`).join('')
}
