import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import { constants, createGzip } from 'node:zlib'
import type { HttpRoute } from '../../../kit/http/http-server.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { Clock, Timer } from '../../../platform/platform.ts'
import { acceptsGzip, negotiate, type PageFormat } from './page-format.ts'
import { PageTurns } from './page-turns.ts'
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

/** Level 1: a third of the time of the default for pages only a tenth longer. */
const gzipOptions = { level: constants.Z_BEST_SPEED, chunkSize: 1 << 16 }

/** Without a `write_timeout`: nobody may hold a page for ever. */
const scrapeMsMax = 300_000

/** A reader that has taken nothing for longer than this gives way to who comes when all places are taken. */
const stalledMs = 1000

/** While the exporter stops, such a reader is cut off after this long: a slow one takes at least a piece in it. */
const stalledAtEndMs = 5000

/** Answers scrapes. A page is made as fast as its reader takes it, so a slow one holds no memory. */
export class MetricsPage {
  readonly #settings: MetricsPageSettings
  readonly #host: Host
  readonly #render: RenderPage
  readonly #scrapes: ScrapeCounters
  readonly #active = new Set<Scrape>()
  readonly #turns = new PageTurns()

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

  /** For while the server stops, until it has: whose reader takes nothing any more holds nobody up. */
  cutStalled(): Timer {
    return this.#host.clock.every(stalledAtEndMs / 10, () => {
      for (const scrape of this.#active) {
        if (scrape.waitedMs < stalledAtEndMs || scrape.signal.aborted) continue
        this.#host.log.warn({}, 'a scrape was cut off at shutdown: its reader takes nothing')
        scrape.end()
      }
    })
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#hasPlace()) {
      this.#scrapes.refused.add(1)
      const headers = { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' }
      response.writeHead(503, headers).end('too many scrapes at once\n')
      return
    }
    const scrape = new Scrape(this.#host.clock)
    this.#active.add(scrape)
    void this.#scrape(scrape, request, response).finally(() => this.#active.delete(scrape))
  }

  /** Where all places are taken, ends the scrape whose reader has taken nothing for the longest. */
  #hasPlace(): boolean {
    if (this.#active.size < this.#settings.max_concurrent_scrapes) return true
    let slowest: Scrape | undefined
    for (const scrape of this.#active) {
      if (slowest === undefined || scrape.waitedMs > slowest.waitedMs) slowest = scrape
    }
    if (slowest === undefined || slowest.waitedMs <= stalledMs) return false
    this.#active.delete(slowest)
    slowest.displace()
    return true
  }

  /** Never rejects: a page that cannot be finished is cut off, so that nobody takes it for whole. */
  async #scrape(scrape: Scrape, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const timer = this.#host.clock.after(this.#deadlineMs(request), () => scrape.end())
    response.once('close', () => scrape.end())
    response.once('error', () => scrape.end())
    try {
      await this.#send(scrape, request, response)
      this.#scrapes.complete.add(1)
    } catch (error) {
      this.#scrapes[scrape.isDisplaced ? 'displaced' : 'aborted'].add(1)
      if (!scrape.signal.aborted) {
        this.#host.log.error({ err: error }, 'a scrape failed')
      }
      response.destroy()
    } finally {
      timer.cancel()
    }
  }

  async #send(scrape: Scrape, request: IncomingMessage, response: ServerResponse): Promise<void> {
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
      const turns = this.#turns
      await pour(this.#render(format, buffers), { sink: gzip ?? response, buffers, scrape, turns })
      // The last pieces may still wait for a reader that does not read.
      if (!response.writableFinished) await scrape.reader(response, 'finish')
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

/** One answer under way, until it is whole or cut off. */
class Scrape {
  readonly #clock: Clock
  readonly #over = new AbortController()
  #waitingSinceMs = Infinity
  #isDisplaced = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Whether it was cut off to make room for another. */
  get isDisplaced(): boolean {
    return this.#isDisplaced
  }

  /** How long nothing could be written because its reader takes nothing; not positive if it could. */
  get waitedMs(): number {
    return this.#clock.monotonicMs() - this.#waitingSinceMs
  }

  /** Settles with the event, by which its reader has taken something; rejects once the scrape is over. */
  async reader(sink: Writable, event: 'drain' | 'finish'): Promise<void> {
    this.#waitingSinceMs = this.#clock.monotonicMs()
    await once(sink, event, { signal: this.signal })
    this.#waitingSinceMs = Infinity
  }

  end(): void {
    this.#over.abort()
  }

  displace(): void {
    this.#isDisplaced = !this.signal.aborted
    this.end()
  }
}

interface Drain {
  readonly sink: Writable
  readonly buffers: PieceBuffers
  readonly scrape: Scrape
  readonly turns: PageTurns
}

async function pour(pieces: Iterator<Uint8Array>, to: Drain): Promise<void> {
  const { sink, buffers, scrape, turns } = to
  for (let next = pieces.next(); next.done !== true; next = pieces.next()) {
    scrape.signal.throwIfAborted()
    const { value } = next
    const isTaken = value.length === 0 || sink.write(value, () => buffers.giveBack(value))
    if (!isTaken) await scrape.reader(sink, 'drain')
    // Of readers too that have taken something at the same time, one has its next piece made.
    await turns.next()
    scrape.signal.throwIfAborted()
  }
  sink.end()
}
