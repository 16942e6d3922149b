/** Some of the series: their samples are sent in order, one request at a time, and nothing overtakes a retry. */
import type { LineLimit } from '../../../kit/logging/line-limit.ts'
import { attempt } from '../../../kit/queue/attempt.ts'
import { type GiveUpCause, Retrier } from '../../../kit/retry/retrier.ts'
import type { Refusal } from '../../../otlp/refusal.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import type { LabelPool } from './label-pool.ts'
import type { Parcel } from './parcel.ts'
import { causesOf, type PartialWrites } from './partial-writes.ts'
import { rejectionCause } from './read-answer.ts'
import { SampleList } from './sample-list.ts'
import type { RemoteWriteSettings } from './settings.ts'
import type { Outcome, WriteClient } from './write-client.ts'
import type { WriteMetrics } from './write-metrics.ts'

export interface ShardOptions {
  readonly settings: RemoteWriteSettings
  readonly host: ExporterHost
  readonly metrics: WriteMetrics
  readonly client: WriteClient
  readonly pool: LabelPool
  readonly retrier: Retrier
  /** Ends every attempt. */
  readonly end: AbortSignal
  readonly dropping: LineLimit
  readonly partialWrites: PartialWrites
}

/** How many of the samples that follow belong to which parcel. */
interface Share {
  readonly parcel: Parcel
  sampleCount: number
}

/** A request is cut this many times at most: beyond it, one sample is not what the server minds. */
const cutsMax = 128

export class Shard {
  readonly #options: ShardOptions
  readonly #list = new SampleList()
  /** So many of the first are dealt with. They go together: moving up all others after each request would take longer. */
  #doneCount = 0
  readonly #shares: Share[] = []
  #isSending = false
  #isDraining = false
  #flush: Timer | undefined
  #isDue = false
  /** Of the request under way, for callers that wait. */
  #failure: Refusal | undefined
  #onIdle: (() => void) | undefined

  constructor(options: ShardOptions) {
    this.#options = options
  }

  get isSending(): boolean {
    return this.#isSending
  }

  /** One sample of a batch; `close` follows when all have been added. */
  add(samples: SampleList, index: number): void {
    this.#list.pushFrom(samples, index)
  }

  close(parcel: Parcel, sampleCount: number): void {
    this.#shares.push({ parcel, sampleCount })
    this.#pump()
  }

  /** Settles once all that was added is dealt with. */
  async drain(): Promise<void> {
    this.#isDraining = true
    this.#pump()
    if (!this.#isSending) return
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
  }

  get #waitingCount(): number {
    return this.#list.length - this.#doneCount
  }

  #pump(): void {
    if (this.#isSending) return
    const { settings, host } = this.#options
    const { min_size, flush_timeout, enabled } = settings.remote_write_queue
    if (this.#waitingCount === 0) {
      this.#isDue = false
      return
    }
    // A caller that waits for the result must not wait for others.
    const isDue = this.#isDue || this.#isDraining || !enabled || this.#waitingCount >= min_size
    if (isDue || flush_timeout === 0) {
      void this.#send()
      return
    }
    this.#flush ??= host.clock.after(flush_timeout, () => {
      this.#flush = undefined
      this.#isDue = true
      this.#pump()
    })
  }

  async #send(): Promise<void> {
    this.#isSending = true
    this.#flush?.cancel()
    this.#flush = undefined
    const first = this.#doneCount
    const count = this.#requestLength()
    // What did not fit has waited as long as what did.
    this.#isDue = count < this.#waitingCount
    const indices = new Uint32Array(count)
    for (let place = 0; place < count; place++) indices[place] = first + place
    await this.#deliver(indices, { cutsLeft: cutsMax })
    this.#drop(count)
    this.#settle(count)
    this.#isSending = false
    this.#pump()
    if (!this.#isSending) this.#onIdle?.()
  }

  #drop(sampleCount: number): void {
    this.#doneCount += sampleCount
    if (this.#doneCount < this.#waitingCount) return
    this.#list.dropFirst(this.#doneCount)
    this.#doneCount = 0
  }

  /** How many of the waiting samples fit into one request. */
  #requestLength(): number {
    const list = this.#list
    const first = this.#doneCount
    const { client, settings } = this.#options
    const bytesMax = settings.max_batch_size_bytes
    const size = client.requestSize()
    for (let index = first; index < list.length; index++) {
      size.add(list, index)
      if (size.byteLength > bytesMax && index > first) return index - first
    }
    return list.length - first
  }

  async #deliver(indices: Uint32Array, budget: { cutsLeft: number }): Promise<void> {
    const { client, retrier, host, settings, end } = this.#options
    const send = client.request(this.#list, indices)
    const limits = { clock: host.clock, timeoutMs: settings.timeout, end }
    let attemptNumber = 0
    const attempted = await retrier.run(() =>
      attempt(limits, (abort) => send(attemptNumber++, abort)),
    )
    if (attempted.delivered) return this.#countDelivered(indices, attempted.outcome)
    const { refusal, cause } = attempted
    const isDivisible = refusal.code === 'invalid' || refusal.code === 'too_large'
    if (isDivisible && indices.length > 1 && budget.cutsLeft > 0) {
      budget.cutsLeft--
      for (const part of this.#halves(indices)) await this.#deliver(part, budget)
      return
    }
    if (isDivisible) this.#countRejected(indices, refusal)
    else this.#countLost(indices, refusal, cause)
  }

  /** Cut between series as long as there are several, so that samples of one are not sent again behind newer ones. */
  #halves(indices: Uint32Array): Uint32Array[] {
    const { sets } = this.#list
    const distinct = [...new Set(Array.from(indices, (index) => sets[index]))]
    if (distinct.length === 1) {
      const middle = Math.ceil(indices.length / 2)
      return [indices.slice(0, middle), indices.slice(middle)]
    }
    const first = new Set(distinct.slice(0, Math.ceil(distinct.length / 2)))
    return [
      indices.filter((index) => first.has(sets[index])),
      indices.filter((index) => !first.has(sets[index])),
    ]
  }

  #pointCount(indices: Uint32Array): number {
    let count = 0
    for (const index of indices) count += this.#list.ends[index]
    return count
  }

  #countDelivered(indices: Uint32Array, outcome: Outcome): void {
    const { counts, sent, duplicates, complaints } = outcome
    const { metrics, host, partialWrites } = this.#options
    metrics.sentBatches.add(1)
    metrics.samples.add(counts.samples)
    metrics.histograms.add(counts.histograms)
    metrics.exemplars.add(counts.exemplars)
    const pointCount = this.#pointCount(indices) - duplicates
    metrics.failed.add(duplicates)
    if (duplicates > 0) host.dropped('metrics', duplicates, 'duplicate_timestamp')
    const unwritten =
      sent.samples +
      sent.histograms -
      Math.min(sent.samples, counts.samples) -
      Math.min(sent.histograms, counts.histograms)
    // Of how many points they were, a server does not say; at most of as many.
    const lostCount = Math.min(unwritten, pointCount)
    metrics.sent.add(pointCount - lostCount)
    if (unwritten === 0) return
    for (const [cause, count] of causesOf(unwritten, complaints)) metrics.rejected[cause].add(count)
    metrics.failed.add(lostCount)
    if (lostCount > 0) host.dropped('metrics', lostCount, 'rejected_by_peer')
    partialWrites.log(unwritten, complaints)
  }

  #countRejected(indices: Uint32Array, refusal: Refusal): void {
    const { metrics, host } = this.#options
    const cause = rejectionCause(refusal.message)
    const pointCount = this.#pointCount(indices)
    metrics.rejected[cause].add(indices.length)
    metrics.failed.add(pointCount)
    if (pointCount > 0) host.dropped('metrics', pointCount, 'rejected_by_peer')
    const row = this.#list.row(indices[0])
    if (row.owner.hasLoggedRejection) return
    row.owner.hasLoggedRejection = true
    host.log.warn(
      {
        series: this.#options.pool.describe(row.labels),
        cause,
        dropped_samples: indices.length,
        error: refusal.message,
      },
      'the server refuses a sample for good; further ones of its series are only counted',
    )
  }

  #countLost(indices: Uint32Array, refusal: Refusal, cause: GiveUpCause): void {
    const { metrics, host, settings, dropping } = this.#options
    const pointCount = this.#pointCount(indices)
    metrics.failed.add(pointCount)
    // Without a queue what may be repeated is the caller's, who is told.
    const isReturned = !settings.remote_write_queue.enabled && refusal.retryable
    if (isReturned) return this.#giveBack(indices, refusal)
    if (pointCount > 0) host.dropped('metrics', pointCount, cause)
    dropping.add(pointCount, refusal.message)
  }

  /** The caller will send these again: their series begin anew, or the repetition would come too late. */
  #giveBack(indices: Uint32Array, refusal: Refusal): void {
    this.#failure ??= refusal
    for (const index of indices) {
      const { owner } = this.#list.row(index)
      owner.newestMs = owner.committedMs = -1
    }
  }

  #settle(sampleCount: number): void {
    let rest = sampleCount
    while (rest > 0) {
      const [share] = this.#shares
      const count = Math.min(rest, share.sampleCount)
      rest -= count
      share.sampleCount -= count
      share.parcel.failure ??= this.#failure
      share.parcel.finish(count)
      if (share.sampleCount === 0) this.#shares.shift()
    }
    this.#failure = undefined
  }
}
