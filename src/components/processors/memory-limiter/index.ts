import { z } from 'zod'
import { durationText } from '../../../config/quantity.ts'
import { duration, removed, section } from '../../../config/schema.ts'
import { type ConfigProblem, defineProcessor } from '../../../pipeline/component.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { limiterMetrics, MemoryLimiter } from './memory-limiter.ts'

const noEffect =
  'Accepted for compatibility; has no effect, since V8 decides when to collect garbage.'

const mebibytes = () => z.int().min(0).default(0)
const percentage = () => z.int().min(0).max(100).default(0)

const config = section({
  check_interval: duration()
    .prefault('1s')
    .describe(
      'How often limits are worked out anew and the end of a refusal is looked for. Requests are measured ' +
        'against the limits as they come, whatever the interval. The Collector has no default.',
    ),
  limit_mib: mebibytes().describe(
    'The memory this process should stay under (resident set size), in MiB. Wins over limit_percentage.',
  ),
  spike_limit_mib: mebibytes().describe(
    'Room kept free below the limit; what is left is the soft limit. 0 means a fifth of the limit.',
  ),
  limit_percentage: percentage().describe(
    "The limit as a percentage of the cgroup's memory limit (v1 or v2), or of the machine's memory without one.",
  ),
  spike_limit_percentage: percentage().describe(
    'spike_limit_mib as a percentage of the same memory; goes with limit_percentage.',
  ),
  min_gc_interval_when_soft_limited: duration().prefault('10s').describe(noEffect),
  min_gc_interval_when_hard_limited: duration().prefault('0s').describe(noEffect),
  max_gc_interval_when_soft_limited: duration().prefault('30s').describe(noEffect),
  max_gc_interval_when_hard_limited: duration().prefault('30s').describe(noEffect),
  ballast_size_mib: removed('leave it out'),
})

/** The rules of the Collector's own validation. */
function check(settings: z.output<typeof config>): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const complain = (key: keyof typeof settings, message: string) =>
    void problems.push({ path: [key], message })
  if (settings.check_interval <= 0) {
    complain('check_interval', 'must be greater than zero, such as 1s')
  }
  if (settings.limit_mib === 0 && settings.limit_percentage === 0) {
    complain('limit_mib', 'or limit_percentage must be greater than zero')
  }
  if (settings.limit_mib > 0 && settings.spike_limit_mib >= settings.limit_mib) {
    complain('spike_limit_mib', `must be smaller than limit_mib (${settings.limit_mib})`)
  }
  if (
    settings.limit_percentage > 0 &&
    settings.spike_limit_percentage >= settings.limit_percentage
  ) {
    const limit = settings.limit_percentage
    complain('spike_limit_percentage', `must be smaller than limit_percentage (${limit})`)
  }
  const hardMs = settings.min_gc_interval_when_hard_limited
  if (settings.min_gc_interval_when_soft_limited < hardMs) {
    const rule = 'must not be smaller than min_gc_interval_when_hard_limited'
    complain('min_gc_interval_when_soft_limited', `${rule} (${durationText(hardMs)})`)
  }
  return problems
}

export const memoryLimiter = defineProcessor({
  type: 'memory_limiter',
  summary:
    'Keeps the process under a memory limit by refusing requests, retryably and before they are read, while too many bytes are held.',
  stability: 'beta',
  signals: signalNames,
  config,
  check,
  metrics: limiterMetrics,
  examples: [
    {
      title: 'A fixed limit',
      yaml: 'check_interval: 1s\nlimit_mib: 512\nspike_limit_mib: 128\n',
    },
    {
      title: 'A share of the container',
      yaml: 'check_interval: 1s\nlimit_percentage: 80\nspike_limit_percentage: 20\n',
    },
  ],
  create: (settings, host) => new MemoryLimiter(settings, host),
})
