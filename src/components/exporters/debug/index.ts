import { defineExporter } from '../../../pipeline/component.ts'
import { senderMetrics } from '../../../kit/queue/sender-metrics.ts'
import { debugExporter } from './debug-exporter.ts'
import { debugSettings } from './settings.ts'

export const debug = defineExporter({
  type: 'debug',
  aliases: ['logging'],
  summary: 'Prints telemetry, for people who want to see what arrives.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config: debugSettings,
  metrics: senderMetrics(),
  examples: [
    { title: 'A line of counts for each request', yaml: 'verbosity: basic\n' },
    {
      title: 'Everything, as plain text on stdout',
      yaml: 'verbosity: detailed\nuse_internal_logger: false\n',
    },
    {
      title: 'One request in a hundred once there are more than five a second',
      yaml: 'verbosity: normal\nsampling_initial: 5\nsampling_thereafter: 100\n',
    },
  ],
  create: debugExporter,
})
