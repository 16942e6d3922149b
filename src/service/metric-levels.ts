import {
  type ComponentDeclaration,
  type MetricDeclaration,
  metricLevels,
} from '../pipeline/component.ts'
import type { CheckedConfig, Configured } from './checked-config.ts'
import { serviceMetrics } from './service-metrics.ts'

/** Says of a metric's name whether it is shown at the level of `service.telemetry.metrics`. */
export function shownMetrics(config: CheckedConfig): (name: string) => boolean {
  const { receivers, processors, exporters, connectors, extensions, telemetry } = config
  const level = metricLevels.indexOf(telemetry.metrics.level)
  const hidden = new Set<string>()
  const judge = (metrics: readonly MetricDeclaration[]) => {
    for (const { name, level: from = 'basic' } of metrics) {
      if (metricLevels.indexOf(from) > level) hidden.add(name)
    }
  }
  judge(serviceMetrics)
  for (const section of [receivers, processors, exporters, connectors, extensions]) {
    const components: ReadonlyMap<string, Configured<ComponentDeclaration>> = section
    for (const { declaration } of components.values()) judge(declaration.metrics ?? [])
  }
  return (name) => !hidden.has(name)
}
