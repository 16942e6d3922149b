/** What ends a call: a status code, a sentence, and for overload how long to wait. */
import type { OutgoingHttpHeaders } from 'node:http2'
import { encodeStatus } from '../../otlp/responses.ts'
import { Refusal } from '../../otlp/refusal.ts'

export interface GrpcStatus {
  /** 0 to 16; never 0 here, success has no status object. */
  readonly code: number
  readonly message: string
  /** Delay to attach as RetryInfo; 0 leaves the choice to the client. Absent: no RetryInfo. */
  readonly retryDelayMs?: number
}

/** The one code in use that no Refusal maps to. */
export const notFoundCode = 5

const resourceExhaustedCode = 8

/** What anything thrown tells a gRPC client. */
export function statusOf(error: unknown): GrpcStatus {
  const refusal = Refusal.from(error)
  const { grpcCode: code, message } = refusal
  let { retryAfterMs } = refusal
  // OTLP: RESOURCE_EXHAUSTED may be retried only where RetryInfo says so, even one that names no delay.
  if (code === resourceExhaustedCode && refusal.retryable) retryAfterMs ??= 0
  return retryAfterMs === undefined || !refusal.retryable
    ? { code, message }
    : { code, message, retryDelayMs: retryAfterMs }
}

/** Header fields of a response that is its own trailer. */
export function statusHeaders(status: GrpcStatus): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ':status': 200,
    'content-type': 'application/grpc',
    'grpc-status': String(status.code),
  }
  const message = clip(status.message)
  if (message !== '') headers['grpc-message'] = percentEncode(message)
  if (status.retryDelayMs !== undefined) {
    const details = encodeStatus('proto', { ...status, message })
    headers['grpc-status-details-bin'] = Buffer.from(details).toString('base64').replace(/=+$/, '')
  }
  return headers
}

// Clients bound their header lists, often at 8 KiB, and percent-encoding can triple a message.
const messageLengthMax = 1024

function clip(message: string): string {
  return message.length <= messageLengthMax ? message : `${message.slice(0, messageLengthMax)}...`
}

/** As the gRPC specification has it: bytes of UTF-8 outside of printable ASCII, and the percent sign itself. */
export function percentEncode(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message
  let encoded = ''
  for (const byte of new TextEncoder().encode(message)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
