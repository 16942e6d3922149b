/** What a call says of itself before its message. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { Refusal, type RefusalCode } from '../../otlp/refusal.ts'
import { type ContentEncoding, isContentEncoding } from '../compression/encodings.ts'
import { parseGrpcTimeout } from './timeout.ts'
import { statusHeaders, statusOf } from './status.ts'

/** Of what kit/compression reads, the names that gRPC knows. `deflate` is zlib's format there, as in HTTP. */
const messageEncodings: readonly string[] = [
  'gzip',
  'zstd',
  'deflate',
  'snappy',
] satisfies ContentEncoding[]

const acceptEncoding = ['identity', ...messageEncodings].join(',')

export interface RequestHead {
  readonly path: string
  readonly encoding: ContentEncoding | undefined
  /** Infinity without a `grpc-timeout`. */
  readonly timeoutMs: number
}

/** The headers to answer with where it is not a call that can be served. */
export type Unserved = OutgoingHttpHeaders

export function readRequestHead(headers: IncomingHttpHeaders): RequestHead | Unserved {
  if (headers[':method'] !== 'POST') {
    return { ...refused('internal', 'a gRPC call is a POST'), ':status': 405, allow: 'POST' }
  }
  const contentType = headers['content-type']
  // The usual two at no cost; parameters and other spellings of them are rare.
  if (contentType !== 'application/grpc' && !isGrpc(contentType ?? '')) {
    const message = `content-type must be application/grpc, got ${contentType ?? 'none'}`
    return { ...refused('invalid', message), ':status': 415 }
  }
  const encoding = headers['grpc-encoding'] as string | undefined
  if (encoding !== undefined && encoding !== 'identity' && !messageEncodings.includes(encoding)) {
    return {
      ...refused('unimplemented', `grpc-encoding ${encoding} is not supported`),
      'grpc-accept-encoding': acceptEncoding,
    }
  }
  const timeout = headers['grpc-timeout'] as string | undefined
  const timeoutMs = timeout === undefined ? Infinity : parseGrpcTimeout(timeout)
  if (timeoutMs === undefined) {
    return refused('internal', `grpc-timeout must be up to 8 digits and a unit, got ${timeout}`)
  }
  return {
    path: headers[':path'] ?? '',
    encoding: encoding !== undefined && isContentEncoding(encoding) ? encoding : undefined,
    timeoutMs,
  }
}

export function isUnserved(head: RequestHead | Unserved): head is Unserved {
  return ':status' in head
}

function isGrpc(contentType: string): boolean {
  return /^application\/grpc(\+proto)?\s*(;.*)?$/i.test(contentType)
}

function refused(code: RefusalCode, message: string): Unserved {
  return statusHeaders(statusOf(new Refusal(code, message)))
}
