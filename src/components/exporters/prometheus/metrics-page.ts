import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { constants, createGzip } from 'node:zlib'
import type { HttpRoute } from '../../../kit/http/http-server.ts'
import type { Host } from '../../../pipeline/host.ts'
import { acceptsGzip, negotiate, type PageFormat } from './page-format.ts'
import { PieceBuffers } from './page-writer.ts'
import { type ScrapeCounters, scrapeCounters } from './store-metrics.ts'

interface MetricsPageSettings {
  readonly enable_open_metrics: boolean
  readonly max_concurrent_scrapes: number
  readonly write_timeout: number
}

/** The pieces of a page in a format; each may lie in one of the buffers. */
export type RenderPage = (
  format: PageFormat,
  buffers: PieceBuffers,
) => Iterator<Uint8Array<ArrayBufferLike>>

/** Pieces rendered before others get the event loop: at most three milliseconds' worth. */
const piecesAtOnce = 4

/** Level 1: a third of the time of the default for pages only a tenth longer. */
const gzipOptions = { level: constants.Z_BEST_SPEED, chunkSize: 1 << 16 }

/** Without a `write_timeout`: nobody may hold a page for ever. */
const scrapeMsMax = 300_000

/** Answers scrapes. A page is made as fast as its reader takes it, so a slow one holds no memory. */
export class MetricsPage {
  readonly #settings: MetricsPageSettings
  readonly #host: Host
  readonly #render: RenderPage
  readonly #scrapes: ScrapeCounters
  #activeCount = 0

  constructor(settings: MetricsPageSettings, host: Host, render: RenderPage) {
    this.#settings = settings
    this.#host = host
    this.#render = render
    this.#scrapes = scrapeCounters(host)
  }

  get route(): HttpRoute {
    return {
      method: 'GET',
      path: '/metrics',
      handle: (request, response) => this.#answer(request, response),
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#activeCount >= this.#settings.max_concurrent_scrapes) {
      this.#scrapes.refused.add(1)
      const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }
      response.writeHead(503, headers).end('too many scrapes at once\n')
      return
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
    const gzip = isGzip ? createGzip(gzipOptions) : undefined
    gzip?.pipe(response)
    try {
      const buffers = new PieceBuffers()
      await pour(this.#render(format, buffers), { sink: gzip ?? response, buffers, signal })
      // The last pieces may still wait for a reader that does not read.
      if (!response.writableFinished) await once(response, 'finish', { signal })
    } finally {
      gzip?.destroy()
    }
  }

  /** The scraper says how long it will wait; nobody may hold a page longer than `write_timeout`. */
  #deadlineMs(request: IncomingMessage): number {
    const longest = this.#settings.write_timeout || scrapeMsMax
    const seconds = Number(request.headers['x-prometheus-scrape-timeout-seconds'])
    return seconds > 0 ? Math.min(seconds * 1000, longest) : longest
  }
}

interface Drain {
  readonly sink: Writable
  readonly buffers: PieceBuffers
  readonly signal: AbortSignal
}

async function pour(pieces: Iterator<Uint8Array>, { sink, buffers, signal }: Drain): Promise<void> {
  let untilPause = piecesAtOnce
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    signal.throwIfAborted()
    const { value } = next
    const isTaken = value.length === 0 || sink.write(value, () => buffers.giveBack(value))
    if (!isTaken) await once(sink, 'drain', { signal })
    if (--untilPause > 0) continue
    untilPause = piecesAtOnce
    await setImmediate(undefined, { signal })
  }
  sink.end()
}
