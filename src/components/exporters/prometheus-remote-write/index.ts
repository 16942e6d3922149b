import { defineExporter } from '../../../pipeline/component.ts'
import { RemoteWriteExporter } from './remote-write-exporter.ts'
import { checkSettings, effectiveSettings, settings } from './settings.ts'
import { declaredMetrics } from './write-metrics.ts'

export const prometheusRemoteWrite = defineExporter({
  type: 'prometheus_remote_write',
  aliases: ['prometheusremotewrite'],
  summary: 'Sends metrics to Prometheus, Mimir, Thanos and others by remote write 1.0 or 2.0.',
  stability: 'beta',
  signals: ['metrics'],
  config: settings,
  check: checkSettings,
  metrics: declaredMetrics,
  examples: [
    {
      title: 'A Prometheus in the same cluster',
      yaml: 'endpoint: http://prometheus:9090/api/v1/write',
    },
    {
      title: 'One tenant of Mimir by 2.0, some resource attributes as labels',
      yaml: [
        'endpoint: https://mimir.example.com/api/v1/push',
        'protobuf_message: io.prometheus.write.v2.Request',
        'headers:',
        '  X-Scope-OrgID: team-a',
        'external_labels:',
        '  cluster: eu-1',
        'resource_constant_labels:',
        '  included: [k8s.*, cloud.region]',
        'remote_write_queue:',
        '  num_consumers: 10',
      ].join('\n'),
    },
  ],
  create: (config, host) => new RemoteWriteExporter(effectiveSettings(config), host),
})
