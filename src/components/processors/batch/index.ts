import { z } from 'zod'
import { duration, section, text } from '../../../config/schema.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { type ConfigProblem, defineProcessor } from '../../../pipeline/component.ts'
import { batchMetrics } from './batch-metrics.ts'
import { BatchProcessor } from './batch-processor.ts'

const itemCount = () =>
  z
    .int()
    .min(0)
    .max(2 ** 32 - 1)

const config = section({
  timeout: duration()
    .prefault('200ms')
    .describe(
      'How long items may wait for others, counted from the first. 0 sends at once, so that only ' +
        'send_batch_max_size applies.',
    ),
  send_batch_size: itemCount()
    .default(8192)
    .describe(
      'Spans, data points or log records that make a batch go before its time. A trigger, not a cap. 0 sends at once.',
    ),
  send_batch_max_size: itemCount()
    .default(0)
    .describe('The most items a batch may have; larger ones are split exactly there. 0 is no cap.'),
  metadata_keys: z
    .array(text().min(1))
    .default([])
    .describe(
      'Client metadata to batch by: each combination of values has batches of its own, which keep them. Needs include_metadata at the receiver. All other metadata ends here.',
    ),
  metadata_cardinality_limit: itemCount()
    .default(1000)
    .describe(
      'The most combinations of metadata values; a sender with a further one is refused for good. 0 is no limit.',
    ),
  wait_for_export: z
    .boolean()
    .default(false)
    .describe(
      'Answer senders only once the next component has taken the batches that hold their items, and with its answer: a request cut into more pieces than that has room for is refused each time. Off, they are answered at once, as by the Collector.',
    ),
})

function check(settings: z.output<typeof config>): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const { send_batch_size, send_batch_max_size, metadata_keys } = settings
  if (send_batch_max_size > 0 && send_batch_max_size < send_batch_size) {
    problems.push({
      path: ['send_batch_max_size'],
      message: `must be 0 or at least send_batch_size (${send_batch_size})`,
    })
  }
  const seen = new Set<string>()
  for (const [index, key] of metadata_keys.entries()) {
    if (seen.has(key.toLowerCase())) {
      const message = `repeats ${key}: header names are the same in upper and lower case`
      problems.push({ path: ['metadata_keys', index], message })
    }
    seen.add(key.toLowerCase())
  }
  return problems
}

export const batch = defineProcessor({
  type: 'batch',
  summary: 'Gathers items into larger batches, by count and by time.',
  stability: 'beta',
  signals: signalNames,
  config,
  check,
  metrics: batchMetrics,
  examples: [
    { title: 'The defaults', yaml: '{}\n' },
    {
      title: 'For a backend that takes at most 10000 items a request',
      yaml: 'timeout: 1s\nsend_batch_size: 8192\nsend_batch_max_size: 10000\n',
    },
    {
      title: 'A batch a tenant',
      yaml: 'metadata_keys: [x-tenant-id]\nmetadata_cardinality_limit: 100\n',
    },
    { title: 'Answer senders only after delivery', yaml: 'wait_for_export: true\n' },
  ],
  create: (settings, host) => new BatchProcessor(settings, host),
})
