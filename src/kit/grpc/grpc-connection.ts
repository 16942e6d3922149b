import {
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  constants,
} from 'node:http2'
import type { ClientInfo } from '../../otlp/client-info.ts'
import type { ServerAuthenticator, Verdict } from '../../pipeline/authenticator.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { Random, Timer } from '../../platform/platform.ts'
import { peerAddress } from '../http/peer-address.ts'
import { anonymousClient, clientWithMetadata } from './call-metadata.ts'
import { type CallEnvironment, GrpcCall, refuseStream } from './grpc-call.ts'
import { healthCheckPath } from './health.ts'
import { PingPolicy } from './ping-policy.ts'
import { isUnserved, readRequestHead, type RequestHead } from './request-head.ts'
import { statusHeaders, statusOf } from './status.ts'
import type { UnaryMethod } from './unary-method.ts'

/** All in milliseconds; Infinity means never. */
export interface KeepaliveTimes {
  readonly maxIdleMs: number
  readonly maxAgeMs: number
  /** After the age, for calls still running. */
  readonly ageGraceMs: number
  /** Silence after which the client is pinged. */
  readonly pingMs: number
  readonly pingTimeoutMs: number
  /** Least time between a client's own pings. */
  readonly clientPingGapMs: number
  readonly permitPingWithoutStream: boolean
}

export interface ConnectionEnvironment extends CallEnvironment {
  readonly random: Random
  readonly keepalive: KeepaliveTimes
  readonly includeMetadata: boolean
  readonly authenticator: ServerAuthenticator | undefined
  readonly methods: ReadonlyMap<string, UnaryMethod>
}

/** What a connection may need before its first SETTINGS frame. */
const prefaceMs = 20_000
/** How long a client may take to confirm that it has seen the first GOAWAY. */
const goawayMs = 5000
const lastStreamIdMax = 2 ** 31 - 1
/** Has node:http2 fill in the id of the last stream that it handed to us. */
const lastProcessed = 0

/** One client's connection: its calls, its age and its pulse. */
export class GrpcConnection {
  readonly #session: ServerHttp2Session
  readonly #environment: ConnectionEnvironment
  readonly #client: ClientInfo
  readonly #pings: PingPolicy
  readonly #timers = new Map<string, Timer>()
  readonly #openCalls = new Set<GrpcCall>()
  #idleSinceMs: number
  #isDraining = false

  constructor(session: ServerHttp2Session, environment: ConnectionEnvironment) {
    this.#session = session
    this.#environment = environment
    const { keepalive, clock, random } = environment
    this.#client = anonymousClient(session.destroyed ? '' : peerAddress(session.socket))
    this.#pings = new PingPolicy({
      minTimeMs: keepalive.clientPingGapMs,
      permitWithoutStream: keepalive.permitPingWithoutStream,
    })
    this.#idleSinceMs = clock.monotonicMs()
    this.#after('preface', prefaceMs, () => this.destroy())
    session.once('remoteSettings', () => this.#cancel('preface'))
    session.on('ping', () => this.#onPing())
    session.on('close', () => this.#onClose())
    this.#watchIdle(keepalive.maxIdleMs)
    this.#watchPulse()
    // Spread by a tenth either way, so that clients which came together do not all leave together.
    const ageMs = keepalive.maxAgeMs * (0.9 + 0.2 * random.next())
    this.#after('age', ageMs, () => this.#retire())
  }

  get openCallCount(): number {
    return this.#openCalls.size
  }

  onStream(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ): void {
    // Without a listener an error of one stream would end the process; `close` follows it and cleans up.
    stream.on('error', ignore)
    this.#pings.noteWrite()
    const head = readRequestHead(headers)
    if (isUnserved(head)) return refuseStream(stream, head, stream.readableEnded)
    const { methods, includeMetadata, authenticator } = this.#environment
    const method = methods.get(head.path)
    if (method === undefined) {
      const refusal = new Refusal(
        'unimplemented',
        `unknown method ${head.path}, or no pipeline for its signal`,
      )
      return refuseStream(stream, statusHeaders(statusOf(refusal)), stream.readableEnded)
    }
    const begin = (auth?: ClientInfo['auth']) => {
      const client = includeMetadata
        ? clientWithMetadata(this.#client.address, rawHeaders)
        : this.#client
      this.#beginCall(stream, method, head, auth === undefined ? client : { ...client, auth })
    }
    // Probes of Kubernetes have no credentials; whether it is ready is all that they learn.
    if (authenticator === undefined || head.path === healthCheckPath) return begin()
    const settle = (verdict: Verdict) => {
      // Given up while a password was checked.
      if (stream.destroyed || stream.closed) return
      if (!(verdict instanceof Refusal)) return begin(verdict)
      refuseStream(stream, statusHeaders(statusOf(verdict)), stream.readableEnded)
    }
    const verdict = authenticator.authenticate((name) => headers[name] as string | undefined)
    if (verdict instanceof Promise) void verdict.then(settle)
    else settle(verdict)
  }

  #beginCall(
    stream: ServerHttp2Stream,
    method: UnaryMethod,
    { encoding, timeoutMs }: RequestHead,
    client: ClientInfo,
  ): void {
    const call = new GrpcCall({
      stream,
      method,
      client,
      encoding,
      timeoutMs,
      environment: this.#environment,
      onClosed: this.#onCallClosed,
    })
    this.#openCalls.add(call)
  }

  /**
   * Lets running calls finish and takes no more. Two GOAWAYs: the first allows for calls that are already under way
   * to us, the second follows once the client has answered a ping, and so has seen the first.
   */
  drain(reason: string): void {
    const session = this.#session
    if (this.#isDraining || session.destroyed) return
    this.#isDraining = true
    // nghttp2 reads no more after a GOAWAY unless calls are running: no answer would ever be seen.
    const isIdle = this.#openCalls.size === 0
    const lastStreamId = isIdle ? lastProcessed : lastStreamIdMax
    session.goaway(constants.NGHTTP2_NO_ERROR, lastStreamId, Buffer.from(reason))
    if (isIdle) return this.#close()
    this.#after('goaway', goawayMs, () => this.#close())
    if (!session.ping(() => this.#close())) this.#close()
  }

  #close(): void {
    this.#cancel('goaway')
    if (!this.#session.destroyed) this.#session.close()
  }

  destroy(): void {
    if (!this.#session.destroyed) this.#session.destroy()
  }

  readonly #onCallClosed = (call: GrpcCall): void => {
    this.#openCalls.delete(call)
    this.#pings.noteWrite()
    if (this.#openCalls.size > 0) return
    this.#idleSinceMs = this.#environment.clock.monotonicMs()
    if (this.#isDraining) this.#close()
  }

  #retire(): void {
    this.drain('max_age')
    this.#after('grace', this.#environment.keepalive.ageGraceMs, () => this.destroy())
  }

  #watchIdle(inMs: number): void {
    this.#after('idle', inMs, () => {
      const { clock, keepalive } = this.#environment
      const idleMs = this.#openCalls.size > 0 ? 0 : clock.monotonicMs() - this.#idleSinceMs
      if (idleMs >= keepalive.maxIdleMs) this.drain('max_idle')
      else this.#watchIdle(keepalive.maxIdleMs - idleMs)
    })
  }

  /** Pings a client that has been silent, and gives it up when nothing comes back. */
  #watchPulse(): void {
    const { pingMs, pingTimeoutMs } = this.#environment.keepalive
    const before = this.#bytesRead()
    this.#after('pulse', pingMs, () => {
      if (this.#session.destroyed) return
      if (this.#bytesRead() !== before) return this.#watchPulse()
      this.#after('pong', pingTimeoutMs, () => this.destroy())
      const isSent = this.#session.ping((error) => {
        this.#cancel('pong')
        if (error === null) this.#watchPulse()
      })
      if (!isSent) this.destroy()
    })
  }

  #bytesRead(): number {
    // The socket of a destroyed session throws when it is asked anything.
    return this.#session.destroyed ? 0 : this.#session.socket.bytesRead
  }

  #onPing(): void {
    const nowMs = this.#environment.clock.monotonicMs()
    if (!this.#pings.isAbuse(nowMs, this.#openCalls.size)) return
    const calm = constants.NGHTTP2_ENHANCE_YOUR_CALM
    this.#session.goaway(calm, 0, Buffer.from('too_many_pings'))
    this.#session.destroy(new Error('too many pings'), calm)
  }

  #onClose(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }

  #after(name: string, delayMs: number, callback: () => void): void {
    this.#cancel(name)
    if (delayMs === Infinity || this.#session.destroyed) return
    this.#timers.set(name, this.#environment.clock.after(delayMs, callback))
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.cancel()
    this.#timers.delete(name)
  }
}

function ignore(): void {}
