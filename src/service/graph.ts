/** Builds the running graph of a checked configuration, from the far ends back to the receivers. */
import { type Signal, signals } from '../otlp/signal.ts'
import type { Component, ComponentKind, MetricDeclaration } from '../pipeline/component.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import type { Host, Logger, MemoryLedger, ServiceStatus } from '../pipeline/host.ts'
import type { Labels } from '../pipeline/meter.ts'
import type { Platform } from '../platform/platform.ts'
import type { CheckedConfig, CheckedPipeline } from './checked-config.ts'
import { CountingEdge, dropLedger, PipelineHead, ReceiverEdge } from './edges.ts'
import { fanOut } from './fan-out.ts'
import type { OwnMetrics } from './own-metrics.ts'
import { durationBounds, ProcessorTimer } from './processor-timer.ts'
import { edgeMetrics } from './service-metrics.ts'

export interface GraphParts {
  readonly platform: Platform
  readonly metrics: OwnMetrics
  readonly memory: MemoryLedger
  readonly status: ServiceStatus
  readonly version: string
  readonly logFor: (fields: Readonly<Record<string, string>>) => Logger
  readonly fatal: (error: Error) => void
}

export type Stage = 'page' | 'extension' | 'exporter' | 'middle' | 'receiver'

/** A component of the graph, in the order of creation: downstream before upstream, extensions first. */
export interface Placed {
  readonly stage: Stage
  /** For messages: `"otlp" receiver`. */
  readonly title: string
  readonly component: Component
}

export function buildGraph(config: CheckedConfig, parts: GraphParts): readonly Placed[] {
  return new GraphBuilder(config, parts).build()
}

class GraphBuilder {
  readonly #config: CheckedConfig
  readonly #parts: GraphParts
  readonly #placed: Placed[] = []
  readonly #extensions = new Map<string, unknown>()
  readonly #exporters = new Map<string, Consumer>()
  readonly #connectors = new Map<string, Consumer>()
  readonly #heads = new Map<CheckedPipeline, Consumer>()

  constructor(config: CheckedConfig, parts: GraphParts) {
    this.#config = config
    this.#parts = parts
  }

  build(): readonly Placed[] {
    for (const id of this.#config.extensionIds) this.#buildExtension(id)
    for (const pipeline of this.#config.pipelines) {
      for (const id of pipeline.exporters) if (this.#config.exporters.has(id)) this.#exporter(id)
    }
    for (const pipeline of this.#config.pipelines) this.#head(pipeline)
    const receiverIds = new Set(this.#config.pipelines.flatMap((pipeline) => pipeline.receivers))
    for (const id of receiverIds) if (this.#config.receivers.has(id)) this.#buildReceiver(id)
    return this.#placed
  }

  #buildExtension(id: string): void {
    const { declaration, config } = configured(this.#config.extensions, id)
    const extension = declaration.create(config, this.#host('extension', id))
    this.#extensions.set(id, extension)
    this.#place('extension', id, extension)
  }

  #exporter(id: string): Consumer {
    const known = this.#exporters.get(id)
    if (known !== undefined) return known
    const { declaration, config } = configured(this.#config.exporters, id)
    const users = this.#config.pipelines.filter((pipeline) => pipeline.exporters.includes(id))
    const exporter = declaration.create(config, {
      ...this.#host('exporter', id),
      signals: new Set(users.map((pipeline) => pipeline.signal)),
    })
    this.#exporters.set(id, exporter)
    this.#place('exporter', id, exporter)
    return exporter
  }

  #connector(id: string): Consumer {
    const known = this.#connectors.get(id)
    if (known !== undefined) return known
    const { declaration, config } = configured(this.#config.connectors, id)
    const nexts = new Map<Signal, Consumer>()
    for (const signal of Object.keys(signals) as Signal[]) {
      const heads = this.#pipelinesFrom(id, signal).map((pipeline) => this.#head(pipeline))
      if (heads.length > 0) nexts.set(signal, fanOut(heads))
    }
    const connector = declaration.create(config, {
      ...this.#host('connector', id),
      next: (signal) => nexts.get(signal),
    })
    this.#connectors.set(id, connector)
    this.#place('middle', id, connector, 'connector')
    return connector
  }

  /** The first link of a pipeline. Cycles were refused when the configuration was checked. */
  #head(pipeline: CheckedPipeline): Consumer {
    const known = this.#heads.get(pipeline)
    if (known !== undefined) return known
    const ends = pipeline.exporters.map((id) =>
      this.#config.connectors.has(id) ? this.#connector(id) : this.#exporter(id),
    )
    let next = fanOut(ends)
    const links: Consumer[] = []
    for (const id of pipeline.processors.toReversed()) {
      next = this.#buildProcessor(id, pipeline, next)
      links.unshift(next)
    }
    const head = new PipelineHead(next, [...links, ...ends])
    this.#heads.set(pipeline, head)
    return head
  }

  #buildProcessor(id: string, pipeline: CheckedPipeline, next: Consumer): Consumer {
    const { declaration, config } = configured(this.#config.processors, id)
    const labels = { processor: id, otel_signal: pipeline.signal }
    const counter = ({ name, help }: MetricDeclaration) =>
      this.#parts.metrics.counter(name, help, labels)
    const outgoing = new CountingEdge(next, counter(edgeMetrics.outgoing))
    const timer = this.#processorTimer(labels)
    const processor = declaration.create(config, {
      ...this.#host('processor', id, pipeline.id),
      signal: pipeline.signal,
      pipeline: pipeline.id,
      next: timer?.beyond(outgoing) ?? outgoing,
    })
    this.#place('middle', id, processor, 'processor')
    const incoming = counter(edgeMetrics.incoming)
    const edge = new CountingEdge(timer?.around(processor) ?? processor, incoming)
    return processor.admit === undefined ? { consume: (batch) => edge.consume(batch) } : edge
  }

  /** Undefined where nobody would see what it tells. */
  #processorTimer(labels: Labels): ProcessorTimer | undefined {
    if (this.#config.telemetry.metrics.level !== 'detailed') return undefined
    const { platform, metrics } = this.#parts
    const { name, help } = edgeMetrics.duration
    const seconds = metrics.histogram(name, help, durationBounds, labels)
    return new ProcessorTimer(platform.clock, seconds)
  }

  #buildReceiver(id: string): void {
    const { declaration, config } = configured(this.#config.receivers, id)
    const host = this.#host('receiver', id)
    const receiver = declaration.create(config, {
      ...host,
      consumer: (signal, transport) => {
        const heads = this.#pipelinesFrom(id, signal).map((pipeline) => this.#head(pipeline))
        if (heads.length === 0) return undefined
        const meter = this.#parts.metrics
        const options = { receiver: id, transport, signal, meter, log: host.log }
        return new ReceiverEdge(fanOut(heads), options)
      },
    })
    this.#place('receiver', id, receiver)
  }

  #pipelinesFrom(id: string, signal: Signal): CheckedPipeline[] {
    return this.#config.pipelines.filter(
      (pipeline) => pipeline.signal === signal && pipeline.receivers.includes(id),
    )
  }

  #place(stage: Stage, id: string, component: Component, kind: string = stage): void {
    this.#placed.push({ stage, title: `"${id}" ${kind}`, component })
  }

  #host(kind: ComponentKind, id: string, pipeline?: string): Host {
    const { platform, metrics, memory, status, version, logFor, fatal } = this.#parts
    const place = { 'otelcol.component.id': id, 'otelcol.component.kind': kind }
    return {
      id,
      clock: platform.clock,
      random: platform.random,
      disk: platform.disk,
      env: platform.env,
      log: logFor(pipeline === undefined ? place : { ...place, 'otelcol.pipeline.id': pipeline }),
      meter: metrics,
      memory,
      status,
      version,
      extension: (extensionId) => this.#extensions.get(extensionId),
      dropped: dropLedger(id, kind, metrics),
      fatal,
    }
  }
}

function configured<C>(components: ReadonlyMap<string, C>, id: string): C {
  const found = components.get(id)
  if (found === undefined) throw new Error(`"${id}" passed the check but is not configured`)
  return found
}
