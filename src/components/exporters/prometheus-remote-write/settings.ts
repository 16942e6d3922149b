import assert from 'node:assert/strict'
import { z } from 'zod'
import {
  byteSize,
  duration,
  namesTo,
  section,
  sectionUnlessEmpty,
  text,
  unsupported,
} from '../../../config/schema.ts'
import { isRequired } from '../../../config/explain-issue.ts'
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

/** Other servers have other paths, such as Mimir's /api/v1/push. */
export const writePath = '/api/v1/write'
export const writePathHint = `Prometheus takes remote write at ${writePath}`

const queueSizeDefault = 10_000
const consumersDefault = 5
const batchBytesDefault = 3_000_000

const queueShape = {
  enabled: z
    .boolean()
    .default(true)
    .describe('Answer once a batch is queued, not once it is delivered.'),
  queue_size: z
    .int()
    .min(0)
    .default(queueSizeDefault)
    .describe('Most batches whose samples are not all delivered; further ones are refused.'),
  num_consumers: z
    .int()
    .min(0)
    .default(consumersDefault)
    .transform((count) => (count === 0 ? consumersDefault : count))
    .describe(
      'Series are dealt out to this many shards, 32 neighbours at a time; each has one request under way. 0 means 5.',
    ),
  min_size: z
    .int()
    .min(0)
    .default(2000)
    .describe('A shard sends once it has this many samples; 0 sends what there is at once.'),
  flush_timeout: duration()
    .prefault('200ms')
    .describe('A shard sends what it has after this long, counted from its first sample.'),
}

/** What may stand beside the other settings, as it always did, or under `http`, where the Collector wants it since 0.158. */
const clientShape = {
  ...httpClientShape({ timeout: '5s' }),
  compression: z
    .enum(['snappy', 'zstd', ''])
    .default('snappy')
    .transform((name) => (name === '' ? 'snappy' : name))
    .describe(
      'Of request bodies. Every server takes snappy; some take zstd too. One that answers 415 gets snappy.',
    ),
  auth: clientAuthSettings(authForms.sharedClient),
}

const requestShape = {
  endpoint: httpUrl()
    .optional()
    .describe(
      'URL to write to, such as http://prometheus:9090/api/v1/write. Required here or under http.',
    ),
  ...clientShape,
  http: sectionUnlessEmpty({
    endpoint: httpUrl().describe('URL to write to.'),
    ...clientShape,
  }).describe(
    'Endpoint and client settings, as the Collector has them since 0.158; those beside it then have no effect, but for timeout: the shorter one holds.',
  ),
  sending_queue: unsupported('the queue of this exporter is remote_write_queue'),
  include_metadata_keys: unsupported('one request holds the samples of many senders'),
  retry_on_failure: retryOnFailure({ initialInterval: '50ms' }).describe(
    'Waits between attempts. What follows in the same series waits too.',
  ),
  remote_write_queue: section(queueShape).describe('What waits to be sent.'),
  max_batch_size_bytes: byteSize()
    .prefault(batchBytesDefault)
    .transform((bytes) => (bytes === 0 ? batchBytesDefault : bytes))
    .describe('Most bytes in a request before compression; 0 means 3000000.'),
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
  convert_explicit_histograms_to_nhcb: z
    .boolean()
    .default(false)
    .describe("The Collector's name for convert_histograms_to_nhcb."),
  keep_classic_histograms: unsupported('a histogram is sent in one form'),
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
  export_created_metric: unsupported(
    `delete it; with protobuf_message: ${messageV2} requests carry start times`,
  ),
}

export const settings = section({ ...requestShape, ...seriesShape })

export type WrittenSettings = z.output<z.ZodObject<typeof requestShape & typeof seriesShape>>

/** The settings with those of `http` in their places. */
export type RemoteWriteSettings = Omit<WrittenSettings, 'endpoint' | 'http'> & {
  readonly endpoint: string
}

/** What a configuration without errors means. */
export function effectiveSettings({ http, ...beside }: WrittenSettings): RemoteWriteSettings {
  const convert_histograms_to_nhcb = convertsHistograms(beside)
  const endpoint = http?.endpoint ?? beside.endpoint
  assert(endpoint !== undefined, 'an endpoint is required')
  const timeouts = [beside.timeout, http?.timeout ?? 0].filter((timeout) => timeout > 0)
  const timeout = timeouts.length === 0 ? 0 : Math.min(...timeouts)
  const queue = beside.remote_write_queue
  const remote_write_queue = { ...queue, queue_size: queue.queue_size || queueSizeDefault }
  return { ...beside, ...http, endpoint, timeout, remote_write_queue, convert_histograms_to_nhcb }
}

function convertsHistograms(
  config: Pick<
    WrittenSettings,
    'convert_histograms_to_nhcb' | 'convert_explicit_histograms_to_nhcb'
  >,
): boolean {
  return config.convert_histograms_to_nhcb || config.convert_explicit_histograms_to_nhcb
}

/** Headers that say what the body is: ours alone. */
export const fixedHeaders = [
  'content-encoding',
  'content-type',
  'x-prometheus-remote-write-version',
] as const

export function checkSettings(config: WrittenSettings): ConfigProblem[] {
  const { http } = config
  const client = http ?? config
  const problems = [...under(http, httpClientProblems(client)), ...translationProblems(config)]
  if (client.endpoint === undefined) problems.push({ path: ['endpoint'], message: isRequired })
  if (http !== undefined && config.endpoint !== undefined) {
    const message = 'has no effect beside http; remove it'
    problems.push({ path: ['endpoint'], message, severity: 'warning' })
  }
  if (client.endpoint !== undefined && new URL(client.endpoint).pathname === '/') {
    const message = `has no path; ${writePathHint}`
    problems.push(...under(http, [{ path: ['endpoint'], message, severity: 'warning' }]))
  }
  const { enabled, queue_size } = config.remote_write_queue
  if (enabled && queue_size === 0) {
    const message = 'must be more than 0 for a queue that is on'
    problems.push({ path: ['remote_write_queue', 'queue_size'], message })
  }
  if (!escapesNames(strategyOf(config)) && config.protobuf_message === messageV1) {
    const message = `keeps UTF-8 names, for which protobuf_message must be ${messageV2}`
    problems.push({ path: ['translation_strategy'], message })
  }
  if (convertsHistograms(config) && config.protobuf_message === messageV1) {
    const message = `needs custom buckets, for which protobuf_message must be ${messageV2}`
    const key = config.convert_histograms_to_nhcb
      ? 'convert_histograms_to_nhcb'
      : 'convert_explicit_histograms_to_nhcb'
    problems.push({ path: [key], message })
  }
  const names = Object.keys(client.headers)
  const taken = names.filter((name) => fixedHeaders.some((fixed) => fixed === name.toLowerCase()))
  const ineffective = taken.map((name): ConfigProblem => {
    const message = 'is set by the protocol; this value has no effect'
    return { path: ['headers', name], message, severity: 'warning' }
  })
  return [...problems, ...under(http, ineffective)]
}

/** Problems of client settings where they stand. */
function under(http: WrittenSettings['http'], problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.map(({ path, ...rest }) => ({
    ...rest,
    path: http === undefined ? path : ['http', ...path],
  }))
}

export function labelRules(config: RemoteWriteSettings): LabelRules {
  return translationLabelRules(config, {
    constLabels: config.external_labels,
    scopeInfo: !config.disable_scope_info,
  })
}
