import type { z } from 'zod'
import { duration, section } from '../../src/config/schema.ts'
import { createSender, type Sender } from '../../src/kit/queue/create-sender.ts'
import { sendingQueue } from '../../src/kit/queue/queue-settings.ts'
import { senderMetrics } from '../../src/kit/queue/sender-metrics.ts'
import { retryOnFailure } from '../../src/kit/retry/retry-settings.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { type Signal, signalNames } from '../../src/otlp/signal.ts'
import { defineExporter, type Exporter } from '../../src/pipeline/component.ts'
import type { ExporterHost } from '../../src/pipeline/host.ts'
import type { SimPeer } from './sim-peer.ts'

const settings = section({
  timeout: duration().prefault('5s'),
  retry_on_failure: retryOnFailure(),
  sending_queue: sendingQueue(),
})

/** The exporter of a simulation: the real sender, and a simulated peer where there would be a socket. */
export class SimSink implements Exporter {
  readonly settings: z.output<typeof settings>
  readonly peer: SimPeer
  readonly #sender: Sender
  /** Reads a gauge of the queues, by signal. */
  readonly #gauges = new Map<string, () => number>()
  readonly #sending: Record<Signal, number> = { traces: 0, metrics: 0, logs: 0 }
  /** Items, repeats included, whose consume succeeded. */
  acceptedItems = 0
  sendingCountPeak = 0

  constructor(config: z.output<typeof settings>, host: ExporterHost, peer: SimPeer) {
    this.settings = config
    this.peer = peer
    const observe: ExporterHost['meter']['observe'] = (name, help, labels, read) => {
      this.#gauges.set(`${name} ${labels['data_type']}`, read)
      host.meter.observe(name, help, labels, read)
    }
    const { meter } = host
    this.#sender = createSender({
      host: {
        ...host,
        meter: {
          observe,
          counter: (...instrument) => meter.counter(...instrument),
          gauge: (...instrument) => meter.gauge(...instrument),
          histogram: (...instrument) => meter.histogram(...instrument),
        },
      },
      timeoutMs: config.timeout,
      retry: config.retry_on_failure,
      queue: config.sending_queue,
      send: (batch, abort) => this.#send(batch, abort),
    })
  }

  /** What the queue of a signal holds, in its unit; 0 where there is none. */
  queueSize(signal: Signal): number {
    return this.#gauges.get(`otelcol_exporter_queue_size ${signal}`)?.() ?? 0
  }

  get heldSize(): number {
    return signalNames.reduce((sum, signal) => sum + this.queueSize(signal), 0)
  }

  consume(batch: Batch): void | Promise<void> {
    const result = this.#sender.consume(batch)
    const accept = () => void (this.acceptedItems += batch.itemCount)
    return result === undefined ? accept() : result.then(accept)
  }

  stop(deadline: AbortSignal): Promise<void> {
    return this.#sender.stop(deadline)
  }

  async #send(batch: Batch, abort: AbortSignal) {
    const { signal } = batch
    this.sendingCountPeak = Math.max(this.sendingCountPeak, ++this.#sending[signal])
    let isOver = false
    const finish = () => {
      if (!isOver) this.#sending[signal]--
      isOver = true
    }
    abort.addEventListener('abort', finish, { once: true })
    try {
      return await this.peer.receive(batch, abort)
    } finally {
      finish()
    }
  }
}

export function simSink(peerOf: (id: string) => SimPeer, opened: (sink: SimSink) => void) {
  return defineExporter({
    type: 'sink',
    summary: 'Sends to a simulated peer.',
    stability: 'development',
    signals: signalNames,
    config: settings,
    metrics: senderMetrics(),
    examples: [],
    create: (config, host) => {
      const sink = new SimSink(config, host, peerOf(host.id))
      opened(sink)
      return sink
    },
  })
}
