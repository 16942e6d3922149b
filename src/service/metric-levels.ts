import { metricLevels, type ComponentDeclaration } from '../pipeline/component.ts'
import type { CheckedConfig, Configured } from './checked-config.ts'

/** Says of a metric's name whether it is shown at the level of `service.telemetry.metrics`. */
export function shownMetrics(config: CheckedConfig): (name: string) => boolean {
  const { receivers, processors, exporters, connectors, extensions, telemetry } = config
  const level = metricLevels.indexOf(telemetry.metrics.level)
  const hidden = new Set<string>()
  for (const section of [receivers, processors, exporters, connectors, extensions]) {
    const components: ReadonlyMap<string, Configured<ComponentDeclaration>> = section
    for (const { declaration } of components.values()) {
      for (const { name, level: from = 'basic' } of declaration.metrics ?? []) {
        if (metricLevels.indexOf(from) > level) hidden.add(name)
      }
    }
  }
  return (name) => !hidden.has(name)
}
