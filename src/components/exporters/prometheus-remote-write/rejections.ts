/** Counts and logs what a server refused for good, once it is known which samples it minds. */
import { LineLimit } from '../../../kit/logging/line-limit.ts'
import type { ExporterHost } from '../../../pipeline/host.ts'
import type { Refused, Verdicts } from './isolation.ts'
import type { LabelPool } from './label-pool.ts'
import { rejectionCause } from './read-answer.ts'
import type { RowOwner } from './row.ts'
import type { SampleList } from './sample-list.ts'
import type { WriteMetrics } from './write-metrics.ts'

interface Uses {
  readonly host: ExporterHost
  readonly metrics: WriteMetrics
  readonly pool: LabelPool
}

interface Rejection {
  readonly series: string
  readonly cause: string
  readonly error: string
}

/** A line names so many series at most. */
const seriesNamedMax = 10
const errorLengthMax = 300

export class Rejections {
  readonly #uses: Uses
  readonly #alone: LineLimit<Rejection>
  readonly #together: LineLimit

  constructor(uses: Uses) {
    this.#uses = uses
    const { clock, log } = uses.host
    this.#alone = new LineLimit(clock, (sampleCount, rejection) =>
      log.warn(
        { ...rejection, dropped_samples: sampleCount },
        'the server refuses samples for good; further ones of their series are only counted',
      ),
    )
    this.#together = new LineLimit(clock, (sampleCount, error) =>
      log.warn(
        { error, cause: 'not_isolated', dropped_samples: sampleCount },
        'the server refuses samples for good, and it was not found which of them it minds',
      ),
    )
  }

  /** `error` is what the server said of all together. */
  count(list: SampleList, { refused, stored, unsettled }: Verdicts, error: string): void {
    const { metrics } = this.#uses
    for (const { complaint } of refused) metrics.rejected[rejectionCause(complaint)].add(1)
    metrics.rejected.not_isolated.add(unsettled.length)
    this.#countStored(list, stored)
    const indices = [...refused.map(({ index }) => index), ...unsettled]
    const pointCount = list.pointCount(indices)
    metrics.failed.add(pointCount)
    if (pointCount > 0) this.#uses.host.dropped('metrics', pointCount, 'rejected_by_peer')
    this.#logAlone(list, refused)
    if (unsettled.length > 0) this.#together.add(unsettled.length, error)
  }

  close(): void {
    this.#alone.close()
    this.#together.close()
  }

  #countStored(list: SampleList, indices: readonly number[]): void {
    const { metrics } = this.#uses
    metrics.sent.add(list.pointCount(indices))
    for (const index of indices) {
      if (list.detail(index)?.histogram === undefined) metrics.samples.add(1)
      else metrics.histograms.add(1)
    }
  }

  #logAlone(list: SampleList, refused: readonly Refused[]): void {
    const freshOwners = new Set<RowOwner>()
    for (const { index } of refused) {
      const { owner } = list.row(index)
      if (!owner.hasLoggedRejection) freshOwners.add(owner)
      owner.hasLoggedRejection = true
    }
    const fresh = refused.filter(({ index }) => freshOwners.has(list.row(index).owner))
    if (fresh.length === 0) return
    const [{ complaint }] = fresh
    const cause = rejectionCause(complaint)
    const error = complaint.slice(0, errorLengthMax)
    this.#alone.add(fresh.length, { series: this.#name(list, fresh), cause, error })
  }

  #name(list: SampleList, refused: readonly Refused[]): string {
    const sets = [...new Set(refused.map(({ index }) => list.sets[index]))]
    const named = sets.slice(0, seriesNamedMax).map((set) => this.#uses.pool.describe(set))
    const more = sets.length - named.length
    return named.join(' ') + (more > 0 ? ` and ${more} more` : '')
  }
}
