import type { MetricDeclaration } from '../../pipeline/component.ts'
import type { ExporterHost } from '../../pipeline/host.ts'
import type { Batch } from '../../otlp/batch.ts'
import { signalNames, signals } from '../../otlp/signal.ts'
import { batchByteLengthBounds, batchItemCountBounds } from './batch-size.ts'

const counted = [
  ['sent', 'delivered'],
  ['send_failed', 'that could not be delivered'],
  ['enqueue_failed', 'that the sending queue did not take'],
] as const

/** What a queue that forms batches tells of their sizes. */
const sizeMetrics = {
  enqueuedItems: histogram('enqueue_size', 'Items in the batches that the queue took.'),
  enqueuedBytes: histogram('enqueue_size_bytes', 'Bytes of the batches that the queue took.'),
  sentItems: histogram(
    'queue_batch_send_size',
    'Items in the requests that the queue formed; with its enqueue_size only where it batches.',
  ),
  sentBytes: histogram(
    'queue_batch_send_size_bytes',
    'Bytes of the requests that the queue formed.',
  ),
} as const

/**
 * What every exporter with a sender records, for its page in the reference. `destination` names the labels that say
 * where delivered items went.
 */
export function senderMetrics(destination: readonly string[] = []): readonly MetricDeclaration[] {
  return [
    ...counted.flatMap(([verb, what]) =>
      signalNames.map((signal): MetricDeclaration => ({
        name: `otelcol_exporter_${verb}_${signals[signal].itemName}`,
        kind: 'counter',
        help: `${signals[signal].itemNoun} ${what}.`,
        labels: verb === 'sent' ? ['exporter', ...destination] : ['exporter'],
      })),
    ),
    gauge('queue_size', "What is queued and being sent, in the queue's unit."),
    gauge('queue_capacity', "Most that can be queued, in the queue's unit."),
    gauge('in_flight_requests', 'Requests being sent, waits between retries included.'),
    ...Object.values(sizeMetrics),
  ]
}

/** Records the sizes of what a queue takes and of what it makes of that. */
export interface SizeRecorder {
  enqueued(batch: Batch): void
  sent(batch: Batch): void
}

export function sizeRecorder({ meter, id }: ExporterHost): SizeRecorder {
  const open = ({ name, help }: MetricDeclaration, bounds: readonly number[]) =>
    meter.histogram(name, help, bounds, { exporter: id })
  const enqueuedItems = open(sizeMetrics.enqueuedItems, batchItemCountBounds)
  const enqueuedBytes = open(sizeMetrics.enqueuedBytes, batchByteLengthBounds)
  const sentItems = open(sizeMetrics.sentItems, batchItemCountBounds)
  const sentBytes = open(sizeMetrics.sentBytes, batchByteLengthBounds)
  return {
    enqueued({ itemCount, byteLength }) {
      enqueuedItems.record(itemCount)
      enqueuedBytes.record(byteLength)
    },
    sent({ itemCount, byteLength }) {
      sentItems.record(itemCount)
      sentBytes.record(byteLength)
    },
  }
}

function gauge(name: string, help: string): MetricDeclaration {
  return {
    name: `otelcol_exporter_${name}`,
    kind: 'gauge',
    help,
    labels: ['exporter', 'data_type'],
  }
}

function histogram(name: string, help: string): MetricDeclaration {
  return {
    name: `otelcol_exporter_${name}`,
    kind: 'histogram',
    help,
    labels: ['exporter'],
    level: 'detailed',
  }
}
