import {
  deltaCounters,
  type DeltaCounters,
  deltaDeclarations,
} from '../../../kit/prometheus/delta-metrics.ts'
import type { DeltaLimits } from '../../../kit/prometheus/delta-streams.ts'
import type { MetricDeclaration } from '../../../pipeline/component.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'

const prefix = 'penstock_processor_deltatocumulative'

/** The Collector's names; those of its `datapoints` that were added have an empty error. */
const datapoints = {
  name: 'otelcol_deltatocumulative_datapoints',
  kind: 'counter',
  help: 'Delta points processed; `error` says why one was dropped.',
  labels: ['processor', 'error'],
} as const
const gauges = {
  tracked: {
    name: 'otelcol_deltatocumulative_streams_tracked',
    kind: 'gauge',
    help: 'Delta streams that are added up now.',
    labels: ['processor'],
  },
  limit: {
    name: 'otelcol_deltatocumulative_streams_limit',
    kind: 'gauge',
    help: 'Most delta streams that are added up: max_streams.',
    labels: ['processor'],
  },
  maxStale: {
    name: 'otelcol_deltatocumulative_streams_max_stale',
    kind: 'gauge',
    help: 'Seconds after which a stream is forgotten: max_stale.',
    labels: ['processor'],
  },
} as const

export const conversionDeclarations: readonly MetricDeclaration[] = [
  datapoints,
  ...Object.values(gauges),
  ...deltaDeclarations(prefix, 'processor'),
]

export interface ConversionMetrics {
  readonly deltas: DeltaCounters
  readonly added: Counter
  readonly dropped: (error: string, pointCount: number) => void
}

export function conversionMetrics(
  host: Host,
  limits: DeltaLimits,
  streamCount: () => number,
): ConversionMetrics {
  const { id, meter } = host
  const own = { processor: id }
  const { tracked, limit, maxStale } = gauges
  meter.observe(tracked.name, tracked.help, own, streamCount)
  meter.observe(limit.name, limit.help, own, () => limits.max_streams)
  meter.observe(maxStale.name, maxStale.help, own, () => limits.max_stale / 1000)
  const counter = (error: string) =>
    meter.counter(datapoints.name, datapoints.help, { ...own, error })
  return {
    deltas: deltaCounters(host, { prefix, owner: 'processor' }, streamCount),
    added: counter(''),
    dropped: (error, pointCount) => counter(error).add(pointCount),
  }
}
