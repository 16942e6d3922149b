/** Which family of Prometheus a metric belongs to: the one place where both exporters get type, name and unit from. */
import { metricDataFields } from '../../otlp/fields.ts'
import { metricName, type MetricNaming, type NameKind } from './metric-name.ts'
import { temporality } from './metric-reader.ts'
import { hasTemporality, type MetricSource } from './metric-source.ts'
import { unitText } from './unit-words.ts'

/** Numbers of remote write's MetricType. */
export const metricTypes = {
  unknown: 0,
  counter: 1,
  gauge: 2,
  histogram: 3,
  summary: 5,
  info: 6,
  stateset: 7,
} as const

export type PrometheusType = keyof typeof metricTypes

export interface FamilyIdentity {
  readonly type: PrometheusType
  readonly name: string
  /** In Prometheus' words; empty when there is none. */
  readonly unit: string
}

/** The family, or the cause for which points of the metric have to be dropped. */
export function familyIdentity(
  naming: MetricNaming,
  metric: MetricSource<unknown>,
): FamilyIdentity | string {
  const type = prometheusType(metric)
  if (type === undefined) return 'no_data'
  if (hasTemporality(metric.dataField) && !isTemporality(metric.temporality)) {
    return 'temporality_unspecified'
  }
  const { name: source, unit } = metric
  const name = metricName(naming, { name: source, unit, kind: nameKind(type, metric) })
  return name === undefined ? 'invalid_name' : { type, name, unit: unitText(unit) }
}

/**
 * OpenTelemetry, "Prometheus and OpenMetrics compatibility": `prometheus.type` in the metadata of what came from
 * Prometheus as a gauge or a non-monotonic sum restores the types that OTLP has not.
 */
function prometheusType(metric: MetricSource<unknown>): PrometheusType | undefined {
  switch (metric.dataField) {
    case metricDataFields.gauge:
      return restored(metric.originalType)
    case metricDataFields.sum:
      return metric.isMonotonic ? 'counter' : restored(metric.originalType)
    case metricDataFields.histogram:
    case metricDataFields.exponentialHistogram:
      return 'histogram'
    case metricDataFields.summary:
      return 'summary'
    default:
      return undefined
  }
}

function restored(originalType: string): PrometheusType {
  const isKnown =
    originalType === 'unknown' || originalType === 'info' || originalType === 'stateset'
  return isKnown ? originalType : 'gauge'
}

/** A non-monotonic sum of unit 1 is no ratio. */
function nameKind(type: PrometheusType, { dataField }: MetricSource<unknown>): NameKind {
  if (type === 'counter') return 'counter'
  return type === 'gauge' && dataField === metricDataFields.gauge ? 'gauge' : 'other'
}

function isTemporality(kind: number): boolean {
  return kind === temporality.delta || kind === temporality.cumulative
}
