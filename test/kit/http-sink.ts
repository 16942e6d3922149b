/** A far end for end-to-end tests: an OTLP/HTTP server in this process that keeps what it took, as slow as it is told. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type Signal, signals } from '../../src/otlp/signal.ts'
import { flatten, type FlatItem } from './flatten.ts'

export class HttpSink {
  readonly requests: { signal: Signal; body: Uint8Array }[] = []
  /** What the next requests are answered with; 200 takes them. */
  status = 200
  delayMs = 0
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const body = Buffer.concat(chunks)
        const status = this.status
        setTimeout(() => {
          if (status === 200) this.#keep(request.url ?? '', unzipped(body))
          response.writeHead(status, { 'content-length': 0 }).end()
        }, this.delayMs)
      })
    })
  }

  static async start(): Promise<HttpSink> {
    const sink = new HttpSink()
    await new Promise<void>((done) => sink.#server.listen(0, '127.0.0.1', done))
    return sink
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  items(signal: Signal): FlatItem[] {
    const own = this.requests.filter((request) => request.signal === signal)
    return flatten(
      signal,
      own.map((request) => request.body),
    )
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((done) => this.#server.close(done))
  }

  #keep(url: string, body: Uint8Array): void {
    const signal = Object.values(signals).find((one) => url.endsWith(one.httpPath))?.signal
    if (signal === undefined) throw new Error(`no signal has the path ${url}`)
    this.requests.push({ signal, body })
  }
}

function unzipped(body: Buffer): Uint8Array {
  return body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body
}
