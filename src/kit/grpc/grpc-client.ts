import { checkServerIdentity } from 'node:tls'
import {
  type ChannelOptions,
  Client,
  compressionAlgorithms,
  credentials,
  type ChannelCredentials,
  Metadata,
} from '@grpc/grpc-js'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { ClientAuthenticator } from '../../pipeline/authenticator.ts'
import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'
import { clientAuthenticator } from '../auth/lend.ts'
import { isPlaintext, loadClientTls } from '../tls/load-tls.ts'
import { reloadPeriodically } from '../tls/reload-tls.ts'
import type { GrpcClientSettings } from './client-settings.ts'
import { parseTarget } from './client-target.ts'
import { grpcRefusal } from './grpc-refusal.ts'

export interface GrpcCall {
  /** Such as /package.Service/Method. */
  readonly path: string
  readonly message: Uint8Array
  readonly abort: AbortSignal
  /** Whose data the message holds, as far as that is one. */
  readonly client?: ClientInfo | undefined
}

/** Unary calls of encoded messages over one channel of its own. Failures are Refusals. */
export class GrpcClient {
  readonly #client: Client
  readonly #authenticator: ClientAuthenticator | undefined
  /** By name in lower case. */
  readonly #headers: Record<string, string> = {}
  readonly #metadata: Metadata
  readonly #settings: GrpcClientSettings
  readonly #host: ClientHost
  #reloading: Timer | undefined

  constructor(settings: GrpcClientSettings, host: ClientHost) {
    this.#settings = settings
    this.#host = host
    const target = parseTarget(settings.endpoint)
    if (typeof target === 'string') throw new Error(`endpoint ${target}`)
    const isPlain = target.isPlaintext ?? isPlaintext(settings.tls)
    this.#client = new Client(
      target.target,
      isPlain ? credentials.createInsecure() : this.#tlsCredentials(),
      channelOptions(settings, host.version),
    )
    this.#authenticator = clientAuthenticator(settings.auth, host)
    for (const [name, value] of Object.entries(settings.headers)) {
      this.#headers[name.toLowerCase()] = value.reveal()
    }
    this.#metadata = this.#metadataOf(this.#headers)
  }

  /** Begins to connect, so that the first request finds a connection; failing is not an error yet. */
  connect(): void {
    this.#client.getChannel().getConnectivityState(true)
  }

  /** The encoded answer. */
  async call(call: GrpcCall): Promise<Uint8Array> {
    const authenticator = this.#authenticator
    if (authenticator === undefined) return this.#callOnce(call, this.#metadata)
    try {
      return await this.#callOnce(call, await this.#sign(authenticator, call))
    } catch (error) {
      const isRejected = error instanceof Refusal && error.code === 'unauthenticated'
      if (!isRejected || authenticator.rejected?.() !== true) throw error
      return this.#callOnce(call, await this.#sign(authenticator, call))
    }
  }

  async #sign(authenticator: ClientAuthenticator, { client }: GrpcCall): Promise<Metadata> {
    const headers = { ...this.#headers }
    const signing = authenticator.sign(headers, client)
    if (signing !== undefined) await signing
    return this.#metadataOf(headers)
  }

  #metadataOf(headers: Readonly<Record<string, string>>): Metadata {
    const metadata = new Metadata({ waitForReady: this.#settings.wait_for_ready })
    for (const [name, value] of Object.entries(headers)) {
      const isBinary = name.endsWith('-bin')
      // The library would say so with the value, which may be a secret.
      if (!isBinary && !/^[ -~]*$/.test(value)) {
        throw new Refusal('invalid', `gRPC cannot send ${name}: it has other than printable ASCII`)
      }
      metadata.set(name, isBinary ? Buffer.from(value, 'base64') : value)
    }
    return metadata
  }

  #callOnce({ path, message, abort }: GrpcCall, metadata: Metadata): Promise<Uint8Array> {
    const { timeout } = this.#settings
    const options = timeout > 0 ? { deadline: this.#host.clock.nowMs() + timeout } : {}
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest<Uint8Array, Uint8Array>(
        path,
        asBuffer,
        identity,
        message,
        metadata,
        options,
        (error, answer) => {
          abort.removeEventListener('abort', cancel)
          if (error !== null) reject(grpcRefusal(error, this.#settings.endpoint))
          else resolve(answer ?? noBytes)
        },
      )
      const cancel = () => call.cancel()
      if (abort.aborted) cancel()
      else abort.addEventListener('abort', cancel)
    })
  }

  close(): void {
    this.#reloading?.cancel()
    this.#client.close()
  }

  #tlsCredentials(): ChannelCredentials {
    const { clock, disk, log } = this.#host
    const { tls } = this.#settings
    const { secureContext, rejectUnauthorized, servername } = loadClientTls(tls, disk, 'tls')
    this.#reloading = reloadPeriodically({
      periodMs: tls.reload_interval,
      clock,
      log,
      // The channel keeps this object for good, and node:tls looks into it at each handshake.
      reload: () => {
        secureContext.context = loadClientTls(tls, disk, 'tls').secureContext.context as unknown
      },
    })
    return credentials.createFromSecureContext(secureContext, {
      rejectUnauthorized,
      ...(rejectUnauthorized && {
        checkServerIdentity: (name, certificate) =>
          checkServerIdentity(servername ?? name, certificate),
      }),
    })
  }
}

type ClientHost = Pick<Host, 'clock' | 'disk' | 'extension' | 'log' | 'version'>

/** Peers may send this much before they wait for us, so that a long round trip does not limit throughput. */
const flowControlWindowBytes = 4 * 1024 * 1024

function channelOptions(settings: GrpcClientSettings, version: string): ChannelOptions {
  const { keepalive, balancer_name, authority, tls } = settings
  const options: ChannelOptions = {
    'grpc.primary_user_agent': settings.user_agent ?? `Penstock/${version}`,
    // Connections of its own: closed with this client, and apart from another exporter's to the same peer.
    'grpc.use_local_subchannel_pool': 1,
    // Retries are ours; the library's own would keep every message a second time.
    'grpc.enable_retries': 0,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': flowControlWindowBytes,
    // Not after up to two minutes: until a peer that is back is tried again, every request fails with the old error.
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.service_config_disable_resolution': 1,
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [{ [balancer_name === '' ? 'round_robin' : balancer_name]: {} }],
    }),
  }
  if (settings.compression === 'gzip') {
    options['grpc.default_compression_algorithm'] = compressionAlgorithms.gzip
  }
  if (keepalive !== undefined) {
    options['grpc.keepalive_time_ms'] = keepalive.time
    options['grpc.keepalive_timeout_ms'] = keepalive.timeout
    options['grpc.keepalive_permit_without_calls'] = keepalive.permit_without_stream ? 1 : 0
  }
  const name = authority ?? tls.server_name_override
  if (name !== undefined) options['grpc.default_authority'] = name
  if (tls.server_name_override !== undefined) {
    options['grpc.ssl_target_name_override'] = tls.server_name_override
  }
  return options
}

const noBytes = new Uint8Array(0)

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function identity(bytes: Buffer): Uint8Array {
  return bytes
}
