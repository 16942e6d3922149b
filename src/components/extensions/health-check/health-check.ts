import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Extension } from '../../../pipeline/component.ts'
import type { Host } from '../../../pipeline/host.ts'

interface HealthCheckSettings {
  readonly endpoint: string
  readonly path: string
  readonly response_body: { readonly healthy: string; readonly unhealthy: string }
}

/** Go's zero time, which the Collector shows while it is not up. */
const neverUp = '0001-01-01T00:00:00Z'

/** A page for probes: whether the whole gateway is ready, in the form of the Collector's first health check. */
export class HealthCheck implements Extension {
  readonly #settings: HealthCheckSettings
  readonly #host: Host
  readonly #server: Server

  constructor(settings: HealthCheckSettings, host: Host) {
    this.#settings = settings
    this.#host = host
    this.#server = createServer((request, response) => {
      if (this.#answersFor(request.url ?? '/')) this.#answer(response)
      else response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found\n')
    })
  }

  /** The port that was bound, once started. */
  get port(): number {
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null, 'not listening')
    return address.port
  }

  start(): Promise<void> {
    const { endpoint } = this.#settings
    const colon = endpoint.lastIndexOf(':')
    const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
    const port = Number(endpoint.slice(colon + 1))
    return new Promise((done, failed) => {
      this.#server.once('error', failed)
      this.#server.listen({ port, ...boundHost(host) }, () => {
        this.#server.off('error', failed)
        done()
      })
    })
  }

  stop(): Promise<void> {
    return new Promise((done) => {
      this.#server.close(() => done())
      this.#server.closeAllConnections()
    })
  }

  /** As Go's ServeMux: a path ending in a slash answers for its whole subtree. */
  #answersFor(url: string): boolean {
    const asked = url.split('?', 1)[0]
    const { path } = this.#settings
    return asked === path || (path.endsWith('/') && asked.startsWith(path))
  }

  #answer(response: ServerResponse): void {
    const { isReady } = this.#host.status
    const { healthy, unhealthy } = this.#settings.response_body
    const ownBody = isReady ? healthy : unhealthy
    const contentType = ownBody === '' ? 'application/json' : 'text/plain'
    response
      .writeHead(isReady ? 200 : 503, { 'content-type': contentType })
      .end(ownBody === '' ? JSON.stringify(this.#report()) : ownBody)
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

/** Of the two loopback addresses localhost means the IPv4 one, as in Go; no host means every address. */
function boundHost(host: string): { host?: string } {
  if (host === '') return {}
  return { host: host === 'localhost' ? '127.0.0.1' : host }
}

/** As Go prints a duration: 1h2m3.5s. */
function goDuration(milliseconds: number): string {
  const hours = Math.floor(milliseconds / 3_600_000)
  const minutes = Math.floor(milliseconds / 60_000) % 60
  const seconds = `${(milliseconds % 60_000) / 1000}s`
  if (hours > 0) return `${hours}h${minutes}m${seconds}`
  return minutes > 0 ? `${minutes}m${seconds}` : seconds
}
