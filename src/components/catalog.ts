import { forward } from './connectors/forward/index.ts'
import { healthCheck } from './extensions/health-check/index.ts'
import { attributes } from './processors/attributes/index.ts'
import { batch } from './processors/batch/index.ts'
import { memoryLimiter } from './processors/memory-limiter/index.ts'
import { resource } from './processors/resource/index.ts'
import { otlp } from './receivers/otlp/index.ts'
import type { Catalog } from '../pipeline/component.ts'

/** Every component of this build. A new one is added here and nowhere else. */
export const catalog: Catalog = {
  receivers: [otlp],
  processors: [memoryLimiter, batch, resource, attributes],
  exporters: [],
  connectors: [forward],
  extensions: [healthCheck],
}
