import type { Batch } from '../../otlp/batch.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { ExporterHost } from '../../pipeline/host.ts'
import { BatchFormer } from './batch-former.ts'
import { batchSize } from './batch-size.ts'
import type { Loss } from './delivery.ts'
import { Parcel, type Shipment } from './parcel.ts'
import type { QueueSettings } from './queue-settings.ts'
import { type SizeRecorder, sizeRecorder } from './sender-metrics.ts'

interface QueueEvents {
  /** Items that were accepted and then lost. */
  lost(signal: Signal, losses: readonly Loss[]): void
  /** Items that were not accepted. */
  refused(signal: Signal, itemCount: number, refusal: Refusal): void
  /** Items whose failure the waiting caller was told. */
  returned(signal: Signal, itemCount: number, refusal: Refusal): void
}

interface SendingQueueOptions {
  readonly signal: Signal
  readonly host: ExporterHost
  readonly settings: QueueSettings
  readonly deliver: (batch: Batch) => Promise<Loss[]>
  readonly on: QueueEvents
}

interface Waiter {
  readonly parcel: Parcel
  readonly admit: () => void
  readonly refuse: (refusal: Refusal) => void
}

/** With block_on_overflow this many callers may wait for room; more are refused. */
const waitersMax = 4096

/** The queue of one signal: what it accepted is its duty until delivered or counted as lost. */
export class SendingQueue {
  readonly #options: SendingQueueOptions
  readonly #former: BatchFormer | undefined
  readonly #shipments: Shipment[] = []
  readonly #waiters: Waiter[] = []
  readonly #sizes: SizeRecorder | undefined
  #queuedSize = 0
  #consumersBusy = 0
  #isStopping = false
  #onIdle: (() => void) | undefined

  constructor(options: SendingQueueOptions) {
    this.#options = options
    const { settings, host, signal } = options
    const labels = { exporter: host.id, data_type: signal }
    const { meter } = host
    const unit = settings.sizer
    meter.observe(
      'otelcol_exporter_queue_size',
      `Current size of the sending queue, in ${unit}.`,
      labels,
      () => this.#queuedSize,
    )
    meter.observe(
      'otelcol_exporter_queue_capacity',
      `Fixed capacity of the sending queue, in ${unit}.`,
      labels,
      () => settings.queue_size,
    )
    if (settings.batch === undefined) return
    this.#former = new BatchFormer(settings.batch, host.clock, (shipment) => this.#queue(shipment))
    this.#sizes = sizeRecorder(host)
  }

  /** Returns once the batch is queued, or, with wait_for_result, settles once it is delivered. */
  offer(batch: Batch): void | Promise<void> {
    const { settings } = this.#options
    const parcel = new Parcel(batch, batchSize(batch, settings.sizer))
    if (this.#isStopping) throw this.#refuse(parcel, stopped())
    if (parcel.queueSize > settings.queue_size) {
      const find = `${parcel.queueSize} ${settings.sizer}, queue_size is ${settings.queue_size}`
      const message = `larger than the whole sending queue: ${find}`
      throw this.#refuse(parcel, new Refusal('too_large', message))
    }
    if (this.#fits(parcel) && this.#waiters.length === 0) return this.#accept(parcel)
    if (!settings.block_on_overflow || this.#waiters.length >= waitersMax) {
      throw this.#refuse(parcel, new Refusal('unavailable', 'sending queue is full'))
    }
    return new Promise((resolve, reject) => {
      const admit = () => resolve(this.#accept(parcel))
      this.#waiters.push({ parcel, admit, refuse: reject })
    })
  }

  /** Refuses what waits and what comes, and settles once all that was accepted has been dealt with. */
  async drain(): Promise<void> {
    this.#isStopping = true
    for (const waiter of this.#waiters.splice(0)) {
      waiter.refuse(this.#refuse(waiter.parcel, stopped()))
    }
    this.#former?.flush()
    if (this.#consumersBusy === 0) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  #refuse({ batch }: Parcel, refusal: Refusal): Refusal {
    this.#options.on.refused(batch.signal, batch.itemCount, refusal)
    return refusal
  }

  #fits(parcel: Parcel): boolean {
    return this.#queuedSize + parcel.queueSize <= this.#options.settings.queue_size
  }

  #accept(parcel: Parcel): void | Promise<void> {
    const { settings, host } = this.#options
    this.#queuedSize += parcel.queueSize
    this.#sizes?.enqueued(parcel.batch)
    let result: Promise<void> | undefined
    if (settings.wait_for_result) {
      result = new Promise((resolve, reject) => {
        parcel.settle = (failure) => (failure === undefined ? resolve() : reject(failure))
      })
    } else {
      // Only here: a caller that waits for the result answers for the bytes itself.
      host.memory.hold(parcel.batch.byteLength)
    }
    if (this.#former !== undefined) this.#former.add(parcel)
    else this.#queue({ batch: parcel.batch, shares: [{ parcel, itemCount: parcel.itemsLeft }] })
    return result
  }

  #queue(shipment: Shipment): void {
    this.#shipments.push(shipment)
    this.#pump()
  }

  #pump(): void {
    const { num_consumers } = this.#options.settings
    while (this.#consumersBusy < num_consumers && this.#shipments.length > 0) {
      void this.#ship(this.#shipments.shift()!)
    }
    if (this.#consumersBusy === 0) this.#onIdle?.()
  }

  async #ship(shipment: Shipment): Promise<void> {
    this.#consumersBusy++
    this.#sizes?.sent(shipment.batch)
    const losses = await this.#options.deliver(shipment.batch)
    this.#consumersBusy--
    this.#finish(shipment, losses)
    this.#pump()
  }

  #finish({ batch, shares }: Shipment, losses: readonly Loss[]): void {
    const { settings, on } = this.#options
    const failure = settings.wait_for_result ? failureToReport(batch, losses) : undefined
    if (failure !== undefined) on.returned(batch.signal, batch.itemCount, failure)
    else if (losses.length > 0) on.lost(batch.signal, losses)
    for (const { parcel, itemCount } of shares) {
      parcel.failure ??= failure
      parcel.itemsLeft -= itemCount
      if (parcel.itemsLeft === 0) this.#release(parcel)
    }
    while (this.#waiters.length > 0 && this.#fits(this.#waiters[0].parcel)) {
      this.#waiters.shift()!.admit()
    }
  }

  #release(parcel: Parcel): void {
    this.#queuedSize -= parcel.queueSize
    if (parcel.settle === undefined) {
      this.#options.host.memory.release(parcel.batch.byteLength)
    } else {
      parcel.settle(parcel.failure)
    }
  }
}

/**
 * What a caller who waits for the result is told. Undefined when nothing is lost, and also when all that is lost is
 * refused for good while the rest was delivered: then sending again helps nobody, and the loss is ours to count.
 */
export function failureToReport(batch: Batch, losses: readonly Loss[]): Refusal | undefined {
  const retryable = losses.find((loss) => loss.refusal.retryable)
  if (retryable !== undefined) return retryable.refusal
  const lostItems = losses.reduce((sum, loss) => sum + loss.itemCount, 0)
  return lostItems === batch.itemCount ? losses[0]?.refusal : undefined
}

function stopped(): Refusal {
  return new Refusal('unavailable', 'the exporter is shutting down')
}
