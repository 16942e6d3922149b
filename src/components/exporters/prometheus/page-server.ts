import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import type { Host } from '../../../pipeline/host.ts'
import { acceptsGzip, negotiate, type PageFormat } from './page-format.ts'
import { type ScrapeCounters, scrapeCounters } from './store-metrics.ts'

export interface PageServerSettings {
  readonly endpoint: string
  readonly enable_open_metrics: boolean
  readonly max_concurrent_scrapes: number
  readonly write_timeout: number
  readonly read_header_timeout: number
  readonly idle_timeout: number
  readonly response_headers: Readonly<Record<string, string>>
}

/** The pieces of a page in a format; text is sent as UTF-8. */
export type RenderPage = (format: PageFormat) => Iterator<string | Uint8Array>

/** Pieces rendered before others get the event loop: about three milliseconds' worth. */
const piecesAtOnce = 8

/** Serves /metrics. A page is made as fast as its reader takes it, so a slow one holds no memory. */
export class PageServer {
  readonly #settings: PageServerSettings
  readonly #host: Host
  readonly #render: RenderPage
  readonly #server: Server
  readonly #scrapes: ScrapeCounters
  #activeCount = 0

  constructor(settings: PageServerSettings, host: Host, render: RenderPage) {
    this.#settings = settings
    this.#host = host
    this.#render = render
    this.#scrapes = scrapeCounters(host.meter)
    this.#server = createServer(
      {
        headersTimeout: settings.read_header_timeout,
        keepAliveTimeout: settings.idle_timeout,
        requestTimeout: 0,
      },
      (request, response) => this.#answer(request, response),
    )
  }

  /** The port that was bound, once started. */
  get port(): number {
    const address = this.#server.address()
    assert(typeof address === 'object' && address !== null, 'not listening')
    return address.port
  }

  async start(): Promise<void> {
    const { endpoint } = this.#settings
    const colon = endpoint.lastIndexOf(':')
    const host = endpoint.slice(0, colon).replace(/^\[|\]$/g, '')
    const port = Number(endpoint.slice(colon + 1))
    this.#server.listen(host === '' ? { port } : { host, port })
    await once(this.#server, 'listening')
  }

  /** Pages under way are finished, unless the deadline comes first. */
  async stop(deadline: AbortSignal): Promise<void> {
    if (!this.#server.listening) return
    const cut = () => this.#server.closeAllConnections()
    deadline.addEventListener('abort', cut, { once: true })
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    if (deadline.aborted) cut()
    await closed
    deadline.removeEventListener('abort', cut)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(this.#settings.response_headers)) {
      response.setHeader(name, value)
    }
    const path = (request.url ?? '/').split('?', 1)[0]
    if (path !== '/metrics') return plainAnswer(response, 404, 'the metrics are at /metrics')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD')
      return plainAnswer(response, 405, 'only GET and HEAD')
    }
    if (this.#activeCount >= this.#settings.max_concurrent_scrapes) {
      this.#scrapes.refused.add(1)
      response.setHeader('retry-after', '1')
      return plainAnswer(response, 503, 'too many scrapes at once')
    }
    this.#activeCount++
    void this.#scrape(request, response).finally(() => this.#activeCount--)
  }

  /** Never rejects: a page that cannot be finished is cut off, so that nobody takes it for whole. */
  async #scrape(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const over = new AbortController()
    const timer = this.#host.clock.after(this.#deadlineMs(request), () => over.abort())
    response.once('close', () => over.abort())
    response.once('error', () => over.abort())
    try {
      await this.#send(request, response, over.signal)
      this.#scrapes.complete.add(1)
    } catch (error) {
      this.#scrapes.aborted.add(1)
      if (!over.signal.aborted) {
        this.#host.log.error({ err: error }, 'a scrape failed')
      }
      response.destroy()
    } finally {
      timer.cancel()
    }
  }

  async #send(
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> {
    const format = negotiate(request.headers.accept, this.#settings.enable_open_metrics)
    response.setHeader('content-type', format.contentType)
    response.setHeader('vary', 'Accept, Accept-Encoding')
    const isGzip = acceptsGzip(request.headers['accept-encoding'])
    if (isGzip) response.setHeader('content-encoding', 'gzip')
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    if (!isGzip) {
      await pour(this.#render(format), response, signal)
      return
    }
    // Level 1: a third of the time of the default for pages only a tenth longer.
    const gzip = createGzip({ level: constants.Z_BEST_SPEED })
    gzip.pipe(response)
    try {
      await pour(this.#render(format), gzip, signal)
      if (!response.writableFinished) await once(response, 'finish', { signal })
    } finally {
      gzip.destroy()
    }
  }

  /** The scraper says how long it will wait; nobody may hold a page longer than `write_timeout`. */
  #deadlineMs(request: IncomingMessage): number {
    const { write_timeout: longest } = this.#settings
    const seconds = Number(request.headers['x-prometheus-scrape-timeout-seconds'])
    return seconds > 0 ? Math.min(seconds * 1000, longest) : longest
  }
}

async function pour(
  pieces: Iterator<string | Uint8Array>,
  sink: Writable,
  signal: AbortSignal,
): Promise<void> {
  let untilPause = piecesAtOnce
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    signal.throwIfAborted()
    const { value } = next
    const isTaken =
      value.length === 0 ||
      sink.write(typeof value === 'string' ? Buffer.from(value, 'utf8') : value)
    if (!isTaken) await once(sink, 'drain', { signal })
    if (--untilPause > 0) continue
    untilPause = piecesAtOnce
    await setImmediate(undefined, { signal })
  }
  sink.end()
}

function plainAnswer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`)
}
