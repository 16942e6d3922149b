import { section } from '../../../config/schema.ts'
import { actionList } from '../../../kit/actions/action-settings.ts'
import { signalNames } from '../../../otlp/signal.ts'
import { defineProcessor } from '../../../pipeline/component.ts'
import { AttributesProcessor } from './attributes-processor.ts'
import { matchSettings, signalProblems } from './match-settings.ts'

export const attributes = defineProcessor({
  type: 'attributes',
  summary: 'Adds, changes and removes attributes of spans, data points and log records.',
  stability: 'beta',
  signals: signalNames,
  config: section({
    actions: actionList().describe('What to do to the attributes of each item, in order.'),
    include: matchSettings().describe(
      'Act only on items that meet all conditions given here. Left out, on all.',
    ),
    exclude: matchSettings().describe(
      'Of those, leave alone the ones that meet all conditions given here.',
    ),
  }),
  check: signalProblems,
  examples: [
    {
      title: 'Do not keep what identifies people',
      yaml: `actions:
  - key: user.email
    action: hash
  - pattern: ^http\\.request\\.header\\.(authorization|cookie)$
    action: delete
`,
    },
    {
      title: 'Only for some services, and not for their health checks',
      yaml: `include:
  match_type: regexp
  services: ['^shop-.*']
exclude:
  match_type: strict
  attributes:
    - { key: http.route, value: /healthz }
actions:
  - key: http.url
    pattern: ^(?P<http_protocol>[^:]+)://(?P<http_domain>[^/]+)/
    action: extract
  - key: http.status_code
    converted_type: int
    action: convert
`,
    },
  ],
  create: (settings, host) => new AttributesProcessor(settings, host),
})
