import { z } from 'zod'
import { durationText } from '../../config/quantity.ts'
import { duration, section } from '../../config/schema.ts'

/** `retry_on_failure` as every exporter has it. Durations are in milliseconds. */
export interface RetrySettings {
  readonly enabled: boolean
  readonly initial_interval: number
  readonly randomization_factor: number
  readonly multiplier: number
  readonly max_interval: number
  /** 0 means for ever. */
  readonly max_elapsed_time: number
}

/** The setting group, with the Collector's defaults and rules; the rules hold even when it is not enabled. */
export function retryOnFailure({ initialInterval = '5s' } = {}) {
  const defaults = { initial_interval: initialInterval, max_interval: '30s' }
  return section({
    enabled: z.boolean().default(true).describe('Send again what the peer refused for now.'),
    initial_interval: duration()
      .prefault(defaults.initial_interval)
      .describe('Wait after the first failure, before jitter.'),
    randomization_factor: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('Each wait is drawn from interval x (1 ± this).'),
    multiplier: z
      .number()
      .positive()
      .default(1.5)
      .describe('What the interval grows by after each failure.'),
    max_interval: duration()
      .prefault(defaults.max_interval)
      .describe('The longest interval, before jitter.'),
    max_elapsed_time: duration()
      .prefault('300s')
      .describe(
        'Give up, and drop, after this long; 0 means never. A wait that the peer asks for is cut to an hour, or to a longer max_interval.',
      ),
  }).superRefine((settings, context) => {
    for (const [key, message] of brokenRules(settings, defaults)) {
      context.addIssue({ code: 'custom', path: [key], message })
    }
  })
}

function brokenRules(
  settings: RetrySettings,
  defaults: Readonly<Record<'initial_interval' | 'max_interval', string>>,
): [key: keyof RetrySettings, message: string][] {
  const broken: [keyof RetrySettings, string][] = []
  if (settings.max_elapsed_time === 0) return broken
  for (const key of ['initial_interval', 'max_interval'] as const) {
    if (settings.max_elapsed_time < settings[key]) {
      const least = durationText(settings[key])
      const origin = least === defaults[key] ? ', the default' : ''
      broken.push(['max_elapsed_time', `must be 0 or at least ${key} (${least}${origin})`])
    }
  }
  return broken
}
