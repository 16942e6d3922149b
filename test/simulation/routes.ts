import type { Signal } from '../../src/otlp/signal.ts'
import type { CheckedConfig, CheckedPipeline } from '../../src/service/checked-config.ts'

/** One way through the graph. */
interface Route {
  readonly sink: string
  /** The processors on it, in order. */
  readonly processors: readonly string[]
}

/** Every way from a receiver to a sink, for one signal. */
export function routesFrom(
  receiver: string,
  signal: Signal,
  { pipelines, connectors }: CheckedConfig,
): Route[] {
  const walk = (id: string, passed: readonly string[]): Route[] =>
    pipelines
      .filter((one) => one.signal === signal && one.receivers.includes(id))
      .flatMap((pipeline) => onwards(pipeline, [...passed, ...pipeline.processors]))
  const onwards = ({ exporters }: CheckedPipeline, processors: readonly string[]): Route[] =>
    exporters.flatMap((id) =>
      connectors.has(id) ? walk(id, processors) : [{ sink: id, processors }],
    )
  return walk(receiver, [])
}
