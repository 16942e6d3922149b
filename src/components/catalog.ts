import type { Catalog } from '../pipeline/component.ts'

/** Every component of this build. A new one is added here and nowhere else. */
export const catalog: Catalog = {
  receivers: [],
  processors: [],
  exporters: [],
  connectors: [],
  extensions: [],
}
