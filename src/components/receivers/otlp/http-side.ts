import type { IncomingMessage, ServerResponse } from 'node:http'
import { Deadlines } from '../../../kit/deadlines/deadlines.ts'
import { HttpServer } from '../../../kit/http/http-server.ts'
import { refusalAsText } from '../../../kit/http/judge-request.ts'
import { pathOf } from '../../../kit/http/request-target.ts'
import { answerUnread } from '../../../kit/http/unread-body.ts'
import { createIntakes } from '../../../kit/ingest/intake.ts'
import type { Refusal } from '../../../otlp/refusal.ts'
import { signalNames } from '../../../otlp/signal.ts'
import type { ReceiverHost } from '../../../pipeline/host.ts'
import { ExportRoute } from './export-route.ts'
import { formOf, refusalAnswer, unmatchedIn } from './http-answers.ts'
import { type HttpSideSettings, httpPath } from './http-settings.ts'

/** OTLP over HTTP: one POST route for each signal that some pipeline wants; the others are not found. */
export function createHttpSide(settings: HttpSideSettings, host: ReceiverHost): HttpServer {
  const intakes = createIntakes(host, 'http', signalNames)
  const deadlines = new Deadlines(host.clock)
  const routes = Array.from(intakes.values(), (intake) => {
    const route = new ExportRoute(intake, settings, { host, deadlines })
    return {
      method: 'POST',
      path: httpPath(settings, intake.signal),
      handle: route.handle,
    } as const
  })
  const signalAt = new Map(signalNames.map((signal) => [httpPath(settings, signal), signal]))
  const known = routes.map(({ path }) => path).join(', ')
  const whyNotFound = (request: IncomingMessage) => {
    const signal = signalAt.get(pathOf(request.url!))
    if (signal === undefined) return `no such path; known here: ${known}`
    return `no pipeline takes ${signal} from this receiver`
  }
  const unmatched = (
    request: IncomingMessage,
    response: ServerResponse,
    allowed: readonly string[] | undefined,
  ) => {
    const answer = unmatchedIn(formOf(request), allowed, whyNotFound(request))
    answerUnread(request, response, answer, host.clock)
  }
  const refused = (request: IncomingMessage, refusal: Refusal) => {
    const form = formOf(request)
    return form === undefined ? refusalAsText(refusal) : refusalAnswer(refusal, form)
  }
  const onStopped = () => deadlines.stop()
  const parts = { settings, where: 'protocols.http', routes, unmatched, refused, onStopped }
  return new HttpServer(parts, host)
}
