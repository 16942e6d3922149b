/** A small catalog with every shape of setting, so that tests of configuration do not depend on real components. */
import { z } from 'zod'
import {
  byteSize,
  duration,
  listenEndpoint,
  optionalSection,
  secret,
  section,
  text,
  unsupported,
} from '../../src/config/schema.ts'
import {
  type Catalog,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from '../../src/pipeline/component.ts'
import { signalNames } from '../../src/otlp/signal.ts'

const never = () => {
  throw new Error('nothing of the test catalog is ever created')
}

const server = (endpoint: string) =>
  optionalSection({
    endpoint: listenEndpoint().prefault(endpoint),
    max_recv_msg_size_mib: z.int().min(1).optional(),
    tls: section({ cert_file: text().optional(), key_pem: secret().optional() }),
    auth: unsupported('authenticators come later'),
  })

interface OtlpProtocols {
  readonly protocols: {
    readonly grpc?: { readonly endpoint: string }
    readonly http?: { readonly endpoint: string }
  }
}

const otlp = defineReceiver({
  type: 'otlp',
  summary: 'Takes OTLP.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    protocols: section({ grpc: server('localhost:4317'), http: server('localhost:4318') }),
  }),
  check: ({ protocols }: OtlpProtocols) =>
    protocols.grpc === undefined && protocols.http === undefined
      ? [{ path: ['protocols'], message: 'must have grpc or http' }]
      : [],
  listens: ({ protocols }: OtlpProtocols) =>
    (['grpc', 'http'] as const).flatMap((name) => {
      const endpoint = protocols[name]?.endpoint
      const path = ['protocols', name, 'endpoint']
      return endpoint === undefined ? [] : [{ path, endpoint, transport: 'tcp' as const }]
    }),
  examples: [],
  create: never,
})

const memoryLimiter = defineProcessor({
  type: 'memory_limiter',
  summary: 'Refuses in time.',
  stability: 'beta',
  signals: signalNames,
  config: section({ check_interval: duration().prefault('1s'), limit_mib: z.int().min(1) }),
  examples: [],
  create: never,
})

const batch = defineProcessor({
  type: 'batch',
  summary: 'Joins small batches.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    timeout: duration().prefault('200ms'),
    send_batch_size: z.int().min(0).default(8192),
    send_batch_max_size: z.int().min(0).default(0),
    metadata_keys: z.array(text()).default([]),
  }),
  check: ({ send_batch_size: trigger, send_batch_max_size: limit }) =>
    limit !== 0 && limit < trigger
      ? [
          {
            path: ['send_batch_max_size'],
            message: `must be 0 or at least send_batch_size (${trigger})`,
          },
        ]
      : [],
  examples: [],
  create: never,
})

const attributes = defineProcessor({
  type: 'attributes',
  summary: 'Edits attributes.',
  stability: 'beta',
  signals: ['traces', 'logs'],
  config: section({
    actions: z
      .array(
        z.discriminatedUnion('action', [
          z.strictObject({ action: z.literal('upsert'), key: text(), value: z.unknown() }),
          z.strictObject({ action: z.literal('delete'), key: text() }),
        ]),
      )
      .min(1),
  }),
  examples: [],
  create: never,
})

const debug = defineExporter({
  type: 'debug',
  aliases: ['logging'],
  summary: 'Prints.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    verbosity: z.enum(['basic', 'normal', 'detailed']).default('basic'),
    use_internal_logger: z.boolean().default(true),
  }),
  examples: [],
  create: never,
})

const otlpHttp = defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  summary: 'Sends OTLP.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    endpoint: z.url({ error: 'must be a URL, such as http://tempo:4318' }),
    headers: z.record(text(), secret()).default({}),
    compression: z.enum(['none', 'gzip', 'zstd']).default('gzip'),
    read_buffer_size: byteSize().prefault('512KiB'),
    retry: z.union([z.boolean(), z.strictObject({ multiplier: z.number().gt(1) })]).default(true),
    api: section({ user: text().optional(), pin: secret().optional() }),
  }),
  examples: [],
  create: never,
})

const prometheus = defineExporter({
  type: 'prometheus',
  summary: 'Is scraped.',
  stability: 'beta',
  signals: ['metrics'],
  config: section({ endpoint: listenEndpoint() }),
  listens: ({ endpoint }) => [{ path: ['endpoint'], endpoint, transport: 'tcp' }],
  examples: [],
  create: never,
})

const forward = defineConnector({
  type: 'forward',
  summary: 'Joins pipelines.',
  stability: 'beta',
  routes: signalNames.map((signal) => [signal, signal] as const),
  config: section({}),
  examples: [],
  create: never,
})

const spanMetrics = defineConnector({
  type: 'span_metrics',
  aliases: ['spanmetrics'],
  summary: 'Counts spans.',
  stability: 'beta',
  routes: [['traces', 'metrics']],
  config: section({}),
  examples: [],
  create: never,
})

const healthCheck = defineExtension({
  type: 'health_check',
  summary: 'Answers.',
  stability: 'beta',
  config: section({ endpoint: listenEndpoint().prefault('localhost:13133') }),
  listens: ({ endpoint }) => [{ path: ['endpoint'], endpoint, transport: 'tcp' }],
  examples: [],
  create: never,
})

export const testCatalog: Catalog = {
  receivers: [otlp],
  processors: [memoryLimiter, batch, attributes],
  exporters: [debug, otlpHttp, prometheus, { ...debug, type: 'datadog', aliases: [] }],
  connectors: [forward, spanMetrics, { ...forward, type: 'datadog' }],
  extensions: [healthCheck],
}
