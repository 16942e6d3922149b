import type { MetricDeclaration } from '../../pipeline/component.ts'
import type { Counter, Labels, Meter } from '../../pipeline/meter.ts'

/** `failure` is what the receiver itself could not take: malformed, too large, in an unknown encoding. */
export type RequestOutcome = 'success' | 'refused' | 'failure'

/** The Collector's count of requests at a receiver, each with one outcome; `labels` are receiver and transport. */
export function requestCounter(meter: Meter, labels: Labels, outcome: RequestOutcome): Counter {
  return meter.counter(requestMetric.name, requestMetric.help, { ...labels, outcome })
}

export const requestMetric = {
  name: 'otelcol_receiver_requests',
  kind: 'counter',
  help: 'Number of requests by outcome: success, refused by the pipeline, or failure in the receiver itself.',
  labels: ['receiver', 'transport', 'outcome'],
} as const satisfies MetricDeclaration
