/**
 * A series belongs to the source that came to it first. Another one that comes to it - two resources without anything
 * that tells them apart, keys or names that become the same - is counted, and said once by name, never interleaved. Of
 * many within a second one is named for all.
 */
import { LineLimit } from '../logging/line-limit.ts'
import type { Host } from '../../pipeline/host.ts'
import type { Counter } from '../../pipeline/meter.ts'
import type { DropTally } from './drop-tally.ts'
import { describeSource, type MetricSource } from './metric-source.ts'
import { compareNanos } from './nanos.ts'
import type { PointReader } from './point-reader.ts'
import type { SeriesBudget } from './series-budget.ts'

export interface SeriesOwner {
  readonly metric: MetricSource<unknown>
  /** When its last point was received, on the monotonic clock. */
  readonly receivedMs: number
  /** When that point was made. */
  readonly timeLow: number
  readonly timeHigh: number
  readonly hasLoggedCollision: boolean
  markCollided(): void
}

interface OwnershipOptions {
  readonly expirationMs: number
  readonly seriesMax: number
}

interface OwnershipUses {
  readonly drops: DropTally
  readonly collisions: Counter
  readonly budget: SeriesBudget
}

interface Collision {
  readonly series: string
  readonly message: string
}

/** A sender whose series never fit may try as often as it likes. */
const limitLineMs = 60_000

export class SeriesOwnership {
  readonly #options: OwnershipOptions
  readonly #host: Host
  readonly #drops: DropTally
  readonly #collisions: Counter
  readonly #budget: SeriesBudget
  readonly #lines: LineLimit<Collision>
  #hasLoggedLimit = false
  #loggedLimitMs = 0

  constructor(options: OwnershipOptions, host: Host, uses: OwnershipUses) {
    this.#options = options
    this.#host = host
    this.#drops = uses.drops
    this.#collisions = uses.collisions
    this.#budget = uses.budget
    this.#lines = new LineLimit(host.clock, (count, { series, message }) => {
      if (count === 1) host.log.warn({ series }, message)
      else {
        const more = `; so it is with ${count - 1} more series`
        host.log.warn({ series, collided_series: count }, message + more)
      }
    })
  }

  /** Writes the lines that were held back. */
  close(): void {
    this.#lines.close()
  }

  /** Expired, or ended before the newcomer began: a process that was restarted is no second source. */
  isOver(owner: SeriesOwner, point: PointReader, nowMs: number): boolean {
    if (owner.receivedMs < nowMs - this.#options.expirationMs) return true
    return compareNanos(point.startLow, point.startHigh, owner.timeLow, owner.timeHigh) > 0
  }

  /** Drops a point of a metric whose series is another's; `describe` shows the series to people. */
  collide(owner: SeriesOwner, metric: MetricSource<unknown>, describe: () => string): void {
    this.#collisions.add(1)
    this.#drops.add('series_collision', 1)
    if (owner.hasLoggedCollision) return
    owner.markCollided()
    this.#lines.add(1, {
      series: describe(),
      message: `two sources collide on one series: ${describeCollision(owner.metric, metric)}`,
    })
  }

  /** Drops a point of new series for which there is no room. */
  overflow(family: string): void {
    this.#drops.add('series_limit', 1)
    if (this.#hasLoggedLimit) return
    this.#hasLoggedLimit = true
    this.#loggedLimitMs = this.#host.clock.monotonicMs()
    this.#host.log.warn(
      { family, max_series: this.#options.seriesMax },
      'max_series is reached: points of new series are dropped until others expire',
    )
  }

  /** Once there is room again, the next lack of it is worth a line. */
  noteRoom(): void {
    if (!this.#hasLoggedLimit || !this.#budget.hasRoom(1)) return
    const sinceMs = this.#host.clock.monotonicMs() - this.#loggedLimitMs
    if (sinceMs >= limitLineMs) this.#hasLoggedLimit = false
  }
}

/** Who has it, who does not get it, and, where both are called the same, what would tell them apart. */
function describeCollision(owner: MetricSource<unknown>, metric: MetricSource<unknown>): string {
  const [keeper, other] = [describeSource(owner), describeSource(metric)]
  if (keeper !== other) {
    return `${keeper} keeps it, points of ${other} are dropped until it has expired`
  }
  if (owner.scope.resource === metric.scope.resource) {
    return (
      `${keeper} keeps it, points of another metric "${metric.name}" there, or with attributes that become ` +
      `the same labels, are dropped until it has expired`
    )
  }
  return (
    `two resources send ${keeper}; points of the second are dropped until the first has expired. Give each a ` +
    `service.instance.id, or make labels of what tells them apart (resource_to_telemetry_conversion)`
  )
}
