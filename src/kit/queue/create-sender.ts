import type { Batch } from '../../otlp/batch.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { Consumer } from '../../pipeline/consumer.ts'
import type { ExporterHost } from '../../pipeline/host.ts'
import type { Labels } from '../../pipeline/meter.ts'
import type { RetrySettings } from '../retry/retry-settings.ts'
import { countersBySignal, Delivery, type Loss, type Send } from './delivery.ts'
import { LineLimit } from '../logging/line-limit.ts'
import type { QueueSettings } from './queue-settings.ts'
import { failureToReport, SendingQueue } from './sending-queue.ts'

interface SenderOptions {
  readonly host: ExporterHost
  /** For each attempt; 0 means no limit. */
  readonly timeoutMs: number
  readonly retry: RetrySettings
  readonly queue: QueueSettings
  readonly send: Send
  /** Labels that say where delivered items of a signal went. */
  readonly destination?: (signal: Signal) => Labels
}

export interface Sender extends Consumer {
  /** Tries what is held one last time; what is left when `deadline` aborts is counted as dropped. */
  stop(deadline: AbortSignal): Promise<void>
}

/** All that an exporter needs around one function that sends one batch: queue, batching, retries, timeout, counting. */
export function createSender(options: SenderOptions): Sender {
  const { host } = options
  const delivery = new Delivery(options)
  const rejecting = new LineLimit(host.clock, (itemCount, error) =>
    host.log.error({ error, rejected_items: itemCount }, 'Exporting failed. Rejecting data.'),
  )
  const dropping = new LineLimit(host.clock, (itemCount, error) =>
    host.log.error({ error, dropped_items: itemCount }, 'Exporting failed. Dropping data.'),
  )
  const lines = { rejecting, dropping }
  const lost = (signal: Signal, losses: readonly Loss[]) => {
    for (const { itemCount, refusal, cause } of losses) {
      host.dropped(signal, itemCount, cause)
      dropping.add(itemCount, refusal.message)
    }
  }
  const returned = (_signal: Signal, itemCount: number, refusal: Refusal) =>
    rejecting.add(itemCount, refusal.message)
  if (!options.queue.enabled) return directSender(delivery, { lost, returned, lines })

  const enqueueFailed = countersBySignal(
    host,
    'enqueue_failed',
    'that the sending queue did not take',
  )
  const refused = (signal: Signal, itemCount: number, refusal: Refusal) => {
    enqueueFailed[signal].add(itemCount)
    rejecting.add(itemCount, refusal.message)
  }
  const on = { lost, returned, refused }
  const queues = new Map<Signal, SendingQueue>()
  for (const signal of host.signals) {
    const deliver = (batch: Batch) => delivery.deliver(batch)
    queues.set(signal, new SendingQueue({ signal, host, settings: options.queue, deliver, on }))
  }
  return {
    consume(batch) {
      return batch.itemCount === 0 ? undefined : queues.get(batch.signal)!.offer(batch)
    },
    async stop(deadline) {
      delivery.stopRetries()
      const drained = Promise.all(queues.values().map((queue) => queue.drain()))
      await untilDeadline(drained, deadline, delivery)
      closeLines(lines)
    },
  }
}

interface FailureLines {
  readonly rejecting: LineLimit
  readonly dropping: LineLimit
}

function closeLines({ rejecting, dropping }: FailureLines): void {
  rejecting.close()
  dropping.close()
}

interface DirectOptions {
  readonly lost: (signal: Signal, losses: readonly Loss[]) => void
  readonly returned: (signal: Signal, itemCount: number, refusal: Refusal) => void
  readonly lines: FailureLines
}

/** Without a queue the caller waits for the result, and what fails stays the caller's. */
function directSender(delivery: Delivery, { lost, returned, lines }: DirectOptions): Sender {
  const underWay = new Set<Promise<void>>()
  let isStopping = false
  const deliver = async (batch: Batch): Promise<void> => {
    const losses = await delivery.deliver(batch)
    const failure = failureToReport(batch, losses)
    if (failure === undefined) return lost(batch.signal, losses)
    returned(batch.signal, batch.itemCount, failure)
    throw failure
  }
  return {
    consume(batch) {
      if (batch.itemCount === 0) return undefined
      if (isStopping) throw new Refusal('unavailable', 'the exporter is shutting down')
      const result = deliver(batch)
      underWay.add(result)
      const forget = () => void underWay.delete(result)
      result.then(forget, forget)
      return result
    },
    async stop(deadline) {
      isStopping = true
      delivery.stopRetries()
      await untilDeadline(Promise.allSettled(underWay), deadline, delivery)
      closeLines(lines)
    },
  }
}

/** Waits for `work`; from the deadline on nothing is sent any more, so that the work ends at once as failed. */
async function untilDeadline(
  work: Promise<unknown>,
  deadline: AbortSignal,
  delivery: Delivery,
): Promise<void> {
  const abort = () => delivery.abort()
  if (deadline.aborted) abort()
  deadline.addEventListener('abort', abort)
  await work
  deadline.removeEventListener('abort', abort)
}
