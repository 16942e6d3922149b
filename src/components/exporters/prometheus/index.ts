import { defineExporter } from '../../../pipeline/component.ts'
import { PrometheusExporter } from './prometheus-exporter.ts'
import { checkSettings, settings } from './settings.ts'
import { declaredMetrics } from './store-metrics.ts'

export const prometheus = defineExporter({
  type: 'prometheus',
  summary: 'Shows the last value of every metric on a page that Prometheus scrapes.',
  stability: 'beta',
  signals: ['metrics'],
  config: settings,
  check: checkSettings,
  listens: ({ endpoint }) => [{ path: ['endpoint'], endpoint, transport: 'tcp' }],
  metrics: declaredMetrics,
  examples: [
    { title: 'A page on port 8889', yaml: 'endpoint: localhost:8889' },
    {
      title: 'OpenMetrics with exemplars, resource attributes as labels, a shorter memory',
      yaml: [
        'endpoint: localhost:8889',
        'namespace: shop',
        'const_labels:',
        '  region: eu-1',
        'enable_open_metrics: true',
        'metric_expiration: 2m',
        'resource_constant_labels:',
        '  included: [k8s.*, cloud.region]',
        '  excluded: [k8s.pod.uid]',
      ].join('\n'),
    },
  ],
  create: (config, host) => new PrometheusExporter(config, host),
})
