import { z } from 'zod'
import {
  duration,
  listenEndpoint,
  namesTo,
  section,
  text,
  unsupported,
} from '../../../config/schema.ts'
import { httpServerShape } from '../../../kit/http/server-settings.ts'
import type { LabelRules } from '../../../kit/prometheus/labels.ts'
import {
  labelRules as translationLabelRules,
  translationProblems,
} from '../../../kit/prometheus/translation-rules.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'
import { sendingQueue } from '../../../kit/queue/queue-settings.ts'
import { translationShape } from '../../../kit/prometheus/translation-settings.ts'

const serverShape = {
  ...httpServerShape({ endpoint: 'localhost:8889' }),
  endpoint: listenEndpoint().describe('host:port to listen on; the page is at /metrics.'),
  write_timeout: duration()
    .prefault('30s')
    .describe('Longest that a scrape may take; a shorter timeout of the scraper wins.'),
}

const pageShape = {
  ...translationShape,
  const_labels: namesTo(text()).describe('Labels of every series, where it has none of that name.'),
  send_timestamps: z.boolean().default(false).describe('Show when each value was measured.'),
  metric_expiration: duration()
    .prefault('5m')
    .describe('How long a series is shown after its last point was received.'),
  enable_open_metrics: z
    .boolean()
    .default(false)
    .describe('Offer OpenMetrics, and with it exemplars and created timestamps.'),
  without_created: z
    .boolean()
    .default(false)
    .describe(
      'Leave the _created lines out of OpenMetrics, as the Collector does: to most servers each is a further series. Protobuf keeps its created timestamps. Not of the Collector.',
    ),
  without_scope_info: z.boolean().default(false).describe('Leave out the otel_scope_ labels.'),
  max_series: z
    .int()
    .positive()
    .default(1_000_000)
    .describe(
      'Most Prometheus series to keep: a histogram of ten buckets is 13, sum and count and each quantile of a summary are one. One takes about 600 bytes with nine labels, all 13 of such a histogram 1000, a tenth more in the process. Points of further ones are dropped and counted.',
    ),
  max_concurrent_scrapes: z
    .int()
    .positive()
    .default(10)
    .describe(
      'Most scrapes at once; a further one takes the place of one whose reader stands still for a second, else it is answered 503.',
    ),
  convert_histograms_to_nhcb: unsupported(
    'no format of the page has a place for custom buckets; who scrapes it converts: convert_classic_histograms_to_nhcb',
  ),
  sending_queue: sendingQueue({ isOnByDefault: false }).describe(
    'Accepted; the page is up to date without a queue.',
  ),
}

export const settings = section({ ...serverShape, ...pageShape })

export type PrometheusSettings = z.output<z.ZodObject<typeof serverShape & typeof pageShape>>

export function checkSettings(config: PrometheusSettings): ConfigProblem[] {
  const problems = translationProblems(config)
  if (config.add_metric_suffixes === false && config.translation_strategy === undefined) {
    const message =
      'takes the suffixes off the names, which the Collector no longer does since 0.132: remove it to keep them, or write translation_strategy: UnderscoreEscapingWithoutSuffixes'
    problems.push({ path: ['add_metric_suffixes'], message, severity: 'warning' })
  }
  return problems
}

export function labelRules(config: PrometheusSettings): LabelRules {
  return translationLabelRules(config, {
    constLabels: config.const_labels,
    scopeInfo: !config.without_scope_info,
  })
}
