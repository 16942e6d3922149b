import type { MetricDeclaration } from '../../pipeline/component.ts'
import { signalNames, signals } from '../../otlp/signal.ts'

const counted = [
  ['sent', 'delivered'],
  ['send_failed', 'that could not be delivered'],
  ['enqueue_failed', 'that the sending queue did not take'],
] as const

/** What every exporter with a sender records, for its page in the reference. */
export const senderMetrics: readonly MetricDeclaration[] = [
  ...counted.flatMap(([verb, what]) =>
    signalNames.map((signal): MetricDeclaration => ({
      name: `otelcol_exporter_${verb}_${signals[signal].itemName}`,
      kind: 'counter',
      help: `${signals[signal].itemNoun} ${what}.`,
      labels: ['exporter'],
    })),
  ),
  gauge('queue_size', "What is queued and being sent, in the queue's unit."),
  gauge('queue_capacity', "Most that can be queued, in the queue's unit."),
  gauge('in_flight_requests', 'Requests being sent, waits between retries included.'),
  {
    name: 'otelcol_exporter_queue_batch_send_size',
    kind: 'histogram',
    help: 'Items in the requests that the queue formed.',
    labels: ['exporter'],
    level: 'detailed',
  },
]

function gauge(name: string, help: string): MetricDeclaration {
  return {
    name: `otelcol_exporter_${name}`,
    kind: 'gauge',
    help,
    labels: ['exporter', 'data_type'],
  }
}
