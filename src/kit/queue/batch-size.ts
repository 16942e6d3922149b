import type { Batch } from '../../otlp/batch.ts'

/** What a batch counts against a limit in the given unit. */
export function batchSize(batch: Batch, sizer: 'requests' | 'items' | 'bytes'): number {
  if (sizer === 'requests') return 1
  return sizer === 'items' ? batch.itemCount : batch.byteLength
}

/** The Collector's histogram bounds for the items of an outgoing batch. */
export const batchItemCountBounds: readonly number[] = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000,
  20_000, 30_000, 50_000, 100_000,
]

/** And for its bytes: powers of two from 128 B to 16 MiB. */
export const batchByteLengthBounds: readonly number[] = Array.from(
  { length: 18 },
  (_, power) => 128 * 2 ** power,
)
