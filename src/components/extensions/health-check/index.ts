import { z } from 'zod'
import { duration, section, text, unsupported } from '../../../config/schema.ts'
import { httpServerShape } from '../../../kit/http/server-settings.ts'
import { defineExtension } from '../../../pipeline/component.ts'
import { HealthCheck } from './health-check.ts'

const config = section({
  ...httpServerShape({ endpoint: 'localhost:13133' }),
  path: text()
    .regex(/^\//, 'must begin with a slash')
    .default('/')
    .describe(
      'The path that answers. One that ends in a slash answers for every path below it too.',
    ),
  response_body: section({
    healthy: text().default('').describe('Body in place of the JSON one while ready.'),
    unhealthy: text().default('').describe('Body in place of the JSON one while not ready.'),
  }).describe('Bodies of your own, sent as plain text.'),
  check_collector_pipeline: section({
    enabled: z.boolean().default(false).describe('Without effect.'),
    interval: duration().prefault('5m').describe('Without effect.'),
    exporter_failure_threshold: z.int().min(1).default(5).describe('Without effect.'),
  }).describe("Accepted for compatibility; has no effect, as in the Collector's."),
  use_v2: z
    .literal(false, 'is not supported yet: the second version of the health page')
    .default(false)
    .describe('Only false: the second version of the health page is not supported yet.'),
  component_health: unsupported('it belongs to the second version of the health page'),
  http: unsupported('it belongs to the second version of the health page; use endpoint and path'),
  grpc: unsupported('it belongs to the second version of the health page'),
})

export const healthCheck = defineExtension({
  type: 'health_check',
  summary: 'Answers 200 while the gateway is ready, else 503 with the reason.',
  stability: 'beta',
  config,
  listens: ({ endpoint }) => [{ path: ['endpoint'], endpoint, transport: 'tcp' }],
  examples: [
    { title: 'For probes from outside a container', yaml: 'endpoint: 0.0.0.0:13133\n' },
    {
      title: 'Another path and bodies',
      yaml: 'path: /health/status\nresponse_body:\n  healthy: good\n  unhealthy: bad\n',
    },
  ],
  create: (settings, host) => new HealthCheck(settings, host),
})
