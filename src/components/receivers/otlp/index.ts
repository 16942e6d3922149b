import { section } from '../../../config/schema.ts'
import { type Listen, type Receiver, defineReceiver } from '../../../pipeline/component.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { type GrpcServerSettings, grpcServerSettings } from '../../../kit/grpc/server-config.ts'
import { requestMetric } from '../../../kit/ingest/request-counter.ts'
import { createGrpcSide } from './grpc-side.ts'
import { type HttpSideSettings, httpSideSettings } from './http-settings.ts'
import { createHttpSide } from './http-side.ts'

const config = section({
  protocols: section({
    grpc: grpcServerSettings('localhost:4317'),
    http: httpSideSettings(),
  }).describe('What to serve; nothing is unless it is named.'),
})

/** Receives OTLP from SDKs, agents and other gateways. */
export const otlp = defineReceiver({
  type: 'otlp',
  summary: 'Receives OTLP over gRPC and HTTP.',
  stability: 'beta',
  signals: signalNames,
  config,
  check: ({ protocols: { grpc, http } }) =>
    grpc === undefined && http === undefined
      ? [{ path: ['protocols'], message: 'must name at least one of grpc and http' }]
      : [],
  listens: ({ protocols }) => {
    const listens: Listen[] = []
    for (const name of ['grpc', 'http'] as const) {
      const server = protocols[name] as GrpcServerSettings | HttpSideSettings | undefined
      if (server === undefined || server.transport === 'unix') continue
      const path = ['protocols', name, 'endpoint']
      listens.push({ path, endpoint: server.endpoint, transport: 'tcp' })
    }
    return listens
  },
  metrics: [requestMetric],
  examples: [
    {
      title: 'Both protocols on every address',
      yaml: `protocols:
  grpc:
    endpoint: 0.0.0.0:4317
  http:
    endpoint: 0.0.0.0:4318
`,
    },
    {
      title: 'Browsers may send, over TLS',
      yaml: `protocols:
  http:
    endpoint: 0.0.0.0:4318
    tls:
      cert_file: /etc/penstock/server.pem
      key_file: /etc/penstock/server-key.pem
    cors:
      allowed_origins: [https://*.example.com]
      max_age: 7200
`,
    },
  ],
  create: ({ protocols }, host): Receiver => {
    const grpc = protocols.grpc as GrpcServerSettings | undefined
    const http = protocols.http as HttpSideSettings | undefined
    return new OtlpReceiver([
      ...(grpc === undefined ? [] : [createGrpcSide(grpc, host)]),
      ...(http === undefined ? [] : [createHttpSide(http, host)]),
    ])
  },
})

class OtlpReceiver implements Receiver {
  readonly #sides: readonly Required<Receiver>[]

  constructor(sides: readonly Required<Receiver>[]) {
    this.#sides = sides
  }

  /** All of them or none: a side that cannot start takes the others down with it. */
  async start(): Promise<void> {
    const results = await Promise.allSettled(this.#sides.map(async (side) => side.start()))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    await this.stop(AbortSignal.abort())
    throw failed.reason
  }

  async stop(deadline: AbortSignal): Promise<void> {
    await Promise.all(this.#sides.map(async (side) => side.stop(deadline)))
  }
}
