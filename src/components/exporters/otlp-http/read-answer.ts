import {
  decodePartialSuccess,
  decodeStatus,
  type MessageForm,
  type PartialSuccess,
} from '../../../otlp/responses.ts'
import type { Signal } from '../../../otlp/signal.ts'
import type { HttpAnswer } from '../../../kit/http/http-client.ts'
import { refusedAnswer } from '../../../kit/http/refused-answer.ts'
import { shownUrl } from '../../../kit/http/shown-url.ts'

interface Asked {
  readonly signal: Signal
  readonly url: URL
  /** For a Retry-After that is a date. */
  readonly nowMs: number
}

/** What a server's answer to an export means: success, wholly or in part, or the Refusal that is thrown. */
export function readAnswer(answer: HttpAnswer, asked: Asked): PartialSuccess | undefined {
  const form = messageForm(answer)
  if (answer.status >= 200 && answer.status < 300) {
    return form && decodePartialSuccess(asked.signal, answer.body, form)
  }
  const message =
    `error exporting items, request to ${shownUrl(asked.url)} responded with ` +
    `HTTP Status Code ${answer.status}${explanation(answer, form)}`
  // OTLP, "Failures": 429, 502, 503 and 504 may be retried; every other 4xx and 5xx may not.
  const isForNow = (status: number) => status >= 502 && status <= 504
  throw refusedAnswer(answer, { message, nowMs: asked.nowMs, isForNow })
}

function messageForm(answer: HttpAnswer): MessageForm | undefined {
  const type = answer.header('content-type')?.split(';', 1)[0].trim().toLowerCase()
  if (type === 'application/x-protobuf') return 'proto'
  return type === 'application/json' ? 'json' : undefined
}

const textLengthMax = 200

/** The server's words: of a Status, else the beginning of a text or page, else where it points to. */
function explanation(answer: HttpAnswer, form: MessageForm | undefined): string {
  const location = answer.header('location')
  if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
    return `, which redirects to ${location}`
  }
  // Some servers label a protobuf Status as something else.
  const status = decodeStatus(answer.body, form ?? 'proto')
  if (status !== undefined && status.message !== '') return `, Message=${status.message}`
  if (form === 'proto') return ''
  const text = new TextDecoder()
    .decode(answer.body)
    .replaceAll(/<[^>]*>|\s+/g, ' ')
    .trim()
  return text === '' ? '' : `, Message=${text.slice(0, textLengthMax)}`
}
