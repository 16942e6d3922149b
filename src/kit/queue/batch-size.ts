import type { Batch } from '../../otlp/batch.ts'

/** What a batch counts against a limit in the given unit. */
export function batchSize(batch: Batch, sizer: 'requests' | 'items' | 'bytes'): number {
  if (sizer === 'requests') return 1
  return sizer === 'items' ? batch.itemCount : batch.byteLength
}
