/** The three signals as data: one code path serves all, told apart by this table of field numbers. */

export type Signal = 'traces' | 'metrics' | 'logs'

export interface SignalTable {
  readonly signal: Signal
  /** The unit that item counts are in: spans, data points, log records. */
  readonly itemNoun: string
  /** The Collector's word in metric names: otelcol_receiver_accepted_{itemName}. */
  readonly itemName: 'spans' | 'metric_points' | 'log_records'
  readonly httpPath: string
  readonly grpcService: string
  /** JSON keys of the three levels, from the request down to the scope's repeated member. */
  readonly jsonKeys: readonly [resources: string, scopes: string, members: string]
  /** JSON name of partial success's count. */
  readonly rejectedKey: string
}

export const signals: Readonly<Record<Signal, SignalTable>> = {
  traces: {
    signal: 'traces',
    itemNoun: 'spans',
    itemName: 'spans',
    httpPath: '/v1/traces',
    grpcService: 'opentelemetry.proto.collector.trace.v1.TraceService',
    jsonKeys: ['resourceSpans', 'scopeSpans', 'spans'],
    rejectedKey: 'rejectedSpans',
  },
  metrics: {
    signal: 'metrics',
    itemNoun: 'data points',
    itemName: 'metric_points',
    httpPath: '/v1/metrics',
    grpcService: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
    jsonKeys: ['resourceMetrics', 'scopeMetrics', 'metrics'],
    rejectedKey: 'rejectedDataPoints',
  },
  logs: {
    signal: 'logs',
    itemNoun: 'log records',
    itemName: 'log_records',
    httpPath: '/v1/logs',
    grpcService: 'opentelemetry.proto.collector.logs.v1.LogsService',
    jsonKeys: ['resourceLogs', 'scopeLogs', 'logRecords'],
    rejectedKey: 'rejectedLogRecords',
  },
}

export const signalNames: readonly Signal[] = ['traces', 'metrics', 'logs']
