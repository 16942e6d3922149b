/** Metrics requests as tests write them: few words, encoded by protobufjs. */
import type { Batch } from '../../src/otlp/batch.ts'
import { indexRequest } from '../../src/otlp/index-request.ts'
import { encodeRequest, type PlainMessage } from './oracle.ts'

export type Attributes = Readonly<Record<string, string | number | bigint | boolean>>

export interface Source {
  readonly resource?: Attributes
  readonly scope?: PlainMessage
  readonly schemaUrl?: string
}

/** A batch of one resource and one scope. */
export function metricsBatch(metrics: readonly PlainMessage[], source: Source = {}): Batch {
  return indexRequest('metrics', metricsRequest(metrics, source))
}

export function metricsRequest(
  metrics: readonly PlainMessage[],
  { resource, scope, schemaUrl }: Source = {},
): Uint8Array {
  const scopeMetrics = {
    metrics: [...metrics],
    ...(scope === undefined ? {} : { scope }),
    ...(schemaUrl === undefined ? {} : { schemaUrl }),
  }
  const group = resource === undefined ? {} : { resource: { attributes: attributes(resource) } }
  return encodeRequest('metrics', {
    resourceMetrics: [{ ...group, scopeMetrics: [scopeMetrics] } as PlainMessage],
  })
}

export function attributes(values: Attributes): PlainMessage[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: anyValue(value) }))
}

export const cumulative = { aggregationTemporality: 2 } as const
export const delta = { aggregationTemporality: 1 } as const

export function gauge(name: string, points: readonly PlainMessage[], more = {}): PlainMessage {
  return { name, ...more, gauge: { dataPoints: [...points] } }
}

/** A cumulative monotonic sum unless said otherwise. */
export function sum(
  name: string,
  points: readonly PlainMessage[],
  { metric = {}, sum: fields = {} }: { metric?: PlainMessage; sum?: PlainMessage } = {},
): PlainMessage {
  return {
    name,
    ...metric,
    sum: { ...cumulative, isMonotonic: true, ...fields, dataPoints: [...points] },
  }
}

export function point(values: Attributes, fields: PlainMessage): PlainMessage {
  return { attributes: attributes(values), ...fields }
}

function anyValue(value: string | number | bigint | boolean): PlainMessage {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  const name = typeof value === 'bigint' ? 'intValue' : 'doubleValue'
  return { [name]: value }
}
