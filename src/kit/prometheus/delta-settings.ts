import { z } from 'zod'
import { duration, section } from '../../config/schema.ts'

/** The keys of the Collector's deltatocumulative processor, with its defaults but for the limit, which it has not. */
export const deltaShape = {
  max_stale: duration()
    .refine((value) => value > 0, 'must be more than 0')
    .meta({ form: 'duration' })
    .prefault('5m')
    .describe('How long a delta stream is remembered after its last point; then it begins anew.'),
  max_streams: z
    .int()
    .positive()
    .default(1_000_000)
    .describe('Most delta streams to add up; points of further ones are dropped and counted.'),
}

export function deltaToCumulative() {
  return section(deltaShape).describe(
    'Points of delta temporality are added up: what is kept for that.',
  )
}
