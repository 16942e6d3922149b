/** Some of the series: their samples are sent in order, one request at a time, and nothing overtakes a retry. */
import type { LineLimit } from '../../../kit/logging/line-limit.ts'
import { attempt } from '../../../kit/queue/attempt.ts'
import { type GiveUpCause, Retrier } from '../../../kit/retry/retrier.ts'
import type { Refusal } from '../../../otlp/refusal.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Timer } from '../../../platform/platform.ts'
import { Isolation, type Sent } from './isolation.ts'
import type { LabelPool } from './label-pool.ts'
import type { Parcel } from './parcel.ts'
import { causesOf, type PartialWrites } from './partial-writes.ts'
import type { Rejections } from './rejections.ts'
import { SampleList } from './sample-list.ts'
import type { RowOwner } from './row.ts'
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
  readonly rejections: Rejections
}

/** How many of the samples that follow belong to which parcel. */
interface Share {
  readonly parcel: Parcel
  sampleCount: number
}

/** Of the steps it takes to cut a request down to one sample: so many in a row may save nothing. */
const fruitlessPathsMax = 8

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
  /** How many requests in a row were refused for good of which nothing could be saved. */
  #fruitlessRuns = 0
  /** Of the request under way, for callers that wait. */
  #failure: Refusal | undefined
  /** Of the request under way, whose samples its callers will repeat. */
  readonly #givenBack = new Set<RowOwner>()
  /** Of the request under way, samples that are counted as lost. */
  readonly #lost = new Set<number>()
  #onIdle: (() => void) | undefined

  constructor(options: ShardOptions) {
    this.#options = options
  }

  get isSending(): boolean {
    return this.#isSending
  }

  /** Samples of a batch from `start` until `end`; `close` follows when all have been added. */
  add(samples: SampleList, start: number, end: number): void {
    this.#list.pushRun(samples, start, end)
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
    await this.#deliver(indices)
    const doneCount = this.#failure === undefined ? count : this.#giveBackRest(count)
    this.#settle(doneCount)
    this.#drop(doneCount)
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

  async #deliver(indices: Uint32Array): Promise<void> {
    const sent = await this.#try(indices)
    if (sent === 'taken') this.#fruitlessRuns = 0
    if (typeof sent === 'string') return
    const { client, pool, rejections } = this.#options
    const list = this.#list
    const isolation = new Isolation({
      list,
      pool,
      isNative: (index) => client.isNative(list, index),
      fruitlessMax: this.#fruitlessMax(indices.length),
      send: (some) => this.#try(some),
    })
    const verdicts = await isolation.run(indices, sent)
    this.#fruitlessRuns = verdicts.hasSaved ? 0 : this.#fruitlessRuns + 1
    rejections.count(list, verdicts, sent.message)
    for (const { index } of verdicts.refused) this.#lost.add(index)
    for (const index of verdicts.unsettled) this.#lost.add(index)
    this.#giveBackUnsent(verdicts.returned)
  }

  /** A server that refuses everything is asked less and less; one way down to a single sample is always tried. */
  #fruitlessMax(sampleCount: number): number {
    const steps = Math.ceil(Math.log2(sampleCount)) + 1
    return Math.ceil(steps * Math.max(1, fruitlessPathsMax / 2 ** this.#fruitlessRuns))
  }

  async #try(indices: Uint32Array): Promise<Sent> {
    const { client, retrier, host, settings, end } = this.#options
    const send = client.request(this.#list, indices)
    const limits = { clock: host.clock, timeoutMs: settings.timeout, end }
    let attemptNumber = 0
    const attempted = await retrier.run(() =>
      attempt(limits, (abort) => send(attemptNumber++, abort)),
    )
    if (attempted.delivered) {
      return this.#countDelivered(indices, attempted.outcome) === 0 ? 'taken' : 'other'
    }
    const { refusal, cause } = attempted
    if (refusal.code === 'invalid' || refusal.code === 'too_large') return refusal
    return this.#countLost(indices, refusal, cause)
  }

  /** Gives the number of samples that were left out. */
  #countDelivered(indices: Uint32Array, outcome: Outcome): number {
    const { counts, sent, duplicates, isRefused, complaints } = outcome
    const { metrics, host, partialWrites } = this.#options
    metrics.sentBatches.add(1)
    metrics.samples.add(counts.samples)
    metrics.histograms.add(counts.histograms)
    metrics.exemplars.add(counts.exemplars)
    const pointCount = this.#list.pointCount(indices) - duplicates
    metrics.failed.add(duplicates)
    if (duplicates > 0) host.dropped('metrics', duplicates, 'duplicate_timestamp')
    const unwritten = sent.samples - counts.samples + sent.histograms - counts.histograms
    // Of how many points they were, a server does not say; at most of as many.
    const lostCount = Math.min(unwritten, pointCount)
    metrics.sent.add(pointCount - lostCount)
    if (isRefused || unwritten > 0) partialWrites.log(unwritten, complaints)
    if (unwritten === 0) return 0
    for (const [cause, count] of causesOf(unwritten, complaints)) metrics.rejected[cause].add(count)
    metrics.failed.add(lostCount)
    if (lostCount > 0) host.dropped('metrics', lostCount, 'rejected_by_peer')
    return unwritten
  }

  #countLost(indices: Uint32Array, refusal: Refusal, cause: GiveUpCause): Sent {
    const { metrics, host, settings, dropping } = this.#options
    const pointCount = this.#list.pointCount(indices)
    metrics.failed.add(pointCount)
    // Without a queue what may be repeated is the caller's, who is told.
    const isReturned = !settings.remote_write_queue.enabled && refusal.retryable
    if (isReturned) {
      this.#giveBack(indices, refusal)
      return 'returned'
    }
    for (const index of indices) this.#lost.add(index)
    if (pointCount > 0) host.dropped('metrics', pointCount, cause)
    dropping.add(pointCount, refusal.message)
    return 'other'
  }

  /** The caller will send these again: their series begin anew, or the repetition would come too late. */
  #giveBack(indices: Iterable<number>, refusal: Refusal): void {
    this.#failure ??= refusal
    for (const index of indices) {
      const { owner } = this.#list.row(index)
      owner.newestMs = owner.committedMs = -1
      this.#givenBack.add(owner)
    }
  }

  /** What is left of the last batch would overtake what its caller will send again. Gives the count with these. */
  #giveBackRest(sampleCount: number): number {
    let count = 0
    for (const share of this.#shares) {
      if (count >= sampleCount) break
      count += share.sampleCount
    }
    const first = this.#doneCount + sampleCount
    this.#giveBackUnsent(Array.from({ length: count - sampleCount }, (_, place) => first + place))
    return count
  }

  /** Once others were given back that come before them. */
  #giveBackUnsent(indices: readonly number[]): void {
    if (indices.length === 0) return
    this.#options.metrics.failed.add(this.#list.pointCount(indices))
    this.#giveBack(indices, this.#failure!)
  }

  #settle(sampleCount: number): void {
    const isAwaited = !this.#options.settings.remote_write_queue.enabled
    let first = this.#doneCount
    const end = first + sampleCount
    while (first < end) {
      const [share] = this.#shares
      const { parcel } = share
      const count = Math.min(end - first, share.sampleCount)
      if (isAwaited) this.#note(parcel, first, first + count)
      first += count
      share.sampleCount -= count
      parcel.failure ??= this.#failure
      parcel.finish(count)
      if (share.sampleCount === 0) this.#shares.shift()
    }
    this.#failure = undefined
    this.#givenBack.clear()
    this.#lost.clear()
  }

  /** Points with their last sample here are dealt with, but for those that are given back without being lost. */
  #note(parcel: Parcel, first: number, end: number): void {
    const list = this.#list
    for (let index = first; index < end; index++) {
      const { owner } = list.row(index)
      if (list.ends[index] === 0) continue
      if (this.#lost.has(index)) parcel.note(owner, list.timesMs[index], 'lost')
      else if (!this.#givenBack.has(owner)) parcel.note(owner, list.timesMs[index], 'sent')
    }
  }
}
