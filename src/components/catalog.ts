import { forward } from './connectors/forward/index.ts'
import { debug } from './exporters/debug/index.ts'
import { file } from './exporters/file/index.ts'
import { otlpGrpc } from './exporters/otlp-grpc/index.ts'
import { otlpHttp } from './exporters/otlp-http/index.ts'
import { prometheus } from './exporters/prometheus/index.ts'
import { prometheusRemoteWrite } from './exporters/prometheus-remote-write/index.ts'
import { basicAuth } from './extensions/basic-auth/index.ts'
import { bearerTokenAuth } from './extensions/bearer-token-auth/index.ts'
import { headersSetter } from './extensions/headers-setter/index.ts'
import { healthCheck } from './extensions/health-check/index.ts'
import { oauth2Client } from './extensions/oauth2-client/index.ts'
import { attributes } from './processors/attributes/index.ts'
import { batch } from './processors/batch/index.ts'
import { deltaToCumulative } from './processors/delta-to-cumulative/index.ts'
import { memoryLimiter } from './processors/memory-limiter/index.ts'
import { resource } from './processors/resource/index.ts'
import { otlp } from './receivers/otlp/index.ts'
import type { Catalog } from '../pipeline/component.ts'

/** Every component of this build. A new one is added here and nowhere else. */
export const catalog: Catalog = {
  receivers: [otlp],
  processors: [memoryLimiter, batch, resource, attributes, deltaToCumulative],
  exporters: [otlpGrpc, otlpHttp, prometheus, prometheusRemoteWrite, debug, file],
  connectors: [forward],
  extensions: [healthCheck, basicAuth, bearerTokenAuth, headersSetter, oauth2Client],
}
