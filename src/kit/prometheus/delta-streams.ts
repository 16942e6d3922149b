/**
 * Delta points become cumulative ones, by the one rule of both exporters, which is that of the Collector's
 * deltatocumulative:
 *
 * - The first point of a stream begins it: the total starts when that point starts.
 * - A point not later than the stream's last is dropped as `out_of_order`: a repeated one is in the total already.
 * - A point that starts before the stream does is dropped as `older_start`.
 * - Every other point is added. Where its start is not the end of the last, the gap or the overlap is counted; a start
 *   of 0 is unknown and counts as aligned. A process that restarts leaves a gap, and its total goes on.
 * - A histogram with other bounds begins its stream anew, since it cannot be added: counted as a restart.
 * - After nothing for `max_stale` the stream is forgotten: what comes then begins another, with a start of its own,
 *   which Prometheus sees as the reset of a counter. Beyond `max_streams` points of new ones are dropped as
 *   `stream_limit`.
 * - A point that would make the total larger than there is memory for is dropped as `memory_limit`.
 */
import type { Logger } from '../../pipeline/host.ts'
import type { DeltaCounters } from './delta-metrics.ts'
import { type DeltaTotal, deltaTotal, type HasRoomFor } from './delta-totals.ts'
import { compareNanos } from './nanos.ts'
import type { PointReader } from './point-reader.ts'
import type { PointValue } from './point-value.ts'

/** Of a stream and its total, beside buckets. */
const streamBytes = 250

/** The series that a stream feeds. */
export interface DeltaOwner {
  delta: DeltaStream | undefined
}

export interface DeltaLimits {
  /** Milliseconds. */
  readonly max_stale: number
  readonly max_streams: number
}

/** What was added up, since when and until when. */
export class DeltaStream {
  readonly dataField: number
  total: DeltaTotal
  startLow: number
  startHigh: number
  timeLow = 0
  timeHigh = 0
  /** When its last point was received, on the monotonic clock. */
  seenMs = 0

  constructor(dataField: number, { startLow, startHigh }: PointReader) {
    this.dataField = dataField
    this.total = deltaTotal(dataField)
    this.startLow = startLow
    this.startHigh = startHigh
  }

  /** Makes of a point, and of what was read of it, what the stream is: a cumulative point. */
  present(point: PointReader, value: PointValue): void {
    point.startLow = this.startLow
    point.startHigh = this.startHigh
    this.total.present(point, value)
  }
}

export class DeltaStreams {
  readonly #limits: DeltaLimits
  readonly #counters: DeltaCounters
  readonly #log: Logger
  readonly #hasRoomFor: HasRoomFor
  #count = 0
  #bucketBytes = 0
  #hasLoggedLimit = false

  constructor(limits: DeltaLimits, counters: DeltaCounters, log: Logger, hasRoomFor: HasRoomFor) {
    this.#limits = limits
    this.#counters = counters
    this.#log = log
    this.#hasRoomFor = hasRoomFor
  }

  get count(): number {
    return this.#count
  }

  /** Roughly. */
  get keptBytes(): number {
    return this.#count * streamBytes + this.#bucketBytes
  }

  /**
   * Adds a point, which `value` has read, to the stream of its series, and presents that in both. Undefined, or the
   * cause for which the point has to be dropped: it has changed nothing then.
   */
  take(
    owner: DeltaOwner,
    point: PointReader,
    { value, dataField, nowMs }: { value: PointValue; dataField: number; nowMs: number },
  ): string | undefined {
    this.expire(owner, nowMs)
    const known = owner.delta
    if (known === undefined && this.#count >= this.#limits.max_streams) return this.#refuse()
    const cause = known && dropCause(known, point)
    if (cause !== undefined) return cause
    const stream = known ?? new DeltaStream(dataField, point)
    if (!stream.total.hasRoom(value, this.#hasRoomFor)) return 'memory_limit'
    if (known === undefined) {
      owner.delta = stream
      this.#count++
    } else this.#countStart(stream, point)
    const bytesBefore = stream.total.bucketBytes
    if (!stream.total.add(point, value)) {
      this.#counters.restart.add(1)
      stream.total = deltaTotal(dataField)
      stream.total.add(point, value)
      stream.startLow = point.startLow
      stream.startHigh = point.startHigh
    }
    this.#bucketBytes += stream.total.bucketBytes - bytesBefore
    stream.timeLow = point.timeLow
    stream.timeHigh = point.timeHigh
    stream.seenMs = nowMs
    stream.present(point, value)
    return undefined
  }

  /** Forgets the stream of a series whose last point is too long ago. */
  expire(owner: DeltaOwner, nowMs: number): void {
    if (owner.delta === undefined || nowMs - owner.delta.seenMs <= this.#limits.max_stale) return
    this.#counters.expired.add(1)
    this.forget(owner)
  }

  /** Forgets the stream of a series that has ended. */
  forget(owner: DeltaOwner): void {
    if (owner.delta === undefined) return
    this.#bucketBytes -= owner.delta.total.bucketBytes
    owner.delta = undefined
    this.#count--
    this.#hasLoggedLimit &&= this.#count >= this.#limits.max_streams / 2
  }

  #refuse(): string {
    if (!this.#hasLoggedLimit) {
      this.#hasLoggedLimit = true
      this.#log.warn(
        { max_streams: this.#limits.max_streams },
        'max_streams is reached: delta points of new streams are dropped until others are stale',
      )
    }
    return 'stream_limit'
  }

  #countStart(stream: DeltaStream, point: PointReader): void {
    const { startLow, startHigh } = point
    const order = compareNanos(startLow, startHigh, stream.timeLow, stream.timeHigh)
    const { aligned, gap, overlap } = this.#counters
    if (order === 0 || hasUnknownStart(point)) aligned.add(1)
    else if (order > 0) gap.add(1)
    else overlap.add(1)
  }
}

function dropCause(stream: DeltaStream, point: PointReader): string | undefined {
  const { timeLow, timeHigh, startLow, startHigh } = stream
  if (compareNanos(point.timeLow, point.timeHigh, timeLow, timeHigh) <= 0) return 'out_of_order'
  if (hasUnknownStart(point)) return undefined
  const isOlder = compareNanos(point.startLow, point.startHigh, startLow, startHigh) < 0
  return isOlder ? 'older_start' : undefined
}

function hasUnknownStart({ startLow, startHigh }: PointReader): boolean {
  return startLow === 0 && startHigh === 0
}
