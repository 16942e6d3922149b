import type { Signal } from '../otlp/signal.ts'
import type { Clock, Disk, Env, Random } from '../platform/platform.ts'
import type { Consumer } from './consumer.ts'
import type { Meter } from './meter.ts'

/** Structured logging in pino's call shape: fields first, then the sentence. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/**
 * Every byte of telemetry the process answers for. A receiver holds a request's bytes from its first byte until its
 * consume has settled; whoever keeps a batch beyond that (batch, queue) holds its bytes for as long as it does.
 */
export interface MemoryLedger {
  readonly heldBytes: number
  /** Resident set size, sampled about every 100 ms. */
  readonly rssBytes: number
  /** Resident set size when the ledger was opened: what the process needs for itself. */
  readonly baseBytes: number
  /** Memory the process may use: the limit of its cgroup, else what the machine has. */
  readonly availableBytes: number
  hold(byteLength: number): void
  release(byteLength: number): void
  /** Bytes that stay after their batch is done, such as what is remembered of series. */
  readonly keptBytes: number
  /** How many of those there may be: half of `availableBytes`, or what a limiter leaves them. */
  readonly keptBytesMax: number
  /** So many more are kept, or fewer. */
  keep(change: number): void
  /** What `owner` leaves for kept bytes, or with undefined that it says nothing any more. The least counts. */
  limitKept(owner: object, byteLength: number | undefined): void
}

/** What the service says of itself, for health pages. */
export interface ServiceStatus {
  readonly isReady: boolean
  /** Why it is not ready, as a sentence; empty when it is. */
  readonly reason: string
  /** Epoch milliseconds since when it has been ready; 0 before. */
  readonly readySinceMs: number
}

/** All that a component can reach. */
export interface Host {
  /** The id as the user wrote it, such as `otlp/tenants`. */
  readonly id: string
  readonly clock: Clock
  readonly random: Random
  readonly disk: Disk
  /** For what by convention is said nowhere else, such as HTTPS_PROXY. */
  readonly env: Env
  readonly log: Logger
  readonly meter: Meter
  readonly memory: MemoryLedger
  readonly status: ServiceStatus
  /** Of this build, for User-Agent and the like. */
  readonly version: string
  /** A running extension by id, such as an Authenticator; undefined when service.extensions does not name it. */
  extension(id: string): unknown
  /** The drop ledger: items this component chose to lose, under a short named cause such as `queue_full`. */
  dropped(signal: Signal, itemCount: number, cause: string): void
  /** Ends the process in good order: for a component that can no longer do its work. */
  fatal(error: Error): void
}

export interface ReceiverHost extends Host {
  /**
   * Where batches of this signal go, or undefined when no pipeline wants them. Counts accepted and refused items
   * under `transport` (the Collector's words: grpc, http ...).
   */
  consumer(signal: Signal, transport: string): Consumer | undefined
}

export interface ProcessorHost extends Host {
  readonly signal: Signal
  /** The pipeline's id, such as `traces/eu`. */
  readonly pipeline: string
  readonly next: Consumer
}

export interface ExporterHost extends Host {
  /** The signals of the pipelines that end here. */
  readonly signals: ReadonlySet<Signal>
}

export interface ConnectorHost extends Host {
  /** The pipelines that begin here, by signal; undefined when none does. */
  next(signal: Signal): Consumer | undefined
}
