import type {
  IncomingMessage,
  RequestListener,
  Server,
  ServerOptions,
  ServerResponse,
} from 'node:http'
import { type Server as TlsServer, createServer as createTlsServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo, Socket } from 'node:net'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { Verdict } from '../../pipeline/authenticator.ts'
import type { Component } from '../../pipeline/component.ts'
import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'
import { loadServerTls } from '../tls/load-tls.ts'
import { reloadPeriodically, serverReloadPeriodMs } from '../tls/reload-tls.ts'
import type { ServerTlsSettings } from '../tls/tls-settings.ts'
import { type ClientError, ClientComplaints } from './client-complaints.ts'
import { Connection } from './connection.ts'
import { type CorsLayer, corsLayer } from './cors.ts'
import { refusalAsText, type RequestJudge, requestJudge } from './judge-request.ts'
import { listen } from './listen.ts'
import { answerUnmatchedAsText, rawAnswer } from './plain-answers.ts'
import { pathOf } from './request-target.ts'
import { type HttpServerSettings, idleTimeoutMs } from './server-settings.ts'
import { type Answer, answerUnread } from './unread-body.ts'

// An import would read every property of the module, and some load a WebSocket client: 30 ms of the start.
const { createServer } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

/** Answers on its own, in its own time; the body is still to be read. `client` has headers if `include_metadata`. */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  client: ClientInfo,
) => void

export interface HttpRoute {
  /** GET serves HEAD too. */
  readonly method: 'GET' | 'POST'
  /** Matched exactly, without the query. */
  readonly path: string
  readonly handle: HttpHandler
}

interface HttpServerParts {
  readonly settings: HttpServerSettings
  /** Path of the settings within the component's, for complaints: `protocols.http`; empty for the component's own. */
  readonly where: string
  readonly routes: readonly HttpRoute[]
  /** Answers what no route does. `allowed` has the methods of a path that is known; 404 and 405 as text if absent. */
  readonly unmatched?: (
    request: IncomingMessage,
    response: ServerResponse,
    allowed: readonly string[] | undefined,
  ) => void
  /** Answers a request that the authenticator does not let in; as text if absent. */
  readonly refused?: (request: IncomingMessage, refusal: Refusal) => Answer
  /** Called once nothing is served any more. */
  readonly onStopped?: () => void
}

type ServerHost = Pick<Host, 'clock' | 'disk' | 'extension' | 'log'>

/** An HTTP/1.1 server with the Collector's settings and a drain that owes nobody an answer. */
export class HttpServer implements Component {
  readonly #parts: HttpServerParts
  readonly #host: ServerHost
  readonly #routes = new Map<string, HttpRoute[]>()
  readonly #connections = new Map<Socket, Connection>()
  /** Sockets whose TLS handshake has not ended, by the peer's address and port. */
  readonly #handshaking = new Map<string, Socket>()
  readonly #isKept: boolean
  readonly #responseHeaders: readonly (readonly [name: string, value: string])[]
  readonly #complaints: ClientComplaints
  #server: Server | undefined
  #cors: CorsLayer | undefined
  #judge: RequestJudge | undefined
  #address: AddressInfo | undefined
  #reloading: Timer | undefined
  #isDraining = false

  constructor(parts: HttpServerParts, host: ServerHost) {
    this.#parts = parts
    this.#host = host
    for (const route of parts.routes) {
      this.#routes.set(route.path, [...(this.#routes.get(route.path) ?? []), route])
    }
    this.#isKept = idleTimeoutMs(parts.settings) !== undefined
    this.#responseHeaders = Object.entries(parts.settings.response_headers).map(
      ([name, value]) => [name, value.reveal()] as const,
    )
    this.#complaints = new ClientComplaints(host)
  }

  /** Undefined until it has started. */
  get port(): number | undefined {
    return this.#address?.port
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  async start(): Promise<void> {
    const { settings } = this.#parts
    this.#judge = requestJudge(settings.auth, this.#host)
    const cors = await corsLayer(settings.cors, (request, response) =>
      this.#dispatch(request, response),
    )
    this.#cors = cors
    const server = this.#createServer()
    this.#server = server
    this.#address = await listen(server, settings.endpoint, this.#parts.where, settings.transport)
    server.on('error', (error) => this.#host.log.error({ error: error.message }, 'HTTP server'))
    const { address, port } = this.#address
    this.#host.log.info({ endpoint: settings.endpoint, address, port }, 'HTTP server listens')
  }

  /** Takes no new connection or request, answers those it has, and by the deadline closes whatever is left. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isDraining = true
    this.#reloading?.cancel()
    const server = this.#server
    if (server?.listening === true) {
      const closed = new Promise((done) => server.close(done))
      const closeAll = () => {
        for (const { socket } of this.#connections.values()) socket.destroy()
      }
      for (const connection of this.#connections.values()) connection.endWhenAnswered()
      for (const socket of this.#handshaking.values()) socket.destroy()
      if (deadline.aborted) closeAll()
      else deadline.addEventListener('abort', closeAll)
      await closed
      deadline.removeEventListener('abort', closeAll)
    }
    await this.#cors?.close()
    this.#parts.onStopped?.()
  }

  #createServer(): Server {
    const { settings, where } = this.#parts
    const listener: RequestListener = (request, response) => this.#begin(request, response)
    const options = serverOptions(settings)
    const server =
      settings.tls === undefined
        ? createServer(options, listener)
        : this.#createTlsServer(settings.tls, options, listener)
    server.maxConnections = settings.max_connections === 0 ? Infinity : settings.max_connections
    server.on('drop', () => this.#complaints.tooMany(where, settings.max_connections))
    if (settings.tls === undefined) server.on('connection', (socket) => this.#connected(socket))
    // Without a listener Node asks for the body by itself, before anyone could refuse it.
    server.on('checkContinue', listener)
    server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket))
    return server
  }

  #createTlsServer(
    settings: ServerTlsSettings,
    options: ServerOptions,
    listener: RequestListener,
  ): TlsServer {
    const { clock, disk, log } = this.#host
    const where = this.#parts.where === '' ? 'tls' : `${this.#parts.where}.tls`
    const { context, requestCert } = loadServerTls(settings, disk, where)
    const handshakeTimeout = 10_000
    const server = createTlsServer(
      { ...options, ...context, requestCert, rejectUnauthorized: requestCert, handshakeTimeout },
      listener,
    )
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket)
      this.#handshaking.set(peer, socket)
      socket.once('close', () => this.#handshaking.delete(peer))
    })
    server.on('secureConnection', (socket) => {
      this.#handshaking.delete(peerOf(socket))
      this.#connected(socket)
    })
    server.on('tlsClientError', (error, socket) => {
      if (!this.#isDraining) this.#complaints.handshake(error, socket)
    })
    this.#reloading = reloadPeriodically({
      periodMs: serverReloadPeriodMs(settings),
      clock,
      log,
      reload: () => server.setSecureContext(loadServerTls(settings, disk, where).context),
    })
    return server
  }

  #connected(socket: Socket): void {
    this.#connections.set(socket, new Connection(socket))
    socket.once('close', () => this.#connections.delete(socket))
    if (this.#isDraining) socket.destroy()
  }

  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { settings } = this.#parts
    const connection = this.#connections.get(request.socket)
    // Gone already: nobody is left to answer.
    if (connection === undefined) return void request.destroy()
    connection.response = response
    for (const [name, value] of this.#responseHeaders) response.setHeader(name, value)
    if (this.#isDraining || !this.#isKept) response.shouldKeepAlive = false
    if (settings.write_timeout > 0) this.#limitTime(response, settings.write_timeout)
    if (this.#cors === undefined) this.#dispatch(request, response)
    else this.#cors.listener(request, response)
  }

  #dispatch(request: IncomingMessage, response: ServerResponse): void {
    const verdict = this.#judge?.judge(request)
    if (verdict === undefined) this.#route(request, response)
    else if (verdict instanceof Promise) {
      void verdict.then((settled) => this.#settle(request, response, settled))
    } else this.#settle(request, response, verdict)
  }

  #settle(request: IncomingMessage, response: ServerResponse, verdict: Verdict): void {
    // Gone while a password was checked: nobody is left to answer.
    if (!this.#connections.has(request.socket)) return void request.destroy()
    if (!(verdict instanceof Refusal)) return this.#route(request, response, verdict)
    if (verdict.httpStatus === 401) response.setHeader('WWW-Authenticate', this.#judge!.challenge)
    const answer = this.#parts.refused?.(request, verdict) ?? refusalAsText(verdict)
    answerUnread(request, response, answer, this.#host.clock)
  }

  #route(request: IncomingMessage, response: ServerResponse, auth?: ClientInfo['auth']): void {
    const routes = this.#routes.get(pathOf(request.url!))
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes?.find((one) => one.method === method)
    if (route === undefined) return this.#answerUnmatched(request, response, routes)
    const connection = this.#connections.get(request.socket)!
    const client = this.#parts.settings.include_metadata
      ? connection.clientWithHeaders(request)
      : connection.client
    route.handle(request, response, auth === undefined ? client : { ...client, auth })
  }

  #limitTime(response: ServerResponse, timeoutMs: number): void {
    const timer = this.#host.clock.after(timeoutMs, () => response.destroy())
    response.once('close', () => timer.cancel())
  }

  #answerUnmatched(
    request: IncomingMessage,
    response: ServerResponse,
    routes: readonly HttpRoute[] | undefined,
  ): void {
    const allowed = routes?.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
    const answer = this.#parts.unmatched ?? answerUnmatchedAsText(this.#host.clock)
    answer(request, response, allowed)
  }

  /** What was not HTTP, or came too slowly. */
  #onClientError(error: ClientError, socket: Socket): void {
    this.#complaints.malformed(error, socket)
    const response = this.#connections.get(socket)?.response
    const isAnswering = response !== undefined && !response.writableFinished
    if (socket.writable && !(isAnswering && response.headersSent)) {
      socket.write(rawAnswer(error.code, isAnswering))
    }
    socket.destroySoon()
  }
}

// Node's own default, in place of the Collector's endless wait: a body holds memory for as long as it takes.
const readTimeoutMsDefault = 300_000
const headerTimeoutMsDefault = 60_000

/** The same for a TLS socket and the one beneath it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`
}

function serverOptions(settings: HttpServerSettings): ServerOptions {
  // Node takes whole milliseconds only.
  const requestTimeout = Math.ceil(settings.read_timeout) || readTimeoutMsDefault
  const idleTimeout = Math.ceil(idleTimeoutMs(settings) ?? 0)
  const headersTimeout = Math.min(
    Math.ceil(settings.read_header_timeout) || headerTimeoutMsDefault,
    requestTimeout,
  )
  return {
    requestTimeout,
    headersTimeout,
    // How far past its time a request may get; looking costs a walk over all connections.
    connectionsCheckingInterval: Math.ceil(Math.min(Math.max(headersTimeout / 4, 50), 10_000)),
    keepAliveTimeout: idleTimeout,
    keepAliveTimeoutBuffer: Math.min(idleTimeout, 1000),
    // Kubernetes and proxies put long tokens into headers; Go takes a megabyte.
    maxHeaderSize: 64 * 1024,
    // A dead peer is noticed, although nothing else ends an idle connection without idle_timeout.
    keepAlive: true,
    keepAliveInitialDelay: 15_000,
  }
}
