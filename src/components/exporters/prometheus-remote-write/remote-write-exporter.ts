import { LineLimit } from '../../../kit/logging/line-limit.ts'
import { Retrier } from '../../../kit/retry/retrier.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import { LabelPool } from './label-pool.ts'
import { Parcel } from './parcel.ts'
import { PartialWrites } from './partial-writes.ts'
import { Rejections } from './rejections.ts'
import { Repeats } from './repeats.ts'
import { RetiredLabels } from './retired-labels.ts'
import { detailBytes, sampleBytes, type SampleList } from './sample-list.ts'
import { labelRules, type RemoteWriteSettings } from './settings.ts'
import { strategyOf } from '../../../kit/prometheus/translation-rules.ts'
import { sweepPeriodMs } from '../../../kit/prometheus/sweep-pace.ts'
import { randomKey } from '../../../kit/prometheus/byte-hash.ts'
import { Shard } from './shard.ts'
import { Translator } from './translator.ts'
import { WriteClient } from './write-client.ts'
import { type WriteMetrics, writeMetrics } from './write-metrics.ts'

const repeatsMax = 20_000

/** Translates what comes at once, deals the samples out to shards by series, and lets each send at its own pace. */
export class RemoteWriteExporter implements Exporter {
  readonly #settings: RemoteWriteSettings
  readonly #host: ExporterHost
  readonly #metrics: WriteMetrics
  readonly #translator: Translator
  readonly #client: WriteClient
  readonly #retrier: Retrier
  readonly #shards: readonly Shard[]
  readonly #end = new AbortController()
  readonly #dropping: LineLimit
  readonly #rejections: Rejections
  readonly #retired: RetiredLabels
  readonly #repeats = new Repeats(repeatsMax)
  #parcelCount = 0
  #isStopping = false
  #sweeper: Timer | undefined

  constructor(settings: RemoteWriteSettings, host: ExporterHost) {
    this.#settings = settings
    this.#host = host
    const queue = settings.remote_write_queue
    this.#metrics = writeMetrics(
      host,
      {
        queueSize: () => this.#parcelCount,
        queueCapacity: () => queue.queue_size,
        inFlight: () => this.#shards.filter((shard) => shard.isSending).length,
        consumers: () => queue.num_consumers,
        series: () => this.#translator.seriesCount,
        sources: () => this.#translator.sourceCount,
        deltaStreams: () => this.#translator.deltaStreamCount,
      },
      settings.endpoint,
    )
    const seed = randomKey(host.random)
    const pool = new LabelPool(seed)
    this.#retired = new RetiredLabels(pool)
    const options = {
      naming: { strategy: strategyOf(settings), namespace: settings.namespace },
      rules: labelRules(settings),
      expirationMs: settings.metric_expiration,
      seriesMax: settings.max_series,
      deltas: settings.delta_to_cumulative,
      hasTargetInfo: settings.target_info.enabled,
      shardCount: queue.num_consumers,
      pool,
      retired: this.#retired,
      repeats: this.#repeats,
      convertsHistograms: settings.convert_histograms_to_nhcb,
      takesCustomBuckets: () => settings.convert_histograms_to_nhcb && this.#client.isV2,
    }
    this.#translator = new Translator(options, host, this.#metrics)
    this.#client = new WriteClient(settings, host, {
      metrics: this.#metrics,
      pool,
      rows: this.#translator.rows,
    })
    this.#retrier = new Retrier(settings.retry_on_failure, host)
    this.#dropping = new LineLimit(host.clock, (itemCount, error) =>
      host.log.error({ error, dropped_items: itemCount }, 'Exporting failed. Dropping data.'),
    )
    this.#rejections = new Rejections({ host, metrics: this.#metrics, pool })
    const shard = {
      settings,
      host,
      metrics: this.#metrics,
      client: this.#client,
      pool,
      retrier: this.#retrier,
      end: this.#end.signal,
      dropping: this.#dropping,
      partialWrites: new PartialWrites(host),
      rejections: this.#rejections,
    }
    this.#shards = Array.from({ length: queue.num_consumers }, () => new Shard(shard))
  }

  async start(): Promise<void> {
    await this.#client.open()
    const periodMs = sweepPeriodMs(this.#settings.metric_expiration)
    this.#sweeper = this.#host.clock.every(periodMs, () => this.#translator.sweep())
  }

  consume(batch: Batch): void | Promise<void> {
    if (batch.itemCount === 0) return undefined
    const { queue_size, enabled } = this.#settings.remote_write_queue
    // Before anything is translated: what is refused here may come again, and deltas may not be added twice.
    if (this.#isStopping) throw this.#refuse(batch, 'the exporter is shutting down')
    if (this.#parcelCount >= queue_size) throw this.#refuse(batch, 'sending queue is full')
    const samples = this.#translator.translate(batch)
    if (samples.length === 0) return undefined
    if (enabled) return this.#deal(samples, this.#holdUntilDone(samples))
    return new Promise((resolve, reject) => {
      this.#deal(samples, (failure) => (failure === undefined ? resolve() : reject(failure)))
    })
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#sweeper?.cancel()
    this.#retrier.stop()
    const abort = () => {
      this.#end.abort(new Refusal('unavailable', 'the exporter has stopped'))
    }
    if (deadline.aborted) abort()
    deadline.addEventListener('abort', abort)
    await Promise.all(this.#shards.map((shard) => shard.drain()))
    deadline.removeEventListener('abort', abort)
    this.#dropping.close()
    this.#rejections.close()
    this.#translator.close()
    await this.#client.close()
  }

  #refuse({ itemCount }: Batch, message: string): Refusal {
    this.#metrics.enqueueFailed.add(itemCount)
    return new Refusal('unavailable', message)
  }

  /** Accounts for the samples until they are dealt with: from now on they are ours. */
  #holdUntilDone(samples: SampleList): () => void {
    let byteLength = samples.length * sampleBytes
    for (const detail of samples.details) byteLength += detailBytes(detail)
    this.#host.memory.hold(byteLength)
    return () => this.#host.memory.release(byteLength)
  }

  #deal(samples: SampleList, onDone: (failure: Refusal | undefined) => void): void {
    this.#parcelCount++
    const letGo = this.#retired.hold()
    const parcel = new Parcel(samples.length, (failure) => {
      this.#parcelCount--
      if (failure !== undefined) parcel.tell(this.#repeats)
      letGo()
      onDone(failure)
    })
    const sampleCounts = new Uint32Array(this.#shards.length)
    const { shards, length } = samples
    // Neighbours mostly go to one shard.
    for (let start = 0, end = 0; start < length; start = end) {
      const shard = shards[start]
      while (end < length && shards[end] === shard) end++
      sampleCounts[shard] += end - start
      this.#shards[shard].add(samples, start, end)
    }
    for (const [shard, sampleCount] of sampleCounts.entries()) {
      if (sampleCount > 0) this.#shards[shard].close(parcel, sampleCount)
    }
  }
}
