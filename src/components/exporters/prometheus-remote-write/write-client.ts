/** Sends samples as remote write requests, in the version the server knows. */
import { compressBody } from '../../../kit/compression/compress.ts'
import { compressionLevel } from '../../../kit/http/client-settings.ts'
import type { HttpClient } from '../../../kit/http/http-client.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import { becomesClassic, withoutCustomBuckets } from './classic-samples.ts'
import { NotV2, NotZstd, readAnswer, type Written } from './read-answer.ts'
import type { LabelPool } from './label-pool.ts'
import { RequestSize } from './request-size.ts'
import type { RowMaker } from './row-maker.ts'
import type { SampleList } from './sample-list.ts'
import { messageV1, messageV2, type RemoteWriteSettings } from './settings.ts'
import { PlainWriter } from './series-writer.ts'
import { SnappySeriesWriter } from './snappy-series-writer.ts'
import type { WriteMetrics } from './write-metrics.ts'
import type { BuildRequest, WriteCounts } from './write-request.ts'
import { requestBuilderV1 } from './write-request-v1.ts'
import { requestBuilderV2 } from './write-request-v2.ts'

/** 1.0 metadata goes out again after this long, for servers that were restarted. */
const metadataPeriodMs = 60_000

type Compression = RemoteWriteSettings['compression']

/** A request's body, kept between attempts. */
interface Encoded {
  readonly isV2: boolean
  readonly compression: Compression
  readonly body: Uint8Array
  readonly counts: WriteCounts
  readonly duplicates: number
  readonly onDelivered: () => void
}

/** What was sent, and what became of it. */
export interface Outcome extends Written {
  readonly sent: WriteCounts
  /** Points left out for earlier ones of their time. */
  readonly duplicates: number
}

export class WriteClient {
  readonly #settings: RemoteWriteSettings
  readonly #host: ExporterHost
  readonly #metrics: WriteMetrics
  #opening: Promise<HttpClient> | undefined
  readonly #rows: RowMaker
  readonly #url: URL
  readonly #pool: LabelPool
  #v1: BuildRequest
  readonly #v2: BuildRequest
  #isV2: boolean
  #compression: Compression

  constructor(
    settings: RemoteWriteSettings,
    host: ExporterHost,
    uses: { readonly metrics: WriteMetrics; readonly pool: LabelPool; readonly rows: RowMaker },
  ) {
    this.#settings = settings
    this.#host = host
    this.#metrics = uses.metrics
    this.#rows = uses.rows
    this.#url = new URL(settings.endpoint)
    this.#pool = uses.pool
    this.#compression = settings.compression
    this.#v1 = this.#builderV1()
    this.#v2 = requestBuilderV2(uses.pool)
    this.#isV2 = settings.protobuf_message === messageV2
  }

  /** Whether the server takes 2.0, as far as is known. */
  get isV2(): boolean {
    return this.#isV2
  }

  /** Whether that sample goes out as a native histogram, as far as is known. */
  isNative(list: SampleList, index: number): boolean {
    if (list.detail(index)?.histogram === undefined) return false
    return this.#isV2 || !becomesClassic(list, index)
  }

  /** Only who sends by HTTP pays for loading its library. */
  open(): Promise<HttpClient> {
    this.#opening ??= import('../../../kit/http/http-client.ts').then(
      (http) => new http.HttpClient(this.#settings, this.#host),
    )
    return this.#opening
  }

  /** Of the next request. */
  requestSize(): RequestSize {
    const form = { isV2: this.#isV2, metadataBeforeMs: this.#metadataBeforeMs() }
    return new RequestSize(this.#pool, form)
  }

  /** One call an attempt; each gives what was written or rejects with a Refusal. */
  request(
    list: SampleList,
    indices: Uint32Array,
  ): (attemptNumber: number, abort: AbortSignal) => Promise<Outcome> {
    let encoded: Encoded | undefined
    const send = async (attemptNumber: number, abort: AbortSignal): Promise<Outcome> => {
      const isAsKnown = encoded?.isV2 === this.#isV2 && encoded.compression === this.#compression
      if (encoded === undefined || !isAsKnown) encoded = await this.#encode(list, indices)
      const { isV2, compression, body, counts, duplicates, onDelivered } = encoded
      const headers = this.#headers(encoded, attemptNumber)
      const client = await this.open()
      const answer = await client.post({ url: this.#url, headers, body, abort })
      try {
        const nowMs = this.#host.clock.nowMs()
        const asked = { url: this.#url, nowMs, isV2, compression, counts }
        const written = readAnswer(answer, asked)
        onDelivered()
        return { ...written, sent: counts, duplicates }
      } catch (error) {
        if (error instanceof NotV2) this.#fallBackToV1(error.message)
        else if (error instanceof NotZstd) this.#fallBackToSnappy(error.message)
        else throw error
        return send(attemptNumber, abort)
      }
    }
    return send
  }

  async close(): Promise<void> {
    // One that could not be opened has failed the start, which said why.
    const client = await this.#opening?.catch(() => undefined)
    await client?.close()
  }

  #metadataBeforeMs(): number | undefined {
    if (!this.#settings.send_metadata) return undefined
    return this.#host.clock.monotonicMs() - metadataPeriodMs
  }

  #builderV1(): BuildRequest {
    const pool = this.#pool
    const isSnappy = this.#compression === 'snappy'
    return requestBuilderV1(pool, isSnappy ? new SnappySeriesWriter(pool) : new PlainWriter(pool))
  }

  async #encode(list: SampleList, indices: Uint32Array): Promise<Encoded> {
    const isV2 = this.#isV2
    const nowMs = this.#host.clock.monotonicMs()
    const sent = isV2 ? { list, indices } : withoutCustomBuckets(list, indices, this.#rows)
    const build = isV2 ? this.#v2 : this.#v1
    const options = { metadataBeforeMs: this.#metadataBeforeMs() }
    const built = build(sent.list, sent.indices, options)
    const { body, isCompressed, counts, duplicates, described } = built
    const compression = this.#compression
    // Copied, since the next request is built in the same memory; not for snappy, which is done at once.
    const isCopied = isCompressed || compression === 'zstd'
    const own = isCopied ? body.slice() : body
    const compressed = isCompressed ? own : await this.#compress(own)
    const onDelivered = () => {
      for (const family of described) family.metadataMs = nowMs
    }
    return { isV2, compression, body: compressed, counts, duplicates, onDelivered }
  }

  #compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    return compressBody(this.#compression, bytes, compressionLevel(this.#settings))
  }

  #headers({ isV2, compression }: Encoded, attemptNumber: number): Record<string, string> {
    const headers: Record<string, string> = { 'user-agent': `Penstock/${this.#host.version}` }
    for (const [name, value] of Object.entries(this.#settings.headers)) {
      headers[name.toLowerCase()] = value.reveal()
    }
    headers['content-encoding'] = compression
    headers['content-type'] = 'application/x-protobuf'
    headers['x-prometheus-remote-write-version'] = '0.1.0'
    if (isV2) {
      headers['content-type'] += `;proto=${messageV2}`
      headers['x-prometheus-remote-write-version'] = '2.0.0'
    }
    if (attemptNumber > 0) headers['retry-attempt'] = String(attemptNumber)
    return headers
  }

  #fallBackToV1(reason: string): void {
    if (!this.#isV2) return
    this.#isV2 = false
    const isConverting = this.#settings.convert_histograms_to_nhcb
    const histograms = isConverting ? ', and histograms as classic ones' : ''
    this.#logFallback(reason, `${messageV2}: from now on ${messageV1} is sent${histograms}`)
  }

  #fallBackToSnappy(reason: string): void {
    if (this.#compression === 'snappy') return
    this.#compression = 'snappy'
    this.#v1 = this.#builderV1()
    this.#logFallback(reason, 'requests compressed by zstd: from now on they are by snappy')
  }

  #logFallback(reason: string, what: string): void {
    this.#metrics.fallbacks.add(1)
    this.#host.log.warn({ error: reason }, `the server does not take ${what}`)
  }
}
