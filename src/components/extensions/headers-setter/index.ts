import { defineExtension } from '../../../pipeline/component.ts'
import { HeadersSetter } from './headers-setter.ts'
import { checkSettings, isPerClient, settings } from './settings.ts'

export const headersSetter = defineExtension({
  type: 'headers_setter',
  summary:
    'Sets headers of requests that go out, also to what the sender of the data had in its own.',
  stability: 'beta',
  config: settings,
  check: checkSettings,
  authenticates: (config) => ({ client: isPerClient(config) ? 'each' : 'all' }),
  examples: [
    {
      title: 'Hand the tenant on; the receiver needs include_metadata: true',
      yaml: [
        'headers:',
        '  - key: X-Scope-OrgID',
        '    from_context: x-scope-orgid',
        '    default_value: anonymous',
        '',
      ].join('\n'),
    },
    {
      title: 'The name a client has shown a password for becomes its tenant, beside our own token',
      yaml: [
        'headers:',
        '  - key: X-Scope-OrgID',
        '    from_attribute: username',
        'additional_auth: bearertokenauth',
        '',
      ].join('\n'),
    },
  ],
  create: (config, host) => new HeadersSetter(config, host),
})
