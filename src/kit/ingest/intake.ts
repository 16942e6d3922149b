/** The one way in for OTLP requests of one signal: every listener hands its bodies to this. */
import type { ClientInfo } from '../../otlp/client-info.ts'
import { decodeJson } from '../../otlp/decode-json.ts'
import { indexRequest } from '../../otlp/index-request.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { MessageForm } from '../../otlp/responses.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Consumer } from '../../pipeline/consumer.ts'
import type { Host, Logger, MemoryLedger, ReceiverHost } from '../../pipeline/host.ts'
import type { Counter } from '../../pipeline/meter.ts'
import { requestCounter } from './request-counter.ts'

export class Intake {
  readonly signal: Signal
  readonly #consumer: Consumer
  readonly #memory: MemoryLedger
  readonly #failures: Counter
  readonly #log: Logger

  constructor(signal: Signal, consumer: Consumer, options: { host: Host; transport: string }) {
    const { host, transport } = options
    this.signal = signal
    this.#consumer = consumer
    this.#memory = host.memory
    this.#log = host.log
    this.#failures = requestCounter(host.meter, { receiver: host.id, transport }, 'failure')
  }

  /** Asked before a body is read: the refusal to answer with, or undefined to go on. */
  admit(byteLength: number): Refusal | undefined {
    return this.#consumer.admit?.(byteLength)
  }

  /** A request's bytes count as held from the first of them until its answer; what is held must be released. */
  hold(byteLength: number): void {
    this.#memory.hold(byteLength)
  }

  release(byteLength: number): void {
    this.#memory.release(byteLength)
  }

  /**
   * Hands an inflated body to the pipeline. Returns, or settles, once it is someone else's duty; throws, or rejects
   * with, a Refusal. A request without a single item is a success that the pipeline never hears of. The body must not
   * be written to afterwards: the batch keeps slices of it.
   */
  take(body: Uint8Array, form: MessageForm, client?: ClientInfo): void | Promise<void> {
    const batch = this.#decode(body, form, client)
    if (batch.itemCount === 0) return
    return this.#consumer.consume(batch)
  }

  /** Counts a request that came to nothing before it was whole and readable, and that no `admit` refused. */
  countFailure(): void {
    this.#failures.add(1)
  }

  #decode(body: Uint8Array, form: MessageForm, client?: ClientInfo): Batch {
    try {
      const bytes = form === 'json' ? decodeJson(this.signal, body) : body
      return indexRequest(this.signal, bytes, client)
    } catch (error) {
      this.countFailure()
      throw this.refusalOf(error)
    }
  }

  /** What to answer for anything thrown. A fault in reading a request is logged, and would come again with it. */
  refusalOf(error: unknown): Refusal {
    if (error instanceof Refusal) return error
    this.#log.error(
      { err: error, signal: this.signal },
      'A request failed in a way it never should.',
    )
    return Refusal.from(error)
  }
}

/** The intakes of the signals that some pipeline wants, under the Collector's word for the transport. */
export function createIntakes(
  host: ReceiverHost,
  transport: string,
  signals: readonly Signal[],
): Map<Signal, Intake> {
  const intakes = new Map<Signal, Intake>()
  for (const signal of signals) {
    const consumer = host.consumer(signal, transport)
    if (consumer === undefined) continue
    intakes.set(signal, new Intake(signal, consumer, { host, transport }))
  }
  return intakes
}
