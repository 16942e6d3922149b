import { z } from 'zod'
import { byteSize, duration, namesTo, section, text, unsupported } from '../../../config/schema.ts'
import { clientAuthSettings } from '../../../kit/auth/auth-settings.ts'
import { httpClientProblems, httpClientShape, httpUrl } from '../../../kit/http/client-settings.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import { escapesNames } from '../../../kit/prometheus/metric-name.ts'
import {
  labelRules as translationLabelRules,
  strategyOf,
  translationProblems,
} from '../../../kit/prometheus/translation-rules.ts'
import { translationShape } from '../../../kit/prometheus/translation-settings.ts'
import { retryOnFailure } from '../../../kit/retry/retry-settings.ts'
import { authForms } from '../../../pipeline/authenticator.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

export const messageV1 = 'prometheus.WriteRequest'
export const messageV2 = 'io.prometheus.write.v2.Request'

const queueShape = {
  enabled: z
    .boolean()
    .default(true)
    .describe('Answer once a batch is queued, not once it is delivered.'),
  queue_size: z
    .int()
    .positive()
    .default(10_000)
    .describe('Most batches whose samples are not all delivered; further ones are refused.'),
  num_consumers: z
    .int()
    .positive()
    .default(5)
    .describe('Series are dealt out to this many shards; each has one request under way.'),
  min_size: z
    .int()
    .min(0)
    .default(2000)
    .describe('A shard sends once it has this many samples; 0 sends what there is at once.'),
  flush_timeout: duration()
    .prefault('200ms')
    .describe('A shard sends what it has after this long, counted from its first sample.'),
}

const clientShape = {
  endpoint: httpUrl().describe('URL to write to, such as http://prometheus:9090/api/v1/write.'),
  ...httpClientShape({ timeout: '5s' }),
  compression: z
    .enum(['snappy', 'zstd'])
    .default('snappy')
    .describe(
      'Of request bodies. Every server takes snappy; some take zstd too. One that answers 415 gets snappy.',
    ),
  auth: clientAuthSettings(authForms.sharedClient),
  http: unsupported('write its keys beside endpoint'),
  sending_queue: unsupported('the queue of this exporter is remote_write_queue'),
  retry_on_failure: retryOnFailure({ initialInterval: '50ms' }).describe(
    'Waits between attempts. What follows in the same series waits too.',
  ),
  remote_write_queue: section(queueShape).describe('What waits to be sent.'),
  max_batch_size_bytes: byteSize()
    .prefault(3_000_000)
    .describe('Most bytes in a request before compression.'),
  max_batch_request_parallelism: z
    .int()
    .positive()
    .optional()
    .describe('Accepted; remote_write_queue.num_consumers says how much goes on at once.'),
  protobuf_message: z
    .enum([messageV1, messageV2])
    .default(messageV1)
    .describe('Remote write 1.0 or 2.0. A server that does not know 2.0 gets 1.0.'),
  wal: unsupported('a write-ahead log; what waits is held in memory'),
}

const seriesShape = {
  ...translationShape,
  external_labels: namesTo(text()).describe(
    'Labels of every series, where it has none of that name.',
  ),
  send_metadata: z
    .boolean()
    .default(false)
    .describe('Send type, help and unit of each metric once a minute; 2.0 always has them.'),
  disable_scope_info: z.boolean().default(false).describe('Leave out the otel_scope_ labels.'),
  convert_histograms_to_nhcb: z
    .boolean()
    .default(false)
    .describe(
      'Send histograms as native ones with custom buckets, one series each; 2.0 only. A server that takes but 1.0 gets classic series.',
    ),
  target_info: section({
    enabled: z.boolean().default(true).describe('false turns it off.'),
  }).describe('Send the resource attributes as a series of their own.'),
  metric_expiration: duration()
    .prefault('5m')
    .describe('How long a series is remembered after its last point.'),
  max_series: z
    .int()
    .positive()
    .default(1_000_000)
    .describe(
      'Most Prometheus series to remember, at about 400 bytes each, less within a histogram: one of ten buckets is 13, or 4 if it is to have custom buckets; sum and count and each quantile of a summary are one. Points of further ones are dropped and counted.',
    ),
  export_created_metric: unsupported('2.0 carries start times'),
}

export const settings = section({ ...clientShape, ...seriesShape })

export type RemoteWriteSettings = z.output<z.ZodObject<typeof clientShape & typeof seriesShape>>

/** Headers that say what the body is: ours alone. */
export const fixedHeaders = [
  'content-encoding',
  'content-type',
  'x-prometheus-remote-write-version',
] as const

export function checkSettings(config: RemoteWriteSettings): ConfigProblem[] {
  const problems = [...httpClientProblems(config), ...translationProblems(config)]
  if (!escapesNames(strategyOf(config)) && config.protobuf_message === messageV1) {
    const message = `keeps UTF-8 names, for which protobuf_message must be ${messageV2}`
    problems.push({ path: ['translation_strategy'], message })
  }
  if (config.convert_histograms_to_nhcb && config.protobuf_message === messageV1) {
    const message = `needs custom buckets, for which protobuf_message must be ${messageV2}`
    problems.push({ path: ['convert_histograms_to_nhcb'], message })
  }
  for (const name of Object.keys(config.headers)) {
    if (!(fixedHeaders as readonly string[]).includes(name.toLowerCase())) continue
    const message = 'is set by the protocol; this value has no effect'
    problems.push({ path: ['headers', name], message, severity: 'warning' })
  }
  return problems
}

export function labelRules(config: RemoteWriteSettings): LabelRules {
  return translationLabelRules(config, {
    constLabels: config.external_labels,
    scopeInfo: !config.disable_scope_info,
  })
}
