import type { Signal } from '../otlp/signal.ts'
import type {
  ConnectorDeclaration,
  ExporterDeclaration,
  ExtensionDeclaration,
  MetricLevel,
  ProcessorDeclaration,
  ReceiverDeclaration,
} from '../pipeline/component.ts'

/** A component as configured: its settings parsed and defaulted by its declaration's schema. */
export interface Configured<D> {
  readonly id: string
  readonly declaration: D
  readonly config: unknown
}

export interface CheckedPipeline {
  /** As the user wrote it: `traces` or `traces/eu`. */
  readonly id: string
  readonly signal: Signal
  /** Ids of receivers, or of connectors that end other pipelines. */
  readonly receivers: readonly string[]
  readonly processors: readonly string[]
  /** Ids of exporters, or of connectors that begin other pipelines. */
  readonly exporters: readonly string[]
}

/** Of the lines of one level and text within a tick the first ones are written, then one in so many. */
export interface LogSampling {
  readonly tickMs: number
  readonly initial: number
  /** 0 means none. */
  readonly thereafter: number
}

export interface CheckedTelemetry {
  readonly logs: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal'
    readonly encoding: 'console' | 'json'
    readonly initialFields: Readonly<Record<string, unknown>>
    /** Undefined when every line is written. */
    readonly sampling?: LogSampling
  }
  readonly metrics: {
    readonly level: MetricLevel
    /** Where the Prometheus page of own metrics is served: host:port each; empty when none. */
    readonly pullEndpoints: readonly string[]
  }
  /** Attributes of the gateway itself, for target_info; null removes one it would have by itself. */
  readonly resource: Readonly<Record<string, string | null>>
}

/** A configuration without errors. Only used components and those worth a warning are in here; only used ones run. */
export interface CheckedConfig {
  readonly receivers: ReadonlyMap<string, Configured<ReceiverDeclaration>>
  readonly processors: ReadonlyMap<string, Configured<ProcessorDeclaration>>
  readonly exporters: ReadonlyMap<string, Configured<ExporterDeclaration>>
  readonly connectors: ReadonlyMap<string, Configured<ConnectorDeclaration>>
  readonly extensions: ReadonlyMap<string, Configured<ExtensionDeclaration>>
  /** Extensions to run, each after those it asks something of. */
  readonly extensionIds: readonly string[]
  readonly pipelines: readonly CheckedPipeline[]
  readonly telemetry: CheckedTelemetry
  readonly shutdownTimeoutMs: number
}
