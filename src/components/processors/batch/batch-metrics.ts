import { batchByteLengthBounds, batchItemCountBounds } from '../../../kit/queue/batch-size.ts'
import type { MetricDeclaration } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Counter, Histogram } from '../../../pipeline/meter.ts'

const labels = ['processor']

const declared = {
  itemCount: {
    name: 'otelcol_processor_batch_batch_send_size',
    kind: 'histogram',
    help: 'Number of items in the batch that was sent.',
    labels,
    level: 'normal',
  },
  byteLength: {
    name: 'otelcol_processor_batch_batch_send_size_bytes',
    kind: 'histogram',
    help: 'Number of bytes in the batch that was sent.',
    labels,
    level: 'detailed',
  },
  bySize: {
    name: 'otelcol_processor_batch_batch_size_trigger_send',
    kind: 'counter',
    help: 'Number of times a batch was sent because it was large enough.',
    labels,
    level: 'normal',
  },
  byTimeout: {
    name: 'otelcol_processor_batch_timeout_trigger_send',
    kind: 'counter',
    help: 'Number of times a batch was sent because its time had passed, or at shutdown.',
    labels,
    level: 'normal',
  },
  cardinality: {
    name: 'otelcol_processor_batch_metadata_cardinality',
    kind: 'gauge',
    help: 'Number of distinct combinations of metadata values being batched.',
    // The pipeline, since instances of one id each have their own number and a gauge cannot be added to.
    labels: [...labels, 'pipeline'],
    level: 'normal',
  },
} as const satisfies Record<string, MetricDeclaration>

export const batchMetrics: readonly MetricDeclaration[] = Object.values(declared)

export interface BatchInstruments {
  readonly itemCount: Histogram
  readonly byteLength: Histogram
  readonly bySize: Counter
  readonly byTimeout: Counter
}

export function batchInstruments(
  host: ProcessorHost,
  readCardinality: () => number,
): BatchInstruments {
  const { meter, id, pipeline } = host
  const own = { processor: id }
  const { itemCount, byteLength, bySize, byTimeout, cardinality } = declared
  meter.observe(cardinality.name, cardinality.help, { ...own, pipeline }, readCardinality)
  return {
    itemCount: meter.histogram(itemCount.name, itemCount.help, batchItemCountBounds, own),
    byteLength: meter.histogram(byteLength.name, byteLength.help, batchByteLengthBounds, own),
    bySize: meter.counter(bySize.name, bySize.help, own),
    byTimeout: meter.counter(byTimeout.name, byTimeout.help, own),
  }
}
