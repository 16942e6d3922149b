import { defineExporter } from '../../../pipeline/component.ts'
import { senderMetrics } from '../../../kit/queue/sender-metrics.ts'
import { otlpHttpExporter } from './otlp-http-exporter.ts'
import { checkOtlpHttp, otlpHttpSettings } from './settings.ts'

export const otlpHttp = defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  summary: 'Sends telemetry by OTLP over HTTP, as protobuf or JSON.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config: otlpHttpSettings,
  check: checkOtlpHttp,
  metrics: senderMetrics(['server_address', 'server_port', 'url_path']),
  examples: [
    {
      title: 'Traces to Tempo in the same cluster',
      yaml: 'endpoint: http://tempo:4318\n',
    },
    {
      title: 'Logs to Loki for one tenant, batched in the queue',
      yaml: [
        'endpoint: http://loki:3100/otlp',
        'headers:',
        '  X-Scope-OrgID: team-a',
        'sending_queue:',
        '  batch:',
        '    min_size: 8192',
        '',
      ].join('\n'),
    },
    {
      title: 'A backend behind TLS with its own authority, compressed by zstd',
      yaml: [
        'endpoint: https://otlp.example.com',
        'compression: zstd',
        'tls:',
        '  ca_file: /etc/penstock/ca.pem',
        '',
      ].join('\n'),
    },
  ],
  create: otlpHttpExporter,
})
