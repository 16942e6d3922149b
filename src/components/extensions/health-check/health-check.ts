import type { HttpServerSettings } from '../../../kit/http/server-settings.ts'
import { HttpServer } from '../../../kit/http/http-server.ts'
import { unmatchedAnswer } from '../../../kit/http/plain-answers.ts'
import { pathOf } from '../../../kit/http/request-target.ts'
import { type Answer, answerUnread } from '../../../kit/http/unread-body.ts'
import type { Extension } from '../../../pipeline/component.ts'
import type { Host } from '../../../pipeline/host.ts'

interface HealthCheckSettings extends HttpServerSettings {
  readonly path: string
  readonly response_body: { readonly healthy: string; readonly unhealthy: string }
}

/** Go's zero time, which the Collector shows while it is not up. */
const neverUp = '0001-01-01T00:00:00Z'

/** A page for probes: whether the whole gateway is ready, in the form of the Collector's first health check. */
export class HealthCheck implements Extension {
  readonly #settings: HealthCheckSettings
  readonly #host: Host
  readonly #server: HttpServer

  constructor(settings: HealthCheckSettings, host: Host) {
    this.#settings = settings
    this.#host = host
    this.#server = new HttpServer(
      {
        settings,
        where: '',
        routes: [],
        // Not routes, which match one path and one method: probes ask in any way they like.
        unmatched: (request, response) =>
          answerUnread(request, response, this.#answer(request.url ?? '/'), host.clock),
      },
      host,
    )
  }

  /** The port that was bound; undefined until it has started. */
  get port(): number | undefined {
    return this.#server.port
  }

  start(): Promise<void> {
    return this.#server.start()
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#server.stop(deadline)
  }

  /** As Go's ServeMux: a path ending in a slash answers for its whole subtree. */
  #answersFor(url: string): boolean {
    const asked = pathOf(url)
    const { path } = this.#settings
    return asked === path || (path.endsWith('/') && asked.startsWith(path))
  }

  #answer(url: string): Answer {
    if (!this.#answersFor(url)) return unmatchedAnswer(undefined)
    const { isReady } = this.#host.status
    const { healthy, unhealthy } = this.#settings.response_body
    const ownBody = isReady ? healthy : unhealthy
    const body = Buffer.from(ownBody === '' ? JSON.stringify(this.#report()) : ownBody)
    const type = ownBody === '' ? 'application/json' : 'text/plain'
    const headers = ['Content-Type', type, 'Content-Length', String(body.length)]
    return { status: isReady ? 200 : 503, headers, body }
  }

  #report(): object {
    const { isReady, reason, readySinceMs } = this.#host.status
    if (!isReady) return { status: 'Server not available', upSince: neverUp, uptime: '', reason }
    return {
      status: 'Server available',
      upSince: new Date(readySinceMs).toISOString(),
      uptime: goDuration(this.#host.clock.nowMs() - readySinceMs),
    }
  }
}

/** As Go prints a duration: 1h2m3.5s. */
function goDuration(milliseconds: number): string {
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor(milliseconds / 60_000) % 60
  const seconds = `${(milliseconds % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
