import { section, unsupported } from '../../../config/schema.ts'
import { actionList } from '../../../kit/actions/action-settings.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { defineProcessor } from '../../../pipeline/component.ts'
import { ResourceProcessor, resourceMetrics } from './resource-processor.ts'

export const resource = defineProcessor({
  type: 'resource',
  summary: 'Adds, changes and removes resource attributes.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    attributes: actionList().describe('What to do to the attributes of each resource, in order.'),
    detectors: unsupported('it belongs to the resource_detection processor'),
  }),
  metrics: resourceMetrics,
  examples: [
    {
      title: 'Say where telemetry passed through',
      yaml: `attributes:
  - key: deployment.environment.name
    value: production
    action: upsert
  - key: k8s.cluster.name
    from_attribute: k8s-cluster
    action: insert
  - key: redundant-attribute
    action: delete
`,
    },
    {
      title: 'The tenant a client named in a header',
      yaml: `attributes:
  - key: tenant.id
    from_context: metadata.x-tenant-id
    default_value: unknown
    action: upsert
`,
    },
  ],
  create: (settings, host) => new ResourceProcessor(settings, host),
})
