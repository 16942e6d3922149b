import type { Socket } from 'node:net'
import type { Host } from '../../pipeline/host.ts'
import { isPlaintextClient, isTlsHello } from '../tls/explain-tls.ts'

/** A client that is wrong once is wrong again at once: one line of each kind in this time says enough. */
const silenceMs = 10_000

/** What Node gives for a request that it could not parse; the bytes it stopped at besides. */
export type ClientError = NodeJS.ErrnoException & { readonly rawPacket?: Uint8Array }

/** Logs what clients do wrong below HTTP, in words that name the likely mistake. */
export class ClientComplaints {
  readonly #host: Pick<Host, 'clock' | 'log'>
  readonly #silentUntilMs = new Map<string, number>()

  constructor(host: Pick<Host, 'clock' | 'log'>) {
    this.#host = host
  }

  /** What was not HTTP. */
  malformed(error: ClientError, socket: Socket): void {
    const { code = '', rawPacket } = error
    // Going away is a client's right.
    if (code === 'ECONNRESET' || code === 'EPIPE') return
    if (rawPacket !== undefined && isTlsHello(rawPacket)) {
      this.#warn('a client speaks TLS to this plaintext server: see tls', socket)
    } else if (code === 'HPE_PAUSED_H2_UPGRADE') {
      this.#warn('a client speaks HTTP/2 to this HTTP/1.1 server: is it gRPC?', socket)
    } else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      this.#warn('a request took too long to arrive', socket)
    } else this.#warn(`a client sent what is not HTTP (${code || error.message})`, socket)
  }

  /** A TLS handshake that failed. */
  handshake(error: Error, socket: Socket): void {
    const text = isPlaintextClient(error)
      ? 'a client speaks plaintext to this TLS server'
      : `a TLS handshake failed: ${error.message}`
    this.#warn(text, socket)
  }

  tooMany(where: string, connectionsMax: number): void {
    const setting = where === '' ? 'max_connections' : `${where}.max_connections`
    this.#warn(`connections are closed at once: ${setting} is ${connectionsMax}`, undefined)
  }

  #warn(message: string, socket: Socket | undefined): void {
    const nowMs = this.#host.clock.monotonicMs()
    const kind = message.replace(/[:(].*/s, '')
    if (nowMs < (this.#silentUntilMs.get(kind) ?? 0)) return
    this.#silentUntilMs.set(kind, nowMs + silenceMs)
    this.#host.log.warn(socket === undefined ? {} : { client: socket.remoteAddress }, message)
  }
}
