/** Clients of gRPC servers under test: grpc-js as a foreign one, and bare node:http2 for what no client would do. */
import {
  connect as connectHttp2,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
} from 'node:http2'
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientOptions,
  Metadata,
  type ServiceError,
  credentials,
  status,
} from '@grpc/grpc-js'

export interface CallResult {
  /** The status' name, such as OK. */
  readonly code: string
  readonly details: string
  readonly message: Buffer | undefined
  readonly metadata: Metadata
}

const same = (bytes: Buffer) => bytes

/** Unary calls by grpc-js. */
export class ForeignClient {
  readonly client: Client

  constructor(
    port: number,
    options: ClientOptions = {},
    secure: ChannelCredentials = credentials.createInsecure(),
  ) {
    // Sub-channels are pooled by address otherwise, and a test would meet another's connection.
    const own = { 'grpc.use_local_subchannel_pool': 1, ...options }
    this.client = new Client(`localhost:${port}`, secure, own)
  }

  call(
    path: string,
    message: Uint8Array,
    options: CallOptions = {},
    metadata = new Metadata(),
  ): Promise<CallResult> & { cancel(): void } {
    let cancel = () => {}
    const result = new Promise<CallResult>((resolve) => {
      const done = (error: ServiceError | null, reply?: Buffer) =>
        resolve({
          code: status[error?.code ?? 0],
          details: error?.details ?? '',
          message: reply,
          metadata: error?.metadata ?? new Metadata(),
        })
      const body = Buffer.from(message)
      const call = this.client.makeUnaryRequest(path, same, same, body, metadata, options, done)
      cancel = () => call.cancel()
    })
    return Object.assign(result, { cancel })
  }

  close(): void {
    this.client.close()
  }
}

export interface RawAnswer {
  /** Of the response, or of a trailers-only answer. */
  readonly headers: IncomingHttpHeaders
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
  readonly resetCode: number
}

export interface RawRequest {
  readonly path: string
  readonly headers?: Record<string, string>
  readonly pieces?: readonly Uint8Array[]
  /** Keeps the request open after its pieces. */
  readonly leaveOpen?: boolean
}

/** Requests of any shape over one HTTP/2 connection. */
export class RawClient {
  readonly session: ClientHttp2Session

  constructor(port: number) {
    this.session = connectHttp2(`http://127.0.0.1:${port}`)
    this.session.on('error', () => {})
  }

  request({ path, headers = {}, pieces = [], leaveOpen = false }: RawRequest): Promise<RawAnswer> {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    })
    const chunks: Buffer[] = []
    let answer: IncomingHttpHeaders = {}
    let trailers: IncomingHttpHeaders = {}
    stream.on('response', (got) => (answer = got))
    stream.on('trailers', (got) => (trailers = got))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('error', () => {})
    for (const piece of pieces) stream.write(piece)
    if (!leaveOpen) stream.end()
    return new Promise((resolve) =>
      stream.on('close', () =>
        resolve({
          headers: answer,
          trailers,
          body: Buffer.concat(chunks),
          resetCode: stream.rstCode,
        }),
      ),
    )
  }

  close(): void {
    this.session.destroy()
  }
}

/** A length-prefixed message. `announced` lies about the length. */
export function frame(message: Uint8Array, { flag = 0, announced = message.length } = {}): Buffer {
  const bytes = Buffer.alloc(5 + message.length)
  bytes[0] = flag
  bytes.writeUInt32BE(announced, 1)
  bytes.set(message, 5)
  return bytes
}
