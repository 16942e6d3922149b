import {
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
} from '@grpc/grpc-js'
import { signalNames, signals } from '../../src/otlp/signal.ts'

export interface GrpcPeerRequest {
  readonly path: string
  readonly metadata: Metadata
  readonly message: Buffer
  /** Epoch milliseconds, or Infinity when the client set none. */
  readonly deadline: Date | number
}

export interface GrpcFailure {
  readonly code: number
  readonly details?: string
  readonly metadata?: Metadata
}

export interface GrpcPeer {
  /** host:port */
  readonly address: string
  readonly requests: GrpcPeerRequest[]
  /** The encoded answer, a failure, or 'never', which leaves the client waiting. */
  respond: (request: GrpcPeerRequest) => Uint8Array | GrpcFailure | 'never'
  close(): void
}

/** An OTLP server by grpc-js on a free loopback port that records requests and answers as told. */
export async function startGrpcPeer(
  credentials = ServerCredentials.createInsecure(),
  options: object = {},
): Promise<GrpcPeer> {
  const requests: GrpcPeerRequest[] = []
  const server = new Server(options)
  for (const signal of signalNames) {
    const path = `/${signals[signal].grpcService}/Export`
    const handle = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      const deadline = call.getDeadline()
      const request = { path, metadata: call.metadata, message: call.request, deadline }
      requests.push(request)
      const response = peer.respond(request)
      if (response === 'never') return
      if (response instanceof Uint8Array) answer(null, Buffer.from(response))
      else answer(response)
    }
    const identity = (bytes: Buffer) => bytes
    const codec = {
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    }
    const method = { path, requestStream: false, responseStream: false, ...codec }
    server.addService({ Export: method }, { Export: handle })
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const peer: GrpcPeer = {
    address: `127.0.0.1:${port}`,
    requests,
    respond: () => new Uint8Array(0),
    close: () => server.forceShutdown(),
  }
  return peer
}
