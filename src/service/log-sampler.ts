import type { Clock } from '../platform/platform.ts'
import type { LogSampling } from './checked-config.ts'

/** Beyond this many texts the counting begins anew, which writes more lines, never fewer. */
const textsMax = 4096

/** Says which log lines to write, by zap's rule: those of one level and text are counted together, from the first of a tick on. */
export class LogSampler {
  readonly #sampling: LogSampling
  readonly #clock: Clock
  readonly #counts = new Map<string, { lines: number; untilMs: number }>()

  constructor(sampling: LogSampling, clock: Clock) {
    this.#sampling = sampling
    this.#clock = clock
  }

  admits(level: number, text: string): boolean {
    const { tickMs, initial, thereafter } = this.#sampling
    const nowMs = this.#clock.monotonicMs()
    const key = `${level} ${text}`
    let count = this.#counts.get(key)
    if (count === undefined || nowMs >= count.untilMs) {
      if (this.#counts.size >= textsMax) this.#counts.clear()
      count = { lines: 0, untilMs: nowMs + tickMs }
      this.#counts.set(key, count)
    }
    const later = ++count.lines - initial
    return later <= 0 || (thereafter > 0 && later % thereafter === 0)
  }
}
