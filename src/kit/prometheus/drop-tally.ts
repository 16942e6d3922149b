import type { Host } from '../../pipeline/host.ts'
import { describeSource, type MetricSource } from './metric-source.ts'

/** Of one cause, what no line has told yet. */
interface Untold {
  pointCount: number
  /** When there was a line, on the monotonic clock. */
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
  readonly #counts = new Map<string, number>()
  /** Of each cause, the last metric. */
  readonly #metrics = new Map<string, MetricSource<unknown>>()
  /** By cause: there are as many as the code has names for. */
  readonly #untold = new Map<string, Untold>()

  constructor(host: Host) {
    this.#host = host
  }

  add(cause: string, pointCount: number, metric?: MetricSource<unknown>): void {
    if (pointCount === 0) return
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + pointCount)
    if (metric !== undefined) this.#metrics.set(cause, metric)
  }

  /** Forgets what was added: the batch is refused as a whole. */
  discard(): void {
    this.#counts.clear()
    this.#metrics.clear()
  }

  /** How many there were, now that they stand in the drop ledger. */
  report(): number {
    let sum = 0
    for (const [cause, pointCount] of this.#counts) {
      this.#host.dropped('metrics', pointCount, cause)
      sum += pointCount
      if (!toldElsewhere.has(cause)) this.#tell(cause, pointCount)
    }
    this.discard()
    return sum
  }

  #tell(cause: string, pointCount: number): void {
    const nowMs = this.#host.clock.monotonicMs()
    let untold = this.#untold.get(cause)
    if (untold === undefined) {
      untold = { pointCount: 0, toldMs: -Infinity }
      this.#untold.set(cause, untold)
    }
    untold.pointCount += pointCount
    if (nowMs - untold.toldMs < linePeriodMs) return
    const metric = this.#metrics.get(cause)
    const which = metric === undefined ? '' : `, the last of ${describeSource(metric)}`
    this.#host.log.warn(
      { cause, dropped_points: untold.pointCount },
      `points are dropped as ${cause}${which}`,
    )
    untold.pointCount = 0
    untold.toldMs = nowMs
  }
}
