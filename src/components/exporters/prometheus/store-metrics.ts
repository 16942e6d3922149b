import {
  deltaCounters,
  type DeltaCounters,
  deltaDeclarations,
} from '../../../kit/prometheus/delta-metrics.ts'
import type { MetricDeclaration } from '../../../pipeline/component.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'

const prefix = 'penstock_exporter_prometheus'

const names = {
  sent: 'otelcol_exporter_sent_metric_points',
  failed: 'otelcol_exporter_send_failed_metric_points',
  series: 'penstock_exporter_prometheus_series',
  families: 'penstock_exporter_prometheus_families',
  sources: 'penstock_exporter_prometheus_sources',
  expired: 'penstock_exporter_prometheus_expired_series',
  overflow: 'penstock_exporter_prometheus_overflow_points',
  conflicts: 'penstock_exporter_prometheus_conflicts',
  collisions: 'penstock_exporter_prometheus_collisions',
  oddTotals: 'penstock_exporter_prometheus_odd_totals',
  leftOut: 'penstock_exporter_prometheus_left_out',
  scrapes: 'penstock_exporter_prometheus_scrapes',
} as const

const help = {
  sent: 'Number of metric points successfully put on the page.',
  failed: 'Number of metric points that could not be put on the page.',
  series: 'Prometheus series that are kept now; each bucket and each quantile is one.',
  families: 'Metric families that are kept now.',
  sources: 'Resources, scopes and metrics that are known now, each counted.',
  expired: 'Series forgotten because nothing came for metric_expiration.',
  overflow: 'Points dropped because their series would have gone beyond max_series.',
  conflicts: 'Metrics that met a family of the same name and another type, help or unit.',
  collisions: 'Points dropped because another source owns their series.',
  oddTotals:
    'Points of monotonic sums below 0 or NaN: they are shown, by OpenMetrics in a family of unknown type.',
  leftOut:
    'Families (by name) and series (by labels) left out of a page because escaping made them others.',
  scrapes: 'Scrapes answered, by result.',
} as const

/** Every one has the exporter's id, since each exporter of this type has a page of its own. */
const declare = (
  key: keyof typeof names,
  kind: MetricDeclaration['kind'],
  ...labels: string[]
): MetricDeclaration => ({
  name: names[key],
  kind,
  help: help[key],
  labels: ['exporter', ...labels],
})

export const declaredMetrics: readonly MetricDeclaration[] = [
  declare('sent', 'counter'),
  declare('failed', 'counter'),
  declare('series', 'gauge'),
  declare('families', 'gauge'),
  declare('sources', 'gauge'),
  declare('expired', 'counter'),
  declare('overflow', 'counter'),
  declare('conflicts', 'counter', 'kind'),
  declare('collisions', 'counter'),
  ...deltaDeclarations(prefix, 'exporter'),
  declare('oddTotals', 'counter'),
  declare('leftOut', 'counter', 'cause'),
  declare('scrapes', 'counter', 'result'),
]

export interface StoreMetrics {
  readonly sent: Counter
  readonly failed: Counter
  readonly expired: Counter
  readonly overflow: Counter
  readonly collisions: Counter
  readonly type: Counter
  readonly help: Counter
  readonly unit: Counter
  readonly oddTotals: Counter
  readonly leftOutName: Counter
  readonly leftOutLabels: Counter
  readonly deltas: DeltaCounters
}

export interface ScrapeCounters {
  readonly complete: Counter
  readonly refused: Counter
  readonly aborted: Counter
  readonly displaced: Counter
}

interface StoreGauges {
  readonly series: () => number
  readonly families: () => number
  readonly sources: () => number
  readonly deltaStreams: () => number
}

export function storeMetrics(host: Host, gauges: StoreGauges): StoreMetrics {
  const { id, meter } = host
  const own = { exporter: id }
  for (const key of ['series', 'families', 'sources'] as const) {
    meter.observe(names[key], help[key], own, gauges[key])
  }
  const counter = (key: keyof typeof names, labels: Record<string, string> = {}) =>
    meter.counter(names[key], help[key], { ...own, ...labels })
  return {
    sent: counter('sent'),
    failed: counter('failed'),
    expired: counter('expired'),
    overflow: counter('overflow'),
    collisions: counter('collisions'),
    type: counter('conflicts', { kind: 'type' }),
    help: counter('conflicts', { kind: 'help' }),
    unit: counter('conflicts', { kind: 'unit' }),
    oddTotals: counter('oddTotals'),
    leftOutName: counter('leftOut', { cause: 'name' }),
    leftOutLabels: counter('leftOut', { cause: 'labels' }),
    deltas: deltaCounters(host, { prefix, owner: 'exporter' }, gauges.deltaStreams),
  }
}

export function scrapeCounters({ id, meter }: Host): ScrapeCounters {
  const counter = (result: string) =>
    meter.counter(names.scrapes, help.scrapes, { exporter: id, result })
  return {
    complete: counter('complete'),
    refused: counter('refused'),
    aborted: counter('aborted'),
    displaced: counter('displaced'),
  }
}
