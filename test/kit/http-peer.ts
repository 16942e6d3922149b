import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TlsOptions } from 'node:tls'

export interface PeerRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface PeerAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string
}

export interface HttpPeer {
  readonly url: string
  readonly requests: PeerRequest[]
  /** What the next requests are answered with; 200 without a body unless set. 'never' leaves the client waiting. */
  respond: (request: PeerRequest) => PeerAnswer | 'never' | 'cut'
  close(): Promise<void>
}

/** A server on a free loopback port that records requests and answers as told. */
export async function startHttpPeer(tls?: TlsOptions): Promise<HttpPeer> {
  const requests: PeerRequest[] = []
  const server = tls === undefined ? createServer() : createTlsServer(tls)
  server.on('request', (incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const { method = '', url = '', headers } = incoming
      const request = { method, path: url, headers, body }
      requests.push(request)
      const answer = peer.respond(request)
      if (answer === 'cut') incoming.socket.destroy()
      else if (answer !== 'never') {
        outgoing.writeHead(answer.status ?? 200, answer.headers ?? {}).end(answer.body)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const peer: HttpPeer = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    respond: () => ({}),
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return peer
}
