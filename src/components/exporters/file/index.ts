import { defineExporter } from '../../../pipeline/component.ts'
import { senderMetrics } from '../../../kit/queue/sender-metrics.ts'
import { fileExporter } from './file-exporter.ts'
import { checkFile, fileSettings } from './settings.ts'

export const file = defineExporter({
  type: 'file',
  summary: 'Writes telemetry to a file, as lines of OTLP/JSON or length-prefixed protobuf.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config: fileSettings,
  check: checkFile,
  metrics: senderMetrics().filter(({ name }) => !/queue/.test(name)),
  examples: [
    { title: 'One line of JSON a request', yaml: 'path: /var/lib/penstock/traces.json\n' },
    {
      title: 'Compressed protobuf in files of 50 MiB, for a week',
      yaml: [
        'path: /var/lib/penstock/traces.pb',
        'format: proto',
        'compression: zstd',
        'rotation:',
        '  max_megabytes: 50',
        '  max_days: 7',
        '',
      ].join('\n'),
    },
  ],
  create: fileExporter,
})
