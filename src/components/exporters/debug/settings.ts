import { z } from 'zod'
import { section, text } from '../../../config/schema.ts'
import { sendingQueue } from '../../../kit/queue/queue-settings.ts'

const count = () => z.number().int().min(0)

export const debugSettings = section({
  verbosity: z
    .enum(['basic', 'normal', 'detailed'])
    .optional()
    .describe('basic: counts. normal: also a line an item. detailed: everything. Default: basic.'),
  loglevel: z
    .enum(['debug', 'info', 'warn', 'error'])
    .optional()
    .describe(
      'Of the former `logging` exporter: debug is detailed, info normal, the others basic.',
    ),
  sampling_initial: count().default(2).describe('Requests to print each second before sampling.'),
  sampling_thereafter: count()
    .default(1)
    .describe('After those, print every so many; 0 prints no more that second.'),
  use_internal_logger: z
    .boolean()
    .default(true)
    .describe("Print through the gateway's own log; otherwise as plain text to output_paths."),
  output_paths: z
    .array(text())
    .default(['stdout'])
    .describe('stdout, stderr or files; without use_internal_logger.'),
  sending_queue: sendingQueue({ isOnByDefault: false }).describe('What waits to be sent.'),
})

export type DebugSettings = z.output<typeof debugSettings>
export type Verbosity = NonNullable<DebugSettings['verbosity']>

const verbosities = { debug: 'detailed', info: 'normal', warn: 'basic', error: 'basic' } as const

export function verbosityOf({ verbosity, loglevel }: DebugSettings): Verbosity {
  if (verbosity !== undefined || loglevel === undefined) return verbosity ?? 'basic'
  return verbosities[loglevel]
}
