/** One configuration, running: starts downstream first, stops upstream first. */
import type { Logger, ServiceStatus } from '../pipeline/host.ts'
import type { Platform, Timer } from '../platform/platform.ts'
import type { CheckedConfig } from './checked-config.ts'
import { buildGraph, type Placed, type Stage } from './graph.ts'
import { ProcessLedger } from './memory-ledger.ts'
import { openLogs } from './own-logs.ts'
import { OwnMetrics } from './own-metrics.ts'
import { shownMetrics } from './metric-levels.ts'
import { describeProcess } from './process-metrics.ts'
import { metricsPageServer } from './metrics-page.ts'

/** How long after its deadline a component that ignores it is waited for. */
const deadlineGraceMs = 500

const pageSettings = 'service.telemetry.metrics.readers or service.telemetry.metrics.address'

export interface ServiceOptions {
  readonly platform: Platform
  readonly version: string
  /** Called when a component can no longer do its work; the process should end in good order. */
  readonly onFatal: (error: Error) => void
  /** In place of stderr, for tests. */
  readonly logs?: { root: Logger; for(fields: Readonly<Record<string, string>>): Logger }
}

export class Service {
  readonly metrics: OwnMetrics
  readonly #config: CheckedConfig
  readonly #options: ServiceOptions
  readonly #logs: { root: Logger; for(fields: Readonly<Record<string, string>>): Logger }
  readonly #memory: ProcessLedger
  readonly #endWatching: () => void
  readonly #status = { isReady: false, reason: 'starting', readySinceMs: 0 }
  readonly #graph: readonly Placed[]
  readonly #started: Placed[] = []

  constructor(config: CheckedConfig, options: ServiceOptions) {
    this.#config = config
    this.#options = options
    this.#logs = options.logs ?? openLogs(config.telemetry.logs, options.platform.clock)
    const { platform } = options
    this.metrics = new OwnMetrics(shownMetrics(config))
    this.#memory = new ProcessLedger(platform.clock, platform.usage)
    this.#endWatching = describeProcess(this.metrics, {
      platform,
      memory: this.#memory,
      version: options.version,
      resource: config.telemetry.resource,
    })
    const graph = buildGraph(config, {
      platform,
      metrics: this.metrics,
      memory: this.#memory,
      status: this.#status,
      version: options.version,
      logFor: (fields) => this.#logs.for(fields),
      fatal: options.onFatal,
    })
    this.#graph = [...this.#pages(), ...graph]
  }

  get log(): Logger {
    return this.#logs.root
  }

  get status(): ServiceStatus {
    return this.#status
  }

  /** Settles once every listener is open; on failure all that had started is stopped again before it rejects. */
  async start(): Promise<void> {
    try {
      for (const placed of this.#graph) await this.#startOne(placed)
    } catch (error) {
      await this.#stopAll()
      throw error
    }
    const { clock } = this.#options.platform
    Object.assign(this.#status, { isReady: true, reason: '', readySinceMs: clock.nowMs() })
    this.log.info(
      { version: this.#options.version },
      'Everything is ready. Begin running and processing data.',
    )
  }

  /** Drains and stops everything within `service.shutdown_timeout`. */
  async stop(): Promise<void> {
    await this.#stopAll()
    this.log.info({}, 'Shutdown complete.')
  }

  async #stopAll(): Promise<void> {
    Object.assign(this.#status, { isReady: false, reason: 'shutting down' })
    const { clock } = this.#options.platform
    const controller = new AbortController()
    const timer = clock.after(this.#config.shutdownTimeoutMs, () => controller.abort())
    await this.#stopStage('receiver', controller.signal)
    // One after the other: what a link flushes must find the next one still open.
    for (const placed of this.#startedIn('middle').toReversed()) {
      await this.#stopOne(placed, controller.signal)
    }
    await this.#stopStage('exporter', controller.signal)
    await this.#stopStage('extension', controller.signal)
    await this.#stopStage('page', controller.signal)
    timer.cancel()
    this.#memory.close()
    this.#endWatching()
    this.#started.length = 0
  }

  /** First to start and last to stop, so that both can be watched. */
  #pages(): Placed[] {
    const { platform } = this.#options
    return this.#config.telemetry.metrics.pullEndpoints.map((endpoint) => ({
      stage: 'page',
      title: `the page of own metrics on ${endpoint} (set by ${pageSettings})`,
      component: metricsPageServer(endpoint, this.metrics, { ...platform, log: this.log }),
    }))
  }

  async #startOne(placed: Placed): Promise<void> {
    // Also one that fails: it may have opened something before it did.
    this.#started.push(placed)
    try {
      await placed.component.start?.()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`failed to start ${placed.title}: ${reason}`, { cause: error })
    }
  }

  async #stopStage(stage: Stage, deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#startedIn(stage).map((placed) => this.#stopOne(placed, deadline)))
  }

  #startedIn(stage: Stage): Placed[] {
    return this.#started.filter((placed) => placed.stage === stage)
  }

  async #stopOne(placed: Placed, deadline: AbortSignal): Promise<void> {
    const overdue = this.#overdue(deadline)
    try {
      await Promise.race([placed.component.stop?.(deadline), overdue.promise])
    } catch (error) {
      this.log.error({ err: error }, `Could not stop ${placed.title} in good order.`)
    } finally {
      overdue.cancel()
    }
  }

  /** A promise that rejects some time after the deadline, for components that do not keep to it. */
  #overdue(deadline: AbortSignal): { promise: Promise<never>; cancel: () => void } {
    const { clock } = this.#options.platform
    const { promise, reject } = Promise.withResolvers<never>()
    let timer: Timer | undefined
    const late = () => {
      const error = new Error('still busy after the deadline')
      timer = clock.after(deadlineGraceMs, () => reject(error))
    }
    if (deadline.aborted) late()
    else deadline.addEventListener('abort', late, { once: true })
    const cancel = () => {
      deadline.removeEventListener('abort', late)
      timer?.cancel()
    }
    return { promise, cancel }
  }
}
