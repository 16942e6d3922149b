/**
 * What a component is: one declaration, from which come validation, types, JSON Schema, the reference page, `penstock
 * components`, redaction and a place in the conformance suite. Nothing here runs anything.
 */
import type { z } from 'zod'
import type { Signal } from '../otlp/signal.ts'
import type { AuthSides } from './authenticator.ts'
import type { Consumer } from './consumer.ts'
import type { ConnectorHost, ExporterHost, Host, ProcessorHost, ReceiverHost } from './host.ts'

export type Stability = 'stable' | 'beta' | 'alpha' | 'development'

/** The life of a component: start, then stop once, also where start failed. Both may be absent where there is nothing to do. */
export interface Component {
  /** Settles once the component works; rejects when it cannot (a port in use). */
  start?(): void | Promise<void>
  /**
   * Takes nothing new, hands on or finishes what it holds, and releases every listener and timer. Settles by the time
   * `deadline` aborts, at the latest.
   */
  stop?(deadline: AbortSignal): void | Promise<void>
}

export type Receiver = Component
export type Processor = Component & Consumer
export type Exporter = Component & Consumer
export type Connector = Component & Consumer
export type Extension = Component

/** A problem that a schema alone cannot see. `path` leads to the value, from the component's own section. */
export interface ConfigProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly severity?: 'error' | 'warning'
}

/** An address that a component will listen on, so that two on one port are found before start. */
export interface Listen {
  readonly path: readonly (string | number)[]
  /** host:port as configured. */
  readonly endpoint: string
  readonly transport: 'tcp' | 'udp'
}

/** A metric that a component records itself, for the reference page. */
export interface MetricDeclaration {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels?: readonly string[]
  /** The least `service.telemetry.metrics.level` that shows it; basic unless said. */
  readonly level?: MetricLevel
}

export const metricLevels = ['none', 'basic', 'normal', 'detailed'] as const
export type MetricLevel = (typeof metricLevels)[number]

/** A documented example: YAML of the component's own section. Every one is loaded by a test. */
export interface Example {
  readonly title: string
  readonly yaml: string
}

interface Declaration<Schema extends z.ZodType> {
  /** The present name, such as `otlp_http`. */
  readonly type: string
  /** Older or other spellings that configurations still use, such as `otlphttp`. */
  readonly aliases?: readonly string[]
  /** One sentence. */
  readonly summary: string
  readonly stability: Stability
  readonly config: Schema
  /**
   * What the schema cannot see. `signals` are those of the pipelines that name the component: a setting may fit some
   * signals only, and one that some pipeline needs may be missing.
   */
  readonly check?: (
    config: z.output<Schema>,
    signals: ReadonlySet<Signal>,
  ) => readonly ConfigProblem[]
  readonly listens?: (config: z.output<Schema>) => readonly Listen[]
  readonly metrics?: readonly MetricDeclaration[]
  readonly examples: readonly Example[]
}

export interface ReceiverDeclaration<
  Schema extends z.ZodType = z.ZodType,
> extends Declaration<Schema> {
  readonly kind: 'receiver'
  readonly signals: readonly Signal[]
  /** One instance an id, shared by every pipeline that names it. */
  readonly create: (config: z.output<Schema>, host: ReceiverHost) => Receiver
}

export interface ProcessorDeclaration<
  Schema extends z.ZodType = z.ZodType,
> extends Declaration<Schema> {
  readonly kind: 'processor'
  readonly signals: readonly Signal[]
  /** One instance for each pipeline. */
  readonly create: (config: z.output<Schema>, host: ProcessorHost) => Processor
}

export interface ExporterDeclaration<
  Schema extends z.ZodType = z.ZodType,
> extends Declaration<Schema> {
  readonly kind: 'exporter'
  readonly signals: readonly Signal[]
  /** One instance an id; `batch.signal` tells the signals apart. */
  readonly create: (config: z.output<Schema>, host: ExporterHost) => Exporter
}

export interface ConnectorDeclaration<
  Schema extends z.ZodType = z.ZodType,
> extends Declaration<Schema> {
  readonly kind: 'connector'
  /** Which signal in can become which signal out. */
  readonly routes: readonly (readonly [from: Signal, to: Signal])[]
  /** One instance an id. */
  readonly create: (config: z.output<Schema>, host: ConnectorHost) => Connector
}

export interface ExtensionDeclaration<
  Schema extends z.ZodType = z.ZodType,
> extends Declaration<Schema> {
  readonly kind: 'extension'
  /** Of an authenticator: the sides it has with these settings. What `create` gives is an Authenticator then. */
  readonly authenticates?: (config: z.output<Schema>) => AuthSides
  readonly create: (config: z.output<Schema>, host: Host) => Extension
}

export type ComponentDeclaration =
  | ReceiverDeclaration
  | ProcessorDeclaration
  | ExporterDeclaration
  | ConnectorDeclaration
  | ExtensionDeclaration

export type ComponentKind = ComponentDeclaration['kind']

/** Every component this build has, by kind. An explicit list: nothing registers itself. */
export interface Catalog {
  readonly receivers: readonly ReceiverDeclaration[]
  readonly processors: readonly ProcessorDeclaration[]
  readonly exporters: readonly ExporterDeclaration[]
  readonly connectors: readonly ConnectorDeclaration[]
  readonly extensions: readonly ExtensionDeclaration[]
}

type Plain<D> = Omit<D, 'kind'>

export function defineReceiver<Schema extends z.ZodType>(
  declaration: Plain<ReceiverDeclaration<Schema>>,
): ReceiverDeclaration {
  return { kind: 'receiver', ...declaration } as unknown as ReceiverDeclaration
}

export function defineProcessor<Schema extends z.ZodType>(
  declaration: Plain<ProcessorDeclaration<Schema>>,
): ProcessorDeclaration {
  return { kind: 'processor', ...declaration } as unknown as ProcessorDeclaration
}

export function defineExporter<Schema extends z.ZodType>(
  declaration: Plain<ExporterDeclaration<Schema>>,
): ExporterDeclaration {
  return { kind: 'exporter', ...declaration } as unknown as ExporterDeclaration
}

export function defineConnector<Schema extends z.ZodType>(
  declaration: Plain<ConnectorDeclaration<Schema>>,
): ConnectorDeclaration {
  return { kind: 'connector', ...declaration } as unknown as ConnectorDeclaration
}

export function defineExtension<Schema extends z.ZodType>(
  declaration: Plain<ExtensionDeclaration<Schema>>,
): ExtensionDeclaration {
  return { kind: 'extension', ...declaration } as unknown as ExtensionDeclaration
}
