import type { Host } from '../../pipeline/host.ts'
import { describeSource, type MetricSource } from './metric-source.ts'

interface Cause {
  /** Points of the batch at hand, and the metric of the last of them. */
  pointCount: number
  metric: MetricSource<unknown> | undefined
  /** Points that no line has told yet, and when there was one, on the monotonic clock. */
  untoldCount: number
  toldMs: number
}

/** A cause that goes on is told again so often. */
const linePeriodMs = 60_000
/** Those that have better lines of their own. */
const toldElsewhere: ReadonlySet<string> = new Set([
  'series_collision',
  'series_limit',
  'memory_limit',
  'type_conflict',
])

/**
 * Points dropped of the batch at hand, by cause: reported once a batch, not once a point. The log names one metric for
 * each cause, once a minute.
 */
export class DropTally {
  readonly #host: Host
  /** As many as the code has names for. */
  readonly #causes = new Map<string, Cause>()

  constructor(host: Host) {
    this.#host = host
  }

  add(name: string, pointCount: number, metric?: MetricSource<unknown>): void {
    if (pointCount === 0) return
    let cause = this.#causes.get(name)
    if (cause === undefined) {
      cause = { pointCount: 0, metric: undefined, untoldCount: 0, toldMs: -Infinity }
      this.#causes.set(name, cause)
    }
    cause.pointCount += pointCount
    cause.metric = metric ?? cause.metric
  }

  /** Forgets what was added: the batch is refused as a whole. */
  discard(): void {
    for (const cause of this.#causes.values()) {
      cause.pointCount = 0
      cause.metric = undefined
    }
  }

  /** How many there were, now that they stand in the drop ledger. */
  report(): number {
    let sum = 0
    for (const [name, cause] of this.#causes) {
      if (cause.pointCount === 0) continue
      this.#host.dropped('metrics', cause.pointCount, name)
      sum += cause.pointCount
      if (!toldElsewhere.has(name)) this.#tell(name, cause)
    }
    this.discard()
    return sum
  }

  #tell(name: string, cause: Cause): void {
    const nowMs = this.#host.clock.monotonicMs()
    cause.untoldCount += cause.pointCount
    if (nowMs - cause.toldMs < linePeriodMs) return
    const which = cause.metric === undefined ? '' : `, the last of ${describeSource(cause.metric)}`
    this.#host.log.warn(
      { cause: name, dropped_points: cause.untoldCount },
      `points are dropped as ${name}${which}`,
    )
    cause.untoldCount = 0
    cause.toldMs = nowMs
  }
}
