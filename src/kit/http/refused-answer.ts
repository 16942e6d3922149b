import { Refusal, type RefusalCode } from '../../otlp/refusal.ts'
import type { HttpAnswer } from './http-client.ts'
import { parseRetryAfter } from './retry-after.ts'

interface Reading {
  readonly message: string
  readonly cause?: unknown
  /** For a Retry-After that is a date. */
  readonly nowMs: number
  /** Of statuses from 500 on: which ones may be repeated is the protocol's to say. */
  isForNow(status: number): boolean
}

const codes: Readonly<Record<number, RefusalCode>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'unimplemented',
  413: 'too_large',
  429: 'exhausted',
}

/** What an answer means that is no success. */
export function refusedAnswer(answer: HttpAnswer, reading: Reading): Refusal {
  const { status } = answer
  const retryAfterMs = parseRetryAfter(answer.header('retry-after'), reading.nowMs)
  const isForNow = status >= 500 && reading.isForNow(status)
  const code = codes[status] ?? (isForNow ? 'unavailable' : 'internal')
  return new Refusal(code, reading.message, {
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause: reading.cause,
  })
}
