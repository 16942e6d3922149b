/**
 * A unary gRPC server on node:http2, for bytes. Not grpc-js' server: that one keeps windows of 64 KiB, so that a
 * distant client waits for a round trip per window, and it copies messages twice.
 */
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from 'node:http2'
import { type AddressInfo, Server, type Socket } from 'node:net'
import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'
import { serverAuthenticator } from '../auth/lend.ts'
import { listen } from '../http/listen.ts'
import { loadServerTls } from '../tls/load-tls.ts'
import { reloadPeriodically, serverReloadPeriodMs } from '../tls/reload-tls.ts'
import { Deadlines } from '../deadlines/deadlines.ts'
import { type ConnectionEnvironment, GrpcConnection } from './grpc-connection.ts'
import { healthCheck, healthCheckPath } from './health.ts'
import { createHttp2Server, widenConnection } from './http2-server.ts'
import {
  type GrpcServerSettings,
  concurrentStreamsMax,
  keepaliveTimes,
  messageBytesMax,
} from './server-config.ts'
import type { UnaryMethod } from './unary-method.ts'

interface GrpcServerOptions {
  readonly settings: GrpcServerSettings
  /** Where the settings stand, such as `protocols.grpc`, for complaints about their files. */
  readonly where: string
  /** Methods by path, such as /package.Service/Method. */
  readonly methods: ReadonlyMap<string, UnaryMethod>
  /** Connections over this many are closed as they come; 10000 when absent. */
  readonly connectionCountMax?: number
}

/** How often to say that connections are turned away. */
const turnedAwayLogMs = 60_000

export class GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #host: Host
  readonly #deadlines: Deadlines
  readonly #connections = new Map<ServerHttp2Session, GrpcConnection>()
  readonly #sockets = new Set<Socket>()
  #server: Http2Server | undefined
  #reloading: Timer | undefined
  #isStopping = false

  constructor(options: GrpcServerOptions, host: Host) {
    this.#options = options
    this.#host = host
    this.#deadlines = new Deadlines(host.clock)
  }

  /** The port it listens on once started, which is another than the configured one where that is 0. */
  get port(): number {
    return (this.#server!.address() as AddressInfo).port
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Rejects when certificates cannot be used or the address cannot be listened on. */
  async start(): Promise<void> {
    const { settings, where } = this.#options
    const { endpoint, transport } = settings
    const server = this.#create()
    this.#server = server
    const { address, port } = await listen(server, endpoint, where, transport)
    this.#host.log.info({ endpoint, address, port }, 'gRPC server listens')
    // From here on only accepting can fail, such as for want of file descriptors, and it goes on later.
    server.on('error', (error) =>
      this.#host.log.error({ error: error.message }, 'gRPC connection could not be accepted'),
    )
  }

  /** Takes no new connections or calls, finishes those under way, and cuts what is left when `deadline` aborts. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#reloading?.cancel()
    const server = this.#server
    if (server?.listening) await this.#close(server, deadline)
    this.#deadlines.stop()
  }

  #close(server: Http2Server, deadline: AbortSignal): Promise<void> {
    const cut = () => {
      for (const connection of this.#connections.values()) connection.destroy()
      for (const socket of this.#sockets) socket.destroy()
    }
    return new Promise<void>((resolve) => {
      // Not its own close(): that sends a single GOAWAY, and calls already under way to us would fail.
      Server.prototype.close.call(server, () => {
        deadline.removeEventListener('abort', cut)
        resolve()
      })
      for (const connection of this.#connections.values()) connection.drain('shutdown')
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut, { once: true })
    })
  }

  #create(): Http2Server {
    const { settings, where } = this.#options
    const { tls } = settings
    const load = () =>
      tls === undefined ? undefined : loadServerTls(tls, this.#host.disk, `${where}.tls`)
    const server = createHttp2Server(concurrentStreamsMax(settings), load())
    if (tls !== undefined) {
      const secure = server as unknown as Http2SecureServer
      this.#reloading = reloadPeriodically({
        ...this.#host,
        periodMs: serverReloadPeriodMs(tls),
        reload: () => secure.setSecureContext(load()!.context),
      })
    }
    this.#limitConnections(server)
    this.#listenTo(server)
    return server
  }

  #limitConnections(server: Http2Server): void {
    server.maxConnections = this.#options.connectionCountMax ?? 10_000
    let saidMs = -Infinity
    server.on('drop', () => {
      const nowMs = this.#host.clock.monotonicMs()
      if (nowMs - saidMs < turnedAwayLogMs) return
      saidMs = nowMs
      this.#host.log.warn(
        { connections: server.maxConnections },
        'gRPC connections are turned away',
      )
    })
  }

  #listenTo(server: Http2Server): void {
    const environment = this.#environment()
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.on('session', (session) => {
      widenConnection(session)
      const connection = new GrpcConnection(session, environment)
      this.#connections.set(session, connection)
      session.once('close', () => this.#connections.delete(session))
      if (this.#isStopping) connection.drain('shutdown')
    })
    server.on('stream', (stream, headers, _flags, rawHeaders) => {
      const connection = this.#connections.get(stream.session as ServerHttp2Session)
      connection?.onStream(stream, headers, rawHeaders)
    })
    const failed = (error: Error) =>
      this.#host.log.debug({ error: error.message }, 'gRPC connection failed')
    server.on('sessionError', failed)
    server.on('tlsClientError', failed)
  }

  #environment(): ConnectionEnvironment {
    const { clock, memory, random, status } = this.#host
    const { settings, methods } = this.#options
    const services = new Set([...methods.keys()].map((path) => path.split('/')[1]))
    return {
      clock,
      memory,
      random,
      deadlines: this.#deadlines,
      messageBytesMax: messageBytesMax(settings),
      keepalive: keepaliveTimes(settings),
      includeMetadata: settings.include_metadata,
      authenticator: serverAuthenticator(settings.auth, this.#host),
      methods: new Map([...methods, [healthCheckPath, healthCheck(status, services)]]),
    }
  }
}
