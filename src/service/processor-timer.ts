import type { Batch } from '../otlp/batch.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import type { Histogram } from '../pipeline/meter.ts'
import type { Clock } from '../platform/platform.ts'

/** Bounds in seconds, from ten microseconds on: most batches pass a processor in less than a millisecond. */
export const durationBounds: readonly number[] = [
  0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
  0.05, 0.1, 0.25, 0.5, 1,
]

/**
 * Times one processor by itself: its consume, less the consume of the next that it calls meanwhile. What a processor
 * does later, as on a timer, is not the time of any batch.
 */
export class ProcessorTimer {
  readonly #clock: Clock
  readonly #seconds: Histogram
  #elsewhereMs = 0

  constructor(clock: Clock, seconds: Histogram) {
    this.#clock = clock
    this.#seconds = seconds
  }

  /** The processor, timed. */
  around(processor: Consumer): Consumer {
    const admit = processor.admit && ((byteLength: number) => processor.admit!(byteLength))
    return {
      ...(admit && { admit }),
      consume: (batch) => {
        this.#elsewhereMs = 0
        return this.#timed(processor, batch, (ms) =>
          this.#seconds.record((ms - this.#elsewhereMs) / 1000),
        )
      },
    }
  }

  /** What comes after it, which is not its own time. */
  beyond(next: Consumer): Consumer {
    return {
      consume: (batch) => this.#timed(next, batch, (ms) => (this.#elsewhereMs += ms)),
      admit: (byteLength) => next.admit?.(byteLength),
    }
  }

  #timed(consumer: Consumer, batch: Batch, tell: (ms: number) => void): void | Promise<void> {
    const startMs = this.#clock.monotonicMs()
    try {
      return consumer.consume(batch)
    } finally {
      tell(this.#clock.monotonicMs() - startMs)
    }
  }
}
