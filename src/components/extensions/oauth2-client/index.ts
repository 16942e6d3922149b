import { defineExtension } from '../../../pipeline/component.ts'
import { Oauth2Client } from './oauth2-client.ts'
import { checkSettings, settings } from './settings.ts'

export const oauth2Client = defineExtension({
  type: 'oauth2client',
  aliases: ['oauth2_client'],
  summary: 'Sends a token that it gets by OAuth 2.0 client credentials, renewed before its end.',
  stability: 'beta',
  config: settings,
  check: checkSettings,
  authenticates: () => ({ client: 'all' }),
  examples: [
    {
      title: 'A token for a backend, with an audience',
      yaml: [
        'client_id: gateway',
        'client_secret: ${env:OAUTH_SECRET}',
        'token_url: https://login.example.com/oauth2/token',
        'scopes: [metrics.write]',
        'endpoint_params:',
        '  audience: https://mimir.example.com',
        'timeout: 5s',
        '',
      ].join('\n'),
    },
    {
      title: 'The secret from a file, a token server with its own authority',
      yaml: [
        'client_id: gateway',
        'client_secret_file: /etc/penstock/oauth-secret',
        'token_url: https://login.internal/token',
        'tls:',
        '  ca_file: /etc/penstock/ca.pem',
        '',
      ].join('\n'),
    },
  ],
  create: (config, host) => new Oauth2Client(config, host),
})
