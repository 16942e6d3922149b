/** When a client's PINGs are abuse, by the rules of gRPC's keepalive (A8, as grpc-go has them). */

interface PingPolicyOptions {
  readonly minTimeMs: number
  readonly permitWithoutStream: boolean
}

const strikesMax = 2
/** What is allowed without calls, where keepalive is meant to be silent. */
const idlePingGapMs = 2 * 3_600_000

export class PingPolicy {
  readonly #options: PingPolicyOptions
  #lastPingMs = -Infinity
  #strikes = 0
  #hasWritten = false

  constructor(options: PingPolicyOptions) {
    this.#options = options
  }

  /** Data or headers went out: clients measure bandwidth by a PING after reading, which is no offence. */
  noteWrite(): void {
    this.#hasWritten = true
  }

  /** True when this PING is one too many and the connection should go. */
  isAbuse(nowMs: number, openCallCount: number): boolean {
    const gapMs = nowMs - this.#lastPingMs
    this.#lastPingMs = nowMs
    if (this.#hasWritten) {
      this.#hasWritten = false
      this.#strikes = 0
      return false
    }
    const { minTimeMs, permitWithoutStream } = this.#options
    const isQuiet = openCallCount === 0 && !permitWithoutStream
    if (gapMs < (isQuiet ? idlePingGapMs : minTimeMs)) this.#strikes++
    return this.#strikes > strikesMax
  }
}
