import { z } from 'zod'
import {
  duration,
  optionalSection,
  removed,
  section,
  text,
  unsupported,
} from '../../config/schema.ts'

/** `sending_queue.batch`, when it is on. */
export interface QueueBatchSettings {
  /** In milliseconds, counted from the first item. */
  readonly flush_timeout: number
  readonly min_size: number
  /** 0 means no limit. */
  readonly max_size: number
  readonly sizer: 'items' | 'bytes'
  readonly partition: { readonly metadata_keys: readonly string[] }
}

/** `sending_queue` as every exporter has it. */
export interface QueueSettings {
  readonly enabled: boolean
  readonly num_consumers: number
  readonly queue_size: number
  readonly sizer: 'requests' | 'items' | 'bytes'
  readonly block_on_overflow: boolean
  readonly wait_for_result: boolean
  readonly batch?: QueueBatchSettings | undefined
}

/** The setting group with the Collector's rules; some exporters have it off by default. */
export function sendingQueue({ isOnByDefault = true } = {}) {
  return section({
    enabled: z
      .boolean()
      .default(isOnByDefault)
      .describe('Answer once a batch is queued, not once it is delivered.'),
    num_consumers: z
      .number()
      .int()
      .positive()
      .default(10)
      .describe('How many requests are under way at once, for each signal.'),
    queue_size: z
      .number()
      .int()
      .positive()
      .default(1000)
      .describe('Capacity for each signal, counted by `sizer`; what is being sent counts.'),
    sizer: z
      .enum(['requests', 'items', 'bytes'])
      .optional()
      .describe('Unit of queue_size; requests when absent.'),
    block_on_overflow: z
      .boolean()
      .default(false)
      .describe('Let the caller wait for room, where it would be refused.'),
    wait_for_result: z
      .boolean()
      .default(false)
      .describe('Answer only once the batch is delivered, or refused for good.'),
    blocking: removed('use block_on_overflow'),
    storage: unsupported('a queue on disk; the queue is held in memory'),
    batch: optionalSection(batchShape).describe('Merge queued batches before they are sent.'),
  })
    .superRefine((settings, context) => {
      if (settings.batch === undefined) return
      const batchSizer = batchSizerOf(settings.batch.sizer, settings.sizer)
      for (const [key, message] of brokenBatchRules(settings.batch)) {
        context.addIssue({ code: 'custom', path: ['batch', ...key.split('.')], message })
      }
      const isSameSizer = batchSizer === (settings.sizer ?? 'requests')
      if (isSameSizer && settings.batch.min_size > settings.queue_size) {
        const message = `must be at most sending_queue.queue_size (${settings.queue_size})`
        context.addIssue({ code: 'custom', path: ['batch', 'min_size'], message })
      }
    })
    .transform((settings): QueueSettings => {
      const { sizer, batch, ...rest } = settings
      const batchSizer = batchSizerOf(batch?.sizer, sizer)
      return {
        ...rest,
        sizer: sizer ?? 'requests',
        batch: batch === undefined ? undefined : { ...batch, sizer: batchSizer },
      }
    })
}

/** A batch's own sizer, else the queue's where a batch can have it. */
function batchSizerOf(own?: 'items' | 'bytes', queues?: QueueSettings['sizer']) {
  return own ?? (queues === 'bytes' ? 'bytes' : 'items')
}

const batchShape = {
  flush_timeout: duration()
    .prefault('200ms')
    .describe('Send what there is after this long, counted from the first item.'),
  min_size: z.number().int().min(0).default(8192).describe('Send once this much is there.'),
  max_size: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('Split so that no request is larger; 0 means no limit.'),
  sizer: z
    .enum(['items', 'bytes'])
    .optional()
    .describe("Unit of min_size and max_size; the queue's sizer when that is given, else items."),
  min_size_items: removed('use min_size'),
  max_size_items: removed('use max_size'),
  partition: section({
    metadata_keys: z
      .array(text())
      .default([])
      .describe('Client metadata whose values must agree within a request.'),
  }).describe('What keeps batches apart.'),
}

interface BatchInput {
  readonly flush_timeout: number
  readonly min_size: number
  readonly max_size: number
  readonly partition: { readonly metadata_keys: readonly string[] }
}

function brokenBatchRules(batch: BatchInput): [path: string, message: string][] {
  const broken: [string, string][] = []
  if (batch.flush_timeout <= 0) broken.push(['flush_timeout', 'must be more than 0'])
  if (batch.max_size !== 0 && batch.max_size < batch.min_size) {
    broken.push(['max_size', `must be 0 or at least min_size (${batch.min_size})`])
  }
  const keys = batch.partition.metadata_keys.map((key) => key.toLowerCase())
  const twice = keys.find((key, index) => keys.indexOf(key) !== index)
  if (twice !== undefined) {
    broken.push(['partition.metadata_keys', `must name each key once, got ${twice} twice`])
  }
  return broken
}
