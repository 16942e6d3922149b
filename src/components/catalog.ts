import { forward } from './connectors/forward/index.ts'
import { healthCheck } from './extensions/health-check/index.ts'
import { memoryLimiter } from './processors/memory-limiter/index.ts'
import type { Catalog } from '../pipeline/component.ts'

/** Every component of this build. A new one is added here and nowhere else. */
export const catalog: Catalog = {
  receivers: [],
  processors: [memoryLimiter],
  exporters: [],
  connectors: [forward],
  extensions: [healthCheck],
}
