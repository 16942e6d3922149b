import { ItemEstimate } from '../../../kit/ingest/item-estimate.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import { signals } from '../../../otlp/signal.ts'
import type { MetricDeclaration, Processor } from '../../../pipeline/component.ts'
import type { ProcessorHost } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'
import type { Timer } from '../../../platform/platform.ts'
import { type LimitSettings, type MemoryLimits, memoryLimits } from './memory-limits.ts'

const retryAfterMs = 1000

interface LimiterSettings extends LimitSettings {
  readonly check_interval: number
}

/**
 * Refuses at the door while the process holds as many bytes of telemetry as the limit leaves room for. The count of held
 * bytes is exact and shared by the whole process, so one instance a pipeline decides as one would for all; resident set
 * size, which lags behind, is the backstop.
 */
export class MemoryLimiter implements Processor {
  readonly #settings: LimiterSettings
  readonly #host: ProcessorHost
  readonly #counters: LimiterCounters
  readonly #estimate = new ItemEstimate()
  #limits: MemoryLimits
  #timer: Timer | undefined
  #isBeyondBackstop = false
  #isRefusing = false
  #hasRefusedSinceCheck = false

  constructor(settings: LimiterSettings, host: ProcessorHost) {
    this.#settings = settings
    this.#host = host
    this.#counters = limiterCounters(host)
    this.#limits = memoryLimits(settings, host.memory)
    host.meter.observe(
      budgetMetric.name,
      budgetMetric.help,
      { processor: host.id },
      () => this.#limits.budgetBytes,
    )
  }

  start(): void {
    this.#host.memory.limitKept(this, this.#limits.keptBytesMax)
    this.#timer = this.#host.clock.every(this.#settings.check_interval, () => this.#check())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#host.memory.limitKept(this, undefined)
  }

  admit(byteLength: number): Refusal | undefined {
    const { heldBytes } = this.#host.memory
    // With nothing held, refusing frees nothing: garbage is only collected when there is work, and a request larger
    // than the whole budget would otherwise be told to try again for ever.
    if (heldBytes === 0 || heldBytes + byteLength <= this.#allowedBytes()) return undefined
    this.#counters.refusedRequests.add(1)
    for (const counter of this.#counters.refused) counter.add(this.#estimate.of(byteLength))
    return this.#refuse()
  }

  consume(batch: Batch): void | Promise<void> {
    const { memory, next } = this.#host
    // The batch's own bytes are among those held. The slack is for requests that came through the door and grew since,
    // as compressed ones do: they are not read in vain.
    const otherBytes = memory.heldBytes - batch.byteLength
    if (otherBytes > this.#allowedBytes() + this.#limits.budgetBytes / 4) {
      for (const counter of this.#counters.refused) counter.add(batch.itemCount)
      throw this.#refuse()
    }
    for (const counter of this.#counters.accepted) counter.add(batch.itemCount)
    this.#estimate.learn(batch)
    return next.consume(batch)
  }

  #allowedBytes(): number {
    const { rssBytes } = this.#host.memory
    const { backstopBytes, recoveryBytes, budgetBytes, trickleBytes } = this.#limits
    this.#isBeyondBackstop = rssBytes > (this.#isBeyondBackstop ? recoveryBytes : backstopBytes)
    return this.#isBeyondBackstop ? trickleBytes : budgetBytes
  }

  #refuse(): Refusal {
    this.#hasRefusedSinceCheck = true
    if (!this.#isRefusing) {
      this.#isRefusing = true
      this.#host.log.warn(
        this.#figures(),
        this.#isBeyondBackstop
          ? 'Memory usage is above the hard limit. Refusing data.'
          : 'Memory usage is above the soft limit. Refusing data.',
      )
    }
    return new Refusal('unavailable', 'data refused due to high memory usage', { retryAfterMs })
  }

  #check(): void {
    this.#limits = memoryLimits(this.#settings, this.#host.memory)
    this.#host.memory.limitKept(this, this.#limits.keptBytesMax)
    if (this.#isRefusing && !this.#hasRefusedSinceCheck) {
      this.#isRefusing = false
      this.#host.log.info(this.#figures(), 'Memory usage back within limits. Resuming operation.')
    }
    this.#hasRefusedSinceCheck = false
  }

  #figures(): object {
    const { heldBytes, rssBytes } = this.#host.memory
    return { held_bytes: heldBytes, budget_bytes: this.#limits.budgetBytes, rss_bytes: rssBytes }
  }
}

interface LimiterCounters {
  readonly accepted: readonly Counter[]
  readonly refused: readonly Counter[]
  readonly refusedRequests: Counter
}

const budgetMetric = {
  name: 'penstock_processor_memory_limiter_budget_bytes',
  kind: 'gauge',
  help: 'Bytes of telemetry that may be held at a time before requests are refused.',
  labels: ['processor'],
} as const

const refusedRequestsMetric = {
  name: 'penstock_processor_memory_limiter_refused_requests',
  kind: 'counter',
  help: 'Requests refused before they were read; how many items they had is estimated.',
  labels: ['processor'],
} as const

/** Under the present names and those of before 0.155, which most dashboards still query. */
const prefixes = ['otelcol_processor_memory_limiter_', 'otelcol_processor_'] as const

const outcomes = {
  accepted: 'passed on to the next component',
  refused: 'refused because of high memory usage, estimated where a request was refused unread',
  dropped: 'dropped',
} as const

const outcomeNames = Object.keys(outcomes) as (keyof typeof outcomes)[]

function limiterCounters(host: ProcessorHost): LimiterCounters {
  const { itemName, itemNoun } = signals[host.signal]
  const labels = { processor: host.id }
  const counters = (outcome: keyof typeof outcomes, from: readonly string[]) =>
    from.map((prefix) =>
      host.meter.counter(
        `${prefix}${outcome}_${itemName}`,
        `Number of ${itemNoun} ${outcomes[outcome]}.`,
        labels,
      ),
    )
  counters('dropped', prefixes.slice(1))
  return {
    accepted: counters('accepted', prefixes),
    refused: counters('refused', prefixes),
    refusedRequests: host.meter.counter(
      refusedRequestsMetric.name,
      refusedRequestsMetric.help,
      labels,
    ),
  }
}

export const limiterMetrics: readonly MetricDeclaration[] = [
  budgetMetric,
  refusedRequestsMetric,
  ...Object.values(signals).flatMap(({ itemName, itemNoun }) =>
    prefixes.flatMap((prefix) =>
      (prefix === prefixes[0] ? (['accepted', 'refused'] as const) : outcomeNames).map(
        (outcome) => ({
          name: `${prefix}${outcome}_${itemName}`,
          kind: 'counter' as const,
          help: `Number of ${itemNoun} ${outcomes[outcome]}.`,
          labels: ['processor'],
        }),
      ),
    ),
  ),
]
