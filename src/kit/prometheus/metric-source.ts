/** Where a series comes from: its metric, within its scope, within its resource. Equal sources are one object. */
import type { ResourceLabels, ScopeLabels } from './labels.ts'
import { temporality } from './metric-reader.ts'
import { metricDataFields } from '../../otlp/fields.ts'

export interface ResourceSource {
  readonly serial: number
  readonly labels: ResourceLabels
  readonly scopes: Map<string, ScopeSource>
  /** When it last sent anything, on the monotonic clock. */
  seenMs: number
}

export interface ScopeSource {
  readonly serial: number
  readonly resource: ResourceSource
  readonly name: string
  readonly labels: ScopeLabels
  seenMs: number
}

export interface MetricSource<Family> {
  readonly serial: number
  readonly scope: ScopeSource
  readonly name: string
  readonly unit: string
  readonly help: string
  /** Field number of the member that Metric's `data` holds. */
  readonly dataField: number
  readonly temporality: number
  readonly isMonotonic: boolean
  /** `prometheus.type` of the metric's metadata: what it was before it became OTLP. */
  readonly originalType: string
  seenMs: number
  /** What the exporter made of it. */
  family: Family | undefined
}

/** Whether its points are differences to the ones before them. */
export function isDelta({ dataField, temporality: kind }: MetricSource<unknown>): boolean {
  return kind === temporality.delta && hasTemporality(dataField)
}

/** Gauges and summaries have none. */
export function hasTemporality(dataField: number): boolean {
  return dataField !== metricDataFields.gauge && dataField !== metricDataFields.summary
}

/** For people, such as: metric "a.b" of job "shop", instance "1" (scope "http"). */
export function describeSource(metric: MetricSource<unknown>): string {
  const { resource, name } = metric.scope
  const target = resource.labels.target.map((label) => `${label.name} "${label.value}"`)
  const where = target.length === 0 ? 'a resource without a service name' : target.join(', ')
  return `metric "${metric.name}" of ${where}${name === '' ? '' : ` (scope "${name}")`}`
}
