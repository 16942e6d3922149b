import type { Batch } from '../../otlp/batch.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { PartialSuccess } from '../../otlp/responses.ts'
import { type Signal, signals } from '../../otlp/signal.ts'
import { takeItems } from '../../otlp/split.ts'
import type { ExporterHost } from '../../pipeline/host.ts'
import type { Counter, Labels } from '../../pipeline/meter.ts'
import { type GiveUpCause, Retrier } from '../retry/retrier.ts'
import type { RetrySettings } from '../retry/retry-settings.ts'
import { attempt } from './attempt.ts'

/**
 * Sends one batch once. Settles when the peer has taken it, wholly or in part; rejects with a Refusal: `too_large` when a smaller batch
 * may pass. `abort` fires when the attempt's time is over or the exporter must end.
 */
export type Send = (batch: Batch, abort: AbortSignal) => Promise<PartialSuccess | undefined | void>

/** Items that were not delivered. */
export interface Loss {
  readonly itemCount: number
  readonly refusal: Refusal
  readonly cause: GiveUpCause
}

/** A batch is cut in half this many times at most: beyond it, its size is not what the peer minds. */
const cutsMax = 128

interface DeliveryOptions {
  readonly host: ExporterHost
  /** For each attempt; 0 means no limit. */
  readonly timeoutMs: number
  readonly retry: RetrySettings
  readonly send: Send
  readonly destination?: (signal: Signal) => Labels
}

/** Delivers batches with timeout, retries and bisecting, and counts what became of every item. */
export class Delivery {
  readonly #options: DeliveryOptions
  readonly #retrier: Retrier
  readonly #end = new AbortController()
  readonly #sent: Record<Signal, Counter>
  readonly #failed: Record<Signal, Counter>
  readonly #inFlight: Record<Signal, number> = { traces: 0, metrics: 0, logs: 0 }

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#retrier = new Retrier(options.retry, options.host)
    const sent = 'successfully sent to the destination'
    this.#sent = countersBySignal(options.host, 'sent', sent, options.destination)
    this.#failed = countersBySignal(options.host, 'send_failed', 'that could not be sent')
    const { host } = options
    for (const signal of host.signals) {
      host.meter.observe(
        'otelcol_exporter_in_flight_requests',
        'Requests being sent now, waits between retries included.',
        { exporter: host.id, data_type: signal },
        () => this.#inFlight[signal],
      )
    }
  }

  /** Settles with what could not be delivered; never rejects. */
  async deliver(batch: Batch): Promise<Loss[]> {
    this.#inFlight[batch.signal]++
    const losses: Loss[] = []
    await this.#deliverPart(batch, losses, { cutsLeft: cutsMax })
    this.#inFlight[batch.signal]--
    return losses
  }

  /** Ends all waiting between retries: what waits is tried one last time. */
  stopRetries(): void {
    this.#retrier.stop()
  }

  /** Ends every attempt under way, and each that would follow, as failed. */
  abort(): void {
    this.#retrier.stop()
    this.#end.abort(new Refusal('unavailable', 'the exporter has stopped'))
  }

  async #deliverPart(batch: Batch, losses: Loss[], budget: { cutsLeft: number }): Promise<void> {
    const attempted = await this.#retrier.run(() => this.#attempt(batch))
    if (attempted.delivered) {
      this.#countDelivered(batch, attempted.outcome ?? undefined)
      return
    }
    const { refusal, cause } = attempted
    if (refusal.code === 'too_large' && batch.itemCount > 1 && budget.cutsLeft > 0) {
      budget.cutsLeft--
      const [first, second] = takeItems(batch, Math.ceil(batch.itemCount / 2))
      await this.#deliverPart(first, losses, budget)
      if (second !== undefined) await this.#deliverPart(second, losses, budget)
      return
    }
    this.#failed[batch.signal].add(batch.itemCount)
    losses.push({ itemCount: batch.itemCount, refusal, cause })
  }

  #attempt(batch: Batch): Promise<PartialSuccess | undefined | void> {
    const { host, timeoutMs, send } = this.#options
    const limits = { clock: host.clock, timeoutMs, end: this.#end.signal }
    return attempt(limits, (abort) => send(batch, abort))
  }

  #countDelivered(batch: Batch, partial: PartialSuccess | undefined): void {
    const { host } = this.#options
    const rejectedItems = Math.min(Math.max(partial?.rejectedItemCount ?? 0, 0), batch.itemCount)
    this.#sent[batch.signal].add(batch.itemCount - rejectedItems)
    if (rejectedItems > 0) {
      this.#failed[batch.signal].add(rejectedItems)
      host.dropped(batch.signal, rejectedItems, 'rejected_by_peer')
    }
    if (partial !== undefined && (rejectedItems > 0 || partial.message !== '')) {
      host.log.warn(
        { message: partial.message, dropped_items: rejectedItems },
        'Partial success response',
      )
    }
  }
}

/** One counter for each signal that ends at this exporter, such as otelcol_exporter_sent_spans. */
export function countersBySignal(
  host: ExporterHost,
  verb: 'sent' | 'send_failed' | 'enqueue_failed',
  what: string,
  labelsOf: (signal: Signal) => Labels = () => ({}),
): Record<Signal, Counter> {
  const counter = (signal: Signal): Counter => {
    const { itemName, itemNoun } = signals[signal]
    if (!host.signals.has(signal)) return uncounted
    return host.meter.counter(
      `otelcol_exporter_${verb}_${itemName}`,
      `Number of ${itemNoun} ${what}.`,
      { exporter: host.id, ...labelsOf(signal) },
    )
  }
  return { traces: counter('traces'), metrics: counter('metrics'), logs: counter('logs') }
}

// No pipeline of that signal ends here, so nothing of it can come.
const uncounted: Counter = { add: () => {} }
