import { Refusal } from '../../otlp/refusal.ts'
import { explainClientTlsError, withoutOpenSslPlaces } from '../tls/explain-tls.ts'

/** What a request that got no answer means: the peer may be back later, so it is worth another try. */
export function connectionRefusal(url: URL, error: unknown): Refusal {
  const reason = describe(error)
  const hint = explainClientTlsError(error, url.origin) ?? hintFor(url, reason)
  const message = `no answer from ${url.origin}: ${reason}${hint === '' ? '' : ` (${hint})`}`
  return new Refusal('unavailable', message, { cause: error })
}

interface ErrorLike {
  readonly message?: string
  readonly code?: string
  readonly errors?: readonly ErrorLike[]
  readonly cause?: ErrorLike
}

function describe(error: unknown): string {
  const { message, code, errors } = error as ErrorLike
  // One for each address that was tried, under an empty message.
  if (errors !== undefined && errors.length > 0) return errors.map(describe).join(', ')
  const text = withoutOpenSslPlaces(message ?? String(error)).trim()
  return code === undefined || text.includes(code) ? text : `${code} ${text}`.trim()
}

function hintFor(url: URL, reason: string): string {
  const isNotHttp = /HPE_INVALID|Parse Error|Expected HTTP/.test(reason)
  return url.protocol === 'http:' && isNotHttp
    ? 'the server may speak TLS: use https:// in the endpoint'
    : ''
}
