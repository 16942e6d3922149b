import type { Counter, Meter } from '../../../pipeline/meter.ts'
import type { MetricDeclaration } from '../../../pipeline/component.ts'

const names = {
  series: 'penstock_exporter_prometheus_series',
  families: 'penstock_exporter_prometheus_families',
  sources: 'penstock_exporter_prometheus_sources',
  expired: 'penstock_exporter_prometheus_expired_series',
  overflow: 'penstock_exporter_prometheus_overflow_points',
  conflicts: 'penstock_exporter_prometheus_conflicts',
  collisions: 'penstock_exporter_prometheus_collisions',
  deltas: 'penstock_exporter_prometheus_delta_points',
  scrapes: 'penstock_exporter_prometheus_scrapes',
} as const

const help = {
  series: 'Series that are kept now.',
  families: 'Metric families that are kept now.',
  sources: 'Resources, scopes and metrics that are known now, each counted.',
  expired: 'Series forgotten because nothing came for metric_expiration.',
  overflow: 'Points of new series dropped because max_series was reached.',
  conflicts: 'Metrics that met a family of the same name and another type or help.',
  collisions: 'Points dropped because another source owns their series.',
  deltas: 'Delta points by how their start met the end of what was accumulated.',
  scrapes: 'Scrapes answered, by result.',
} as const

export const declaredMetrics: readonly MetricDeclaration[] = [
  { name: names.series, kind: 'gauge', help: help.series },
  { name: names.families, kind: 'gauge', help: help.families },
  { name: names.sources, kind: 'gauge', help: help.sources },
  { name: names.expired, kind: 'counter', help: help.expired },
  { name: names.overflow, kind: 'counter', help: help.overflow },
  { name: names.conflicts, kind: 'counter', help: help.conflicts, labels: ['kind'] },
  { name: names.collisions, kind: 'counter', help: help.collisions },
  { name: names.deltas, kind: 'counter', help: help.deltas, labels: ['start'] },
  { name: names.scrapes, kind: 'counter', help: help.scrapes, labels: ['result'] },
]

/** Deltas added whose start was the end of what we had, left a gap behind it, or reached back before it. */
export interface DeltaCounters {
  readonly aligned: Counter
  readonly gap: Counter
  readonly overlap: Counter
}

export interface StoreMetrics {
  readonly sent: Counter
  readonly expired: Counter
  readonly overflow: Counter
  readonly collisions: Counter
  readonly type: Counter
  readonly help: Counter
  readonly deltas: DeltaCounters
}

export interface ScrapeCounters {
  readonly complete: Counter
  readonly refused: Counter
  readonly aborted: Counter
}

interface StoreGauges {
  readonly series: () => number
  readonly families: () => number
  readonly sources: () => number
}

export function storeMetrics(meter: Meter, gauges: StoreGauges): StoreMetrics {
  meter.observe(names.series, help.series, {}, gauges.series)
  meter.observe(names.families, help.families, {}, gauges.families)
  meter.observe(names.sources, help.sources, {}, gauges.sources)
  const delta = (start: string) => meter.counter(names.deltas, help.deltas, { start })
  const conflict = (kind: string) => meter.counter(names.conflicts, help.conflicts, { kind })
  return {
    sent: meter.counter(
      'otelcol_exporter_sent_metric_points',
      'Number of metric points successfully sent to destination.',
    ),
    expired: meter.counter(names.expired, help.expired),
    overflow: meter.counter(names.overflow, help.overflow),
    collisions: meter.counter(names.collisions, help.collisions),
    type: conflict('type'),
    help: conflict('help'),
    deltas: { aligned: delta('aligned'), gap: delta('gap'), overlap: delta('overlap') },
  }
}

export function scrapeCounters(meter: Meter): ScrapeCounters {
  const counter = (result: string) => meter.counter(names.scrapes, help.scrapes, { result })
  return {
    complete: counter('complete'),
    refused: counter('refused'),
    aborted: counter('aborted'),
  }
}
