/** node:http2 servers with the limits and windows that suit telemetry. */
import {
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  createSecureServer,
  createServer,
} from 'node:http2'
import type { ServerTls } from '../tls/load-tls.ts'

const kib = 1024
// A stream's window holds the usual large batch, the connection's several: no sender waits for a round trip.
const streamWindowBytes = 1024 * kib
const connectionWindowBytes = 8 * 1024 * kib

const handshakeMs = 20_000

const abuseLimits = {
  /** In MiB: answers that wait, header tables and the like. The messages themselves are in the ledger. */
  maxSessionMemory: 16,
  maxHeaderListPairs: 128,
  maxSessionInvalidFrames: 100,
  // Streams over max_concurrent_streams, which a client may well send before it has read our SETTINGS.
  maxSessionRejectedStreams: 1000,
  // Clients give calls up in waves; what goes on beyond them is the rapid reset attack and ends the connection.
  streamResetBurst: 1000,
  streamResetRate: 100,
}

export function createHttp2Server(
  concurrentStreamsMax: number,
  tls: ServerTls | undefined,
): Http2Server {
  const options: SecureServerOptions = {
    ...abuseLimits,
    noDelay: true,
    settings: {
      initialWindowSize: streamWindowBytes,
      maxConcurrentStreams: concurrentStreamsMax,
      maxHeaderListSize: 64 * kib,
    },
  }
  if (tls === undefined) return createServer(options)
  const { context, requestCert } = tls
  return createSecureServer({
    ...options,
    ...context,
    // gRPC is HTTP/2 alone: whoever offers nothing else is turned away in the handshake.
    ALPNProtocols: ['h2'],
    handshakeTimeout: handshakeMs,
    requestCert,
    rejectUnauthorized: requestCert,
  })
}

/** The part of the window that no setting reaches. */
export function widenConnection(session: ServerHttp2Session): void {
  session.setLocalWindowSize(connectionWindowBytes)
}
