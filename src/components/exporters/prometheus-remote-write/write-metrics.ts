import {
  deltaCounters,
  type DeltaCounters,
  deltaDeclarations,
} from '../../../kit/prometheus/delta-metrics.ts'
import { shownUrl } from '../../../kit/http/shown-url.ts'
import type { MetricDeclaration } from '../../../pipeline/component.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'

const prefix = 'penstock_exporter_prometheusremotewrite'

/** The Collector's names where it has them. */
const names = {
  sent: 'otelcol_exporter_sent_metric_points',
  failed: 'otelcol_exporter_send_failed_metric_points',
  enqueueFailed: 'otelcol_exporter_enqueue_failed_metric_points',
  queueSize: 'otelcol_exporter_queue_size',
  queueCapacity: 'otelcol_exporter_queue_capacity',
  inFlight: 'otelcol_exporter_in_flight_requests',
  translated: 'otelcol_exporter_prometheusremotewrite_translated_time_series',
  failedTranslations: 'otelcol_exporter_prometheusremotewrite_failed_translations',
  sentBatches: 'otelcol_exporter_prometheusremotewrite_sent_batches',
  consumers: 'otelcol_exporter_prometheusremotewrite_consumers',
  samples: 'otelcol_exporter_prometheusremotewrite_written_samples',
  histograms: 'otelcol_exporter_prometheusremotewrite_written_histograms',
  exemplars: 'otelcol_exporter_prometheusremotewrite_written_exemplars',
  rejected: 'penstock_exporter_prometheusremotewrite_rejected_samples',
  series: 'penstock_exporter_prometheusremotewrite_series',
  sources: 'penstock_exporter_prometheusremotewrite_sources',
  expired: 'penstock_exporter_prometheusremotewrite_expired_series',
  collisions: 'penstock_exporter_prometheusremotewrite_collisions',
  undated: 'penstock_exporter_prometheusremotewrite_undated_points',
  fallbacks: 'penstock_exporter_prometheusremotewrite_fallbacks',
} as const

type Key = keyof typeof names

const help: Readonly<Record<Key, string>> = {
  sent: 'Number of metric points successfully sent to the destination.',
  failed: 'Number of metric points that could not be translated or sent.',
  enqueueFailed: 'Number of metric points that the queue did not take.',
  queueSize: 'Batches whose samples are not all delivered, what is being sent included.',
  queueCapacity: 'Most such batches.',
  inFlight: 'Requests being sent now, waits between retries included.',
  translated: 'Samples made of points.',
  failedTranslations: 'Points of which no sample could be made.',
  sentBatches: 'Requests that the server took.',
  consumers: 'Shards: requests that may be under way at once.',
  samples: 'Samples that the server took.',
  histograms: 'Native histograms that the server took.',
  exemplars: 'Exemplars that the server took.',
  rejected:
    'Samples that the server refused for good, by the cause it gave; not_isolated only together with others.',
  series: 'Prometheus series that are remembered now; each bucket and each quantile is one.',
  sources: 'Resources, scopes and metrics that are known now, each counted.',
  expired: 'Series forgotten because nothing came for metric_expiration.',
  collisions: 'Points dropped because another source feeds their series.',
  undated: 'Points without a time, sent with that of their receipt.',
  fallbacks: 'Times that 2.0 was given up for 1.0 or zstd for snappy, each at most once a start.',
}

/** Why a server refused a sample, as far as its answer tells; not_isolated were refused only together with others. */
export const rejectionCauses = [
  'out_of_order',
  'duplicate_timestamp',
  'out_of_bounds',
  'invalid_labels',
  'native_histograms_disabled',
  'not_isolated',
  'other',
] as const

export type RejectionCause = (typeof rejectionCauses)[number]

const gauges: ReadonlySet<Key> = new Set([
  'queueSize',
  'queueCapacity',
  'inFlight',
  'consumers',
  'series',
  'sources',
])
const extraLabels: Readonly<Partial<Record<Key, string>>> = {
  queueSize: 'data_type',
  queueCapacity: 'data_type',
  inFlight: 'data_type',
  rejected: 'cause',
}

/** The Collector's metrics of this exporter alone say where it writes. */
function namesEndpoint(key: Key): boolean {
  return names[key].startsWith('otelcol_exporter_prometheusremotewrite_')
}

export const declaredMetrics: readonly MetricDeclaration[] = [
  ...(Object.keys(names) as Key[]).map((key) => ({
    name: names[key],
    kind: gauges.has(key) ? ('gauge' as const) : ('counter' as const),
    help: help[key],
    labels: [
      'exporter',
      ...(namesEndpoint(key) ? ['endpoint'] : []),
      ...(extraLabels[key] === undefined ? [] : [extraLabels[key]]),
    ],
  })),
  ...deltaDeclarations(prefix, 'exporter'),
]

type Counted = Exclude<
  Key,
  'queueSize' | 'queueCapacity' | 'inFlight' | 'consumers' | 'series' | 'sources'
>

export type WriteMetrics = Readonly<Record<Exclude<Counted, 'rejected'>, Counter>> & {
  readonly deltas: DeltaCounters
  readonly rejected: Readonly<Record<RejectionCause, Counter>>
}

export interface WriteGauges {
  readonly queueSize: () => number
  readonly queueCapacity: () => number
  readonly inFlight: () => number
  readonly consumers: () => number
  readonly series: () => number
  readonly sources: () => number
  readonly deltaStreams: () => number
}

export function writeMetrics(host: Host, gauges: WriteGauges, endpoint: string): WriteMetrics {
  const whereTo = { endpoint: shownUrl(endpoint) }
  const { id, meter } = host
  const { deltaStreams, ...read } = gauges
  for (const key of Object.keys(read) as (keyof typeof read)[]) {
    const labels = {
      exporter: id,
      ...(namesEndpoint(key) && whereTo),
      ...(extraLabels[key] && { [extraLabels[key]]: 'metrics' }),
    }
    meter.observe(names[key], help[key], labels, read[key])
  }
  const counter = (key: Key, labels: Record<string, string> = {}) =>
    meter.counter(names[key], help[key], {
      exporter: id,
      ...(namesEndpoint(key) && whereTo),
      ...labels,
    })
  return {
    sent: counter('sent'),
    failed: counter('failed'),
    enqueueFailed: counter('enqueueFailed'),
    translated: counter('translated'),
    failedTranslations: counter('failedTranslations'),
    sentBatches: counter('sentBatches'),
    samples: counter('samples'),
    histograms: counter('histograms'),
    exemplars: counter('exemplars'),
    expired: counter('expired'),
    collisions: counter('collisions'),
    undated: counter('undated'),
    fallbacks: counter('fallbacks'),
    deltas: deltaCounters(host, { prefix, owner: 'exporter' }, deltaStreams),
    rejected: Object.fromEntries(
      rejectionCauses.map((cause) => [cause, counter('rejected', { cause })]),
    ) as Record<RejectionCause, Counter>,
  }
}
