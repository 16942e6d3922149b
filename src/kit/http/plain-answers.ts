/** Answers that belong to no protocol above HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../platform/platform.ts'
import { type Answer, answerUnread } from './unread-body.ts'

export function textAnswer(status: number, text: string, extra: readonly string[] = []): Answer {
  const type = 'text/plain; charset=utf-8'
  return {
    status,
    headers: ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text)), ...extra],
    body: text,
  }
}

/** 405 in the Collector's words for a path that has other methods, 404 for any other. */
export function unmatchedAnswer(allowed: readonly string[] | undefined): Answer {
  if (allowed === undefined) return textAnswer(404, '404 page not found\n')
  const list = allowed.join(', ')
  return textAnswer(405, `405 method not allowed, supported: [${list}]`, ['Allow', list])
}

export function answerUnmatchedAsText(clock: Clock) {
  return (
    request: IncomingMessage,
    response: ServerResponse,
    allowed: readonly string[] | undefined,
  ): void => answerUnread(request, response, unmatchedAnswer(allowed), clock)
}

/**
 * For a socket whose request the parser gave up on. A body that is too slow gets 503 where HTTP would say 408, because
 * OTLP clients throw away what is answered with any 4xx but 429.
 */
export function rawAnswer(errorCode: string | undefined, hasHeaders: boolean): string {
  const status = rawStatus(errorCode, hasHeaders)
  const retry = status.startsWith('503') ? 'Retry-After: 1\r\n' : ''
  return `HTTP/1.1 ${status}\r\n${retry}Connection: close\r\nContent-Length: 0\r\n\r\n`
}

function rawStatus(errorCode: string | undefined, hasHeaders: boolean): string {
  switch (errorCode) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return hasHeaders ? '503 Service Unavailable' : '408 Request Timeout'
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large'
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return '413 Payload Too Large'
    default:
      return '400 Bad Request'
  }
}
