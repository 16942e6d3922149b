/** What flows over the edges of the graph is counted here, so that components need not. */
import { ItemEstimate } from '../kit/ingest/item-estimate.ts'
import { requestCounter } from '../kit/ingest/request-counter.ts'
import type { Batch } from '../otlp/batch.ts'
import { Refusal } from '../otlp/refusal.ts'
import type { Signal } from '../otlp/signal.ts'
import type { ComponentKind } from '../pipeline/component.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import type { Logger } from '../pipeline/host.ts'
import type { Counter, Meter } from '../pipeline/meter.ts'
import { edgeMetrics, receiverItems } from './service-metrics.ts'

/**
 * The edge a receiver hands its batches to: counts requests and items, accepted and refused, and keeps faults from
 * spreading.
 */
export class ReceiverEdge implements Consumer {
  readonly #next: Consumer
  readonly #accepted: Counter
  readonly #refused: Counter
  readonly #accepting: Counter
  readonly #refusing: Counter
  readonly #refusedUnread: Counter
  readonly #estimate = new ItemEstimate()
  readonly #faults: Counter
  readonly #log: Logger

  constructor(
    next: Consumer,
    options: { receiver: string; transport: string; signal: Signal; meter: Meter; log: Logger },
  ) {
    const { receiver, transport, signal, meter, log } = options
    const labels = { receiver, transport }
    const items = (fate: 'accepted' | 'refused' | 'failed') => {
      const { name, help } = receiverItems(fate, signal)
      return meter.counter(name, help, labels)
    }
    this.#next = next
    this.#log = log
    this.#accepted = items('accepted')
    this.#refused = items('refused')
    items('failed')
    const { refusedUnread, faults } = edgeMetrics
    const unreadLabels = { ...labels, otel_signal: signal }
    this.#refusedUnread = meter.counter(refusedUnread.name, refusedUnread.help, unreadLabels)
    this.#accepting = requestCounter(meter, labels, 'success')
    this.#refusing = requestCounter(meter, labels, 'refused')
    this.#faults = meter.counter(faults.name, faults.help)
  }

  consume(batch: Batch): void | Promise<void> {
    let result: void | Promise<void>
    try {
      result = this.#next.consume(batch)
    } catch (error) {
      throw this.#refuse(error, batch)
    }
    if (result === undefined) return this.#accept(batch)
    return result.then(
      () => this.#accept(batch),
      (error: unknown) => {
        throw this.#refuse(error, batch)
      },
    )
  }

  admit(byteLength: number): Refusal | undefined {
    const refusal = this.#next.admit?.(byteLength)
    if (refusal !== undefined) {
      const itemCount = this.#estimate.of(byteLength)
      this.#refused.add(itemCount)
      this.#refusedUnread.add(itemCount)
      this.#refusing.add(1)
    }
    return refusal
  }

  #accept(batch: Batch): void {
    this.#accepted.add(batch.itemCount)
    this.#accepting.add(1)
    this.#estimate.learn(batch)
  }

  #refuse(error: unknown, batch: Batch): Refusal {
    this.#refused.add(batch.itemCount)
    this.#refusing.add(1)
    if (error instanceof Refusal) return error
    this.#faults.add(1)
    this.#log.error(
      { err: error, items: batch.itemCount },
      'A component failed in a way it never should. The batch is refused and the client asked to retry.',
    )
    return new Refusal('unavailable', 'internal fault', { cause: error })
  }
}

/** An edge inside a pipeline that counts the items passing it. */
export class CountingEdge implements Consumer {
  readonly #next: Consumer
  readonly #items: Counter

  constructor(next: Consumer, items: Counter) {
    this.#next = next
    this.#items = items
  }

  consume(batch: Batch): void | Promise<void> {
    this.#items.add(batch.itemCount)
    return this.#next.consume(batch)
  }

  admit(byteLength: number): Refusal | undefined {
    return this.#next.admit?.(byteLength)
  }
}

/** The head of a pipeline: everything consumes through the first link, and each processor is asked at the door. */
export class PipelineHead implements Consumer {
  readonly #first: Consumer
  readonly #doors: readonly Consumer[]

  constructor(first: Consumer, links: readonly Consumer[]) {
    this.#first = first
    this.#doors = links.filter((link) => link.admit !== undefined)
  }

  consume(batch: Batch): void | Promise<void> {
    return this.#first.consume(batch)
  }

  admit(byteLength: number): Refusal | undefined {
    for (const door of this.#doors) {
      const refusal = door.admit?.(byteLength)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}

/** The drop ledger of one component: a counter for each signal and cause, made when a cause first occurs. */
export function dropLedger(component: string, kind: ComponentKind, meter: Meter) {
  const counters = new Map<string, Counter>()
  return (signal: Signal, itemCount: number, cause: string): void => {
    const key = `${signal} ${cause}`
    let counter = counters.get(key)
    if (counter === undefined) {
      const labels = { component, kind, otel_signal: signal, cause }
      counter = meter.counter(edgeMetrics.dropped.name, edgeMetrics.dropped.help, labels)
      counters.set(key, counter)
    }
    counter.add(itemCount)
  }
}
