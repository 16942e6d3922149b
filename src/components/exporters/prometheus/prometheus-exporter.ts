import type { Batch } from '../../../otlp/batch.ts'
import { HttpServer } from '../../../kit/http/http-server.ts'
import type { Exporter } from '../../../pipeline/component.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import { MetricsPage } from './metrics-page.ts'
import { renderProtobuf } from './render-protobuf.ts'
import { renderText } from './render-text.ts'
import { SeriesStore } from './series-store.ts'
import { labelRules, type PrometheusSettings } from './settings.ts'
import { strategyOf } from '../../../kit/prometheus/translation-rules.ts'
import { sweepPeriodMs } from '../../../kit/prometheus/sweep-pace.ts'

/** Keeps the last value of every series and shows them to whoever scrapes. */
export class PrometheusExporter implements Exporter {
  readonly #settings: PrometheusSettings
  readonly #host: ExporterHost
  readonly #store: SeriesStore
  readonly #page: MetricsPage
  readonly #server: HttpServer
  #sweeper: Timer | undefined

  constructor(settings: PrometheusSettings, host: ExporterHost) {
    this.#settings = settings
    this.#host = host
    this.#store = new SeriesStore(
      {
        naming: { strategy: strategyOf(settings), namespace: settings.namespace },
        rules: labelRules(settings),
        expirationMs: settings.metric_expiration,
        seriesMax: settings.max_series,
        deltas: settings.delta_to_cumulative,
        keepsExemplars: settings.enable_open_metrics,
      },
      host,
    )
    const { send_timestamps: sendTimestamps, without_created: withoutCreated } = settings
    this.#page = new MetricsPage(settings, host, (format, buffers) => {
      const render = format.kind === 'protobuf' ? renderProtobuf : renderText
      return render(this.#store, { format, sendTimestamps, withoutCreated, buffers })
    })
    this.#server = new HttpServer({ settings, where: '', routes: [this.#page.route] }, host)
  }

  get port(): number | undefined {
    return this.#server.port
  }

  async start(): Promise<void> {
    await this.#server.start()
    const periodMs = sweepPeriodMs(this.#settings.metric_expiration)
    this.#sweeper = this.#host.clock.every(periodMs, () => this.#store.sweep())
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#sweeper?.cancel()
    const cutting = this.#page.cutStalled()
    await this.#server.stop(deadline)
    cutting.cancel()
    this.#store.close()
  }

  consume(batch: Batch): void {
    this.#store.consume(batch)
  }
}
