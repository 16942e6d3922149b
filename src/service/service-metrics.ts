/** The metrics that the service itself records, whatever its components are, and the Collector's that it has not. */
import { signalNames, signals, type Signal } from '../otlp/signal.ts'
import type { MetricDeclaration } from '../pipeline/component.ts'

interface ServiceMetric extends MetricDeclaration {
  readonly labels: readonly string[]
}

const processorLabels = ['processor', 'otel_signal']
const receiverLabels = ['receiver', 'transport']

/** At the edges of the graph. */
export const edgeMetrics = {
  incoming: {
    name: 'otelcol_processor_incoming_items',
    kind: 'counter',
    help: 'Number of items passed to the processor.',
    labels: processorLabels,
  },
  outgoing: {
    name: 'otelcol_processor_outgoing_items',
    kind: 'counter',
    help: 'Number of items emitted from the processor.',
    labels: processorLabels,
  },
  duration: {
    name: 'otelcol_processor_internal_duration',
    kind: 'histogram',
    help: 'Seconds that a batch kept the processor busy, without what comes after it.',
    labels: processorLabels,
    level: 'detailed',
  },
  refusedUnread: {
    name: 'penstock_receiver_refused_unread_items',
    kind: 'counter',
    help: 'Of the refused items, those of requests that were refused unread: an estimate from their lengths.',
    labels: [...receiverLabels, 'otel_signal'],
  },
  dropped: {
    name: 'penstock_dropped_items',
    kind: 'counter',
    help: 'Items that a component chose to lose, by named cause; a series begins with its first loss.',
    labels: ['component', 'kind', 'otel_signal', 'cause'],
  },
  faults: {
    name: 'penstock_faults',
    kind: 'counter',
    help: 'Impossible states met and survived; each is logged and the batch refused as retryable.',
    labels: [],
  },
} as const satisfies Record<string, ServiceMetric>

const fates = {
  accepted: 'successfully pushed into the pipeline',
  refused:
    'that could not be pushed into the pipeline; estimated where a request was refused unread',
  failed: 'that failed inside the receiver itself; always 0, as in the Collector',
} as const

/** What became of a receiver's items, such as otelcol_receiver_accepted_spans. */
export function receiverItems(fate: keyof typeof fates, signal: Signal): ServiceMetric {
  const { itemName, itemNoun } = signals[signal]
  return {
    name: `otelcol_receiver_${fate}_${itemName}`,
    kind: 'counter',
    help: `Number of ${itemNoun} ${fates[fate]}.`,
    labels: receiverLabels,
  }
}

/** Of the process. */
export const processMetrics = {
  uptime: {
    name: 'otelcol_process_uptime',
    kind: 'counter',
    help: 'Uptime of the process in seconds.',
    labels: [],
  },
  cpu: {
    name: 'otelcol_process_cpu_seconds',
    kind: 'counter',
    help: 'Total CPU user and system time in seconds.',
    labels: [],
  },
  rss: {
    name: 'otelcol_process_memory_rss',
    kind: 'gauge',
    help: 'Total physical memory (resident set size).',
    labels: [],
  },
  heap: {
    name: 'otelcol_process_runtime_heap_alloc_bytes',
    kind: 'gauge',
    help: 'Bytes of allocated JavaScript heap objects.',
    labels: [],
  },
  reserved: {
    name: 'otelcol_process_runtime_total_sys_memory_bytes',
    kind: 'gauge',
    help: 'Bytes of heap and external memory obtained from the operating system.',
    labels: [],
  },
  held: {
    name: 'penstock_memory_held_bytes',
    kind: 'gauge',
    help: 'Bytes of telemetry the process answers for: admitted and not yet delivered, refused or dropped.',
    labels: [],
  },
  kept: {
    name: 'penstock_memory_kept_bytes',
    kind: 'gauge',
    help: 'Bytes that stay after their batch is done, nearly all of them what is remembered of series; estimated.',
    labels: [],
  },
  keptMax: {
    name: 'penstock_memory_kept_limit_bytes',
    kind: 'gauge',
    help: 'How many such bytes there may be: beyond, points of new or larger series are dropped as memory_limit.',
    labels: [],
  },
  loopDelay: {
    name: 'penstock_event_loop_delay_seconds',
    kind: 'histogram',
    help: 'How much later than due a timer ran, ten times a second.',
    labels: [],
  },
  build: {
    name: 'penstock_build_info',
    kind: 'gauge',
    help: 'Always 1; the version is in the labels.',
    labels: ['version'],
  },
} as const satisfies Record<string, ServiceMetric>

export const serviceMetrics: readonly ServiceMetric[] = [
  ...(Object.keys(fates) as (keyof typeof fates)[]).flatMap((fate) =>
    signalNames.map((signal) => receiverItems(fate, signal)),
  ),
  ...Object.values(edgeMetrics),
  ...Object.values(processMetrics),
]

/** The Collector's own metrics that are not here, and why. */
export const absentMetrics: readonly (readonly [names: string, reason: string])[] = [
  [
    'otelcol_process_runtime_total_alloc_bytes',
    'V8 does not count what was ever allocated; `nodejs_gc_duration_seconds` shows what allocation costs.',
  ],
  [
    'http_server_*, http_client_*, rpc_server_*, rpc_client_*',
    'instruments of Go libraries; `otelcol_receiver_requests` and the exporters count requests and items.',
  ],
  [
    'error_type and error_permanent on otelcol_exporter_send_failed_*',
    'the cause of a loss is on `penstock_dropped_items`, the error in the log.',
  ],
  [
    'otelcol.receiver.produced.items and its kin',
    'alpha, behind a gate that is off in the Collector.',
  ],
  ['otelcol_scraper_*', 'nothing scrapes yet.'],
  ['promhttp_metric_handler_errors_total', 'a counter of the Go library that serves the page.'],
]
