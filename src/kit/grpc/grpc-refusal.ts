import { type Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { Refusal, type RefusalCode } from '../../otlp/refusal.ts'
import { decodeStatus } from '../../otlp/responses.ts'
import { settingForPlaintext, withoutOpenSslPlaces } from '../tls/explain-tls.ts'

// OTLP, "Failures": what may be retried. Every code that is not here may not.
const codes: Readonly<Record<number, RefusalCode>> = {
  1: 'cancelled',
  3: 'invalid',
  4: 'deadline_exceeded',
  7: 'permission_denied',
  10: 'aborted',
  11: 'unavailable',
  12: 'unimplemented',
  14: 'unavailable',
  15: 'unavailable',
  16: 'unauthenticated',
}

/** What a failed call means for the one who sent it. */
export function grpcRefusal(error: ServiceError, endpoint: string): Refusal {
  const retryAfterMs = retryDelayMs(error.metadata)
  const hint = hintFor(error.details, endpoint)
  const message = `request to ${endpoint} failed: ${plainly(error.message)}${hint}`
  const detail = { cause: error, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  if (error.code === status.RESOURCE_EXHAUSTED) {
    // Without RetryInfo it is no plea to slow down: the message is over the server's limit.
    return new Refusal(retryAfterMs === undefined ? 'too_large' : 'exhausted', message, detail)
  }
  return new Refusal(codes[error.code] ?? 'internal', message, detail)
}

/** Without what grpc-js says of its balancer, and OpenSSL of its sources, round the one reason that counts. */
function plainly(message: string): string {
  return withoutOpenSslPlaces(message)
    .replaceAll(/(?:\b\w+: )?No connection established\. Last error: (?:Error: )?/g, '')
    .replace(/\.? Resolution note: $/, '')
}

/** Of RetryInfo in the trailer; undefined without it. */
function retryDelayMs(metadata: Metadata | undefined): number | undefined {
  const [details] = metadata?.get('grpc-status-details-bin') ?? []
  return typeof details === 'object' ? decodeStatus(details)?.retryDelayMs : undefined
}

function hintFor(details: string, endpoint: string): string {
  if (/WRONG_VERSION_NUMBER|wrong version number|packet length too long/i.test(details)) {
    return ` (the server speaks plaintext: ${settingForPlaintext(endpoint)})`
  }
  if (/CERT_ALTNAME_INVALID|does not match certificate's altnames/.test(details)) {
    return ' (the certificate is for another name: set tls.server_name_override)'
  }
  if (/self-signed|SELF_SIGNED|unable to (get|verify)|UNABLE_TO_/.test(details)) {
    return ' (the certificate is not trusted: set tls.ca_file)'
  }
  return ''
}
