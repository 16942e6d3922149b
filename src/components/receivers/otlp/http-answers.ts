/** What OTLP/HTTP clients are told: the status table of the specification, written in the form they speak. */
import type { IncomingMessage } from 'node:http'
import type { Answer } from '../../../kit/http/unread-body.ts'
import { textAnswer, unmatchedAnswer } from '../../../kit/http/plain-answers.ts'
import type { Refusal } from '../../../otlp/refusal.ts'
import { type MessageForm, encodeExportResponse, encodeStatus } from '../../../otlp/responses.ts'
import type { Signal } from '../../../otlp/signal.ts'

const contentTypes: Readonly<Record<MessageForm, string>> = {
  proto: 'application/x-protobuf',
  json: 'application/json',
}

const contentTypePattern = /^\s*application\/(x-protobuf|json)\s*(?:;|$)/i

/** The form a request is in, which is also its answer's; undefined for any other content type. Parameters are ignored. */
export function formOf(request: IncomingMessage): MessageForm | undefined {
  const contentType = request.headers['content-type']
  if (contentType === contentTypes.proto) return 'proto'
  if (contentType === contentTypes.json) return 'json'
  const kind = contentTypePattern.exec(contentType ?? '')?.[1].toLowerCase()
  if (kind === undefined) return undefined
  return kind === 'json' ? 'json' : 'proto'
}

export function successAnswer(signal: Signal, form: MessageForm): Answer {
  return answerIn(form, 200, encodeExportResponse(signal, form))
}

/** Says how long to wait only where trying again makes sense. */
export function refusalAnswer(refusal: Refusal, form: MessageForm): Answer {
  const { httpStatus: status, grpcCode: code, message, retryAfterMs, retryable } = refusal
  const wait =
    retryable && retryAfterMs !== undefined
      ? ['Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000)))]
      : []
  return answerIn(form, status, encodeStatus(form, { code, message }), wait)
}

/**
 * 404, of which `notFound` says why, and 405. OTLP wants a Status in the request's form for every error, where the
 * Collector sends text: a client whose form is known gets the Status, any other the Collector's text.
 */
export function unmatchedIn(
  form: MessageForm | undefined,
  allowed: readonly string[] | undefined,
  notFound: string,
): Answer {
  const plain = unmatchedAnswer(allowed)
  if (form === undefined) return plain
  const code = codes.unimplemented
  const message =
    allowed === undefined ? notFound : `method not allowed, supported: [${allowed.join(', ')}]`
  const extra = allowed === undefined ? [] : ['Allow', allowed.join(', ')]
  return answerIn(form, plain.status, encodeStatus(form, { code, message }), extra)
}

/** There is no form to answer in, so text, in the Collector's words. */
export const unsupportedTypeAnswer = textAnswer(
  415,
  '415 unsupported media type, supported: [application/json, application/x-protobuf]',
)

const codes = { unimplemented: 12 } as const

function answerIn(
  form: MessageForm,
  status: number,
  body: Uint8Array,
  extra: readonly string[] = [],
): Answer {
  const length = String(body.length)
  return {
    status,
    headers: ['Content-Type', contentTypes[form], 'Content-Length', length, ...extra],
    body: form === 'json' ? Buffer.from(body).toString() : body,
  }
}
