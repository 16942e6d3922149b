import { defineExporter } from '../../../pipeline/component.ts'
import { senderMetrics } from '../../../kit/queue/sender-metrics.ts'
import { otlpGrpcExporter } from './otlp-grpc-exporter.ts'
import { otlpGrpcSettings } from './settings.ts'

export const otlpGrpc = defineExporter({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  summary: 'Sends telemetry by OTLP over gRPC.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config: otlpGrpcSettings,
  metrics: senderMetrics(['server_address', 'server_port']),
  examples: [
    {
      title: 'Traces to Jaeger in the same cluster, in plaintext',
      yaml: 'endpoint: jaeger:4317\ntls:\n  insecure: true\n',
    },
    {
      title: 'Every replica behind a headless service in turn',
      yaml: [
        'endpoint: dns:///tempo-distributor.tempo:4317',
        'balancer_name: round_robin',
        'tls:',
        '  ca_file: /etc/penstock/ca.pem',
        'keepalive:',
        '  time: 30s',
        '',
      ].join('\n'),
    },
  ],
  create: otlpGrpcExporter,
})
