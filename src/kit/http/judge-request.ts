import type { IncomingMessage } from 'node:http'
import { Refusal } from '../../otlp/refusal.ts'
import type { HeaderOf, Verdict } from '../../pipeline/authenticator.ts'
import type { Host } from '../../pipeline/host.ts'
import { serverAuthenticator } from '../auth/lend.ts'
import { textAnswer } from './plain-answers.ts'
import { queryOf } from './request-target.ts'
import type { HttpServerSettings } from './server-settings.ts'
import type { Answer } from './unread-body.ts'

export interface RequestJudge {
  /** What a 401 asks for. */
  readonly challenge: string
  judge(request: IncomingMessage): Verdict | Promise<Verdict>
}

/** Undefined where everybody may send. */
export function requestJudge(
  settings: HttpServerSettings['auth'],
  host: Pick<Host, 'extension'>,
): RequestJudge | undefined {
  const authenticator = serverAuthenticator(settings, host)
  if (settings === undefined || authenticator === undefined) return undefined
  const parameters = settings.request_params
  return {
    challenge: authenticator.challenge,
    judge: (request) => authenticator.authenticate(headerOf(request, parameters)),
  }
}

/** As the Collector has it, a parameter in the query goes before the header of its name. */
function headerOf(request: IncomingMessage, parameters: readonly string[]): HeaderOf {
  const { headers } = request
  const header = (name: string) => [headers[name]].flat()[0]
  const target = request.url ?? ''
  if (parameters.length === 0 || !target.includes('?')) return header
  const query = queryOf(target)
  return (name) => {
    const parameter = parameters.find((each) => each.toLowerCase() === name)
    return (parameter === undefined ? undefined : query.get(parameter)) ?? header(name)
  }
}

/** In text, for servers that say nothing else of their own. */
export function refusalAsText({ httpStatus, message, retryAfterMs }: Refusal): Answer {
  const wait =
    retryAfterMs === undefined
      ? []
      : ['Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000)))]
  return textAnswer(httpStatus, `${message}\n`, wait)
}
