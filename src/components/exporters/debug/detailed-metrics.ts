import { aggregationTemporality } from '../../../otlp/message-fields.ts'
import type { MetricData, MetricView } from '../../../otlp/metric-view.ts'
import type {
  ExemplarView,
  ExponentialHistogramPointView,
  HistogramPointView,
  NumberPointView,
  PointView,
  SummaryPointView,
} from '../../../otlp/point-views.ts'
import { writeAttributes } from './attribute-lines.ts'
import { enumText, fixedText, instantText } from './collector-text.ts'
import type { TextLines } from './text-lines.ts'

const typeNames = {
  gauge: 'Gauge',
  sum: 'Sum',
  histogram: 'Histogram',
  exponentialHistogram: 'ExponentialHistogram',
  summary: 'Summary',
} as const

export function writeMetric(lines: TextLines, metric: MetricView): void {
  const { data } = metric
  lines.add('Descriptor:')
  lines.add(`     -> Name: ${metric.name}`)
  lines.add(`     -> Description: ${metric.description}`)
  lines.add(`     -> Unit: ${metric.unit}`)
  lines.add(`     -> DataType: ${data === undefined ? 'Empty' : typeNames[data.kind]}`)
  writeAttributes(lines, '     -> Metadata', metric.metadata)
  if (data === undefined) return
  if (data.kind === 'sum') lines.add(`     -> IsMonotonic: ${data.isMonotonic}`)
  if ('temporality' in data) {
    const { names } = aggregationTemporality
    const text = enumText(names, data.temporality, 'AGGREGATION_TEMPORALITY_')
    lines.add(`     -> AggregationTemporality: ${text}`)
  }
  writePoints(lines, data)
}

function writePoints(lines: TextLines, data: MetricData): void {
  switch (data.kind) {
    case 'gauge':
    case 'sum':
      return each(lines, 'NumberDataPoints', data.points, writeNumber)
    case 'histogram':
      return each(lines, 'HistogramDataPoints', data.points, writeHistogram)
    case 'exponentialHistogram':
      return each(lines, 'ExponentialHistogramDataPoints', data.points, writeExponential)
    case 'summary':
      return each(lines, 'SummaryDataPoints', data.points, writeSummary)
  }
}

function each<Point extends PointView>(
  lines: TextLines,
  name: string,
  points: readonly Point[],
  write: (lines: TextLines, point: Point) => void,
): void {
  for (const [index, point] of points.entries()) {
    if (lines.isFull) return
    lines.add(`${name} #${index}`)
    writeAttributes(lines, 'Data point attributes', point.attributes)
    lines.add(`StartTimestamp: ${instantText(point.startTimeUnixNano)}`)
    lines.add(`Timestamp: ${instantText(point.timeUnixNano)}`)
    if (point.flags !== 0) lines.add(`Flags: ${point.flags}`)
    write(lines, point)
  }
}

function writeNumber(lines: TextLines, point: NumberPointView): void {
  const { value } = point
  if (value !== undefined) lines.add(`Value: ${numberText(value)}`)
  writeExemplars(lines, point.exemplars)
}

function writeHistogram(lines: TextLines, point: HistogramPointView): void {
  writeTotals(lines, point)
  for (const [index, bound] of point.explicitBounds.entries()) {
    lines.add(`ExplicitBounds #${index}: ${fixedText(bound)}`)
  }
  for (const [index, count] of point.bucketCounts.entries()) {
    lines.add(`Buckets #${index}, Count: ${count}`)
  }
  writeExemplars(lines, point.exemplars)
}

function writeExponential(lines: TextLines, point: ExponentialHistogramPointView): void {
  writeTotals(lines, point)
  const { negative, positive, zeroCount } = point
  const factor = Math.LN2 * 2 ** -point.scale
  const bound = (index: number) => Math.exp(index * factor)
  // From the smallest value to the largest: the negative side lies in the other order on the wire.
  for (const [position, count] of [...(negative?.bucketCounts.entries() ?? [])].toReversed()) {
    const index = negative!.offset + position
    const range = `[${fixedText(-bound(index + 1))}, ${fixedText(-bound(index))})`
    lines.add(`Bucket ${range}, Count: ${count}`)
  }
  if (zeroCount !== 0n) lines.add(`Bucket [0, 0], Count: ${zeroCount}`)
  for (const [position, count] of positive?.bucketCounts.entries() ?? []) {
    const index = positive!.offset + position
    const range = `(${fixedText(bound(index))}, ${fixedText(bound(index + 1))}]`
    lines.add(`Bucket ${range}, Count: ${count}`)
  }
  writeExemplars(lines, point.exemplars)
}

function writeSummary(lines: TextLines, point: SummaryPointView): void {
  lines.add(`Count: ${point.count}`)
  lines.add(`Sum: ${fixedText(point.sum)}`)
  for (const [index, { quantile, value }] of point.quantileValues.entries()) {
    lines.add(`QuantileValue #${index}: Quantile ${fixedText(quantile)}, Value ${fixedText(value)}`)
  }
}

function writeTotals(
  lines: TextLines,
  { count, sum, min, max }: HistogramPointView | ExponentialHistogramPointView,
): void {
  lines.add(`Count: ${count}`)
  if (sum !== undefined) lines.add(`Sum: ${fixedText(sum)}`)
  if (min !== undefined) lines.add(`Min: ${fixedText(min)}`)
  if (max !== undefined) lines.add(`Max: ${fixedText(max)}`)
}

function writeExemplars(lines: TextLines, exemplars: readonly ExemplarView[]): void {
  if (exemplars.length > 0) lines.add('Exemplars:')
  for (const [index, exemplar] of exemplars.entries()) {
    lines.add(`Exemplar #${index}`)
    lines.add(`     -> Trace ID: ${exemplar.traceId}`)
    lines.add(`     -> Span ID: ${exemplar.spanId}`)
    lines.add(`     -> Timestamp: ${instantText(exemplar.timeUnixNano)}`)
    const { value } = exemplar
    if (value !== undefined) lines.add(`     -> Value: ${numberText(value)}`)
    writeAttributes(lines, '     -> FilteredAttributes', exemplar.filteredAttributes)
  }
}

function numberText(value: number | bigint): string {
  return typeof value === 'bigint' ? String(value) : fixedText(value)
}
