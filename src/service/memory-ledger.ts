import type { MemoryLedger } from '../pipeline/host.ts'
import type { Clock, ProcessUsage, Timer } from '../platform/platform.ts'

const samplePeriodMs = 100

/** The process's account of telemetry bytes: exact by hold and release, with the resident set as a second opinion. */
export class ProcessLedger implements MemoryLedger {
  readonly #timer: Timer
  readonly #usage: ProcessUsage
  readonly baseBytes: number
  #heldBytes = 0
  #keptBytes = 0
  #keptBytesMax: number
  readonly #keptLimits = new Map<object, number>()
  #rssBytes: number

  constructor(clock: Clock, usage: ProcessUsage) {
    this.#usage = usage
    this.baseBytes = usage.rssBytes()
    this.#rssBytes = this.baseBytes
    this.#keptBytesMax = usage.availableBytes() / 2
    this.#timer = clock.every(samplePeriodMs, () => this.#sample())
  }

  get keptBytes(): number {
    return this.#keptBytes
  }

  get keptBytesMax(): number {
    return this.#keptBytesMax
  }

  keep(change: number): void {
    this.#keptBytes += change
  }

  limitKept(owner: object, byteLength: number | undefined): void {
    if (byteLength === undefined) this.#keptLimits.delete(owner)
    else this.#keptLimits.set(owner, byteLength)
    this.#keptBytesMax = Math.min(this.availableBytes / 2, ...this.#keptLimits.values())
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get rssBytes(): number {
    return this.#rssBytes
  }

  get availableBytes(): number {
    return this.#usage.availableBytes()
  }

  hold(byteLength: number): void {
    this.#heldBytes += byteLength
  }

  release(byteLength: number): void {
    this.#heldBytes -= byteLength
  }

  close(): void {
    this.#timer.cancel()
  }

  #sample(): void {
    try {
      this.#rssBytes = this.#usage.rssBytes()
    } catch {
      // It is read from a file, which fails when file descriptors run out: the last figure stands until it works again.
    }
  }
}
