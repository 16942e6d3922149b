import { verdictMetric } from '../../../kit/auth/verdict-counter.ts'
import { defineExtension } from '../../../pipeline/component.ts'
import { BasicAuthClient } from './basic-auth-client.ts'
import { BasicAuthServer } from './basic-auth-server.ts'
import { checkSettings, settings } from './settings.ts'

export const basicAuth = defineExtension({
  type: 'basicauth',
  aliases: ['basic_auth'],
  summary: 'Authenticates by name and password: asks clients for them, or sends them.',
  stability: 'beta',
  config: settings,
  check: checkSettings,
  authenticates: ({ htpasswd, client_auth }) => ({
    server: htpasswd !== undefined,
    client: client_auth === undefined ? undefined : 'all',
  }),
  metrics: [verdictMetric],
  examples: [
    {
      title: 'Let in who is in a list, here with a SHA-512 hash of openssl passwd -6',
      yaml: [
        'htpasswd:',
        '  inline: |',
        '    fleet:$6$penstock$ijcCwbdsE1fyZdN/2Q7UMrDoqDGrhLg5BwkUvp0/seSQOYmtJDhnix01Y7mM.31Bq0CzT.x72dhfvVk6xVkRg0',
        '',
      ].join('\n'),
    },
    { title: 'The list in a file', yaml: 'htpasswd:\n  file: /etc/penstock/htpasswd\n' },
    {
      title: 'Send a name and a password',
      yaml: [
        'client_auth:',
        '  username: gateway',
        '  password_file: /etc/penstock/password',
        '',
      ].join('\n'),
    },
  ],
  create: ({ htpasswd, client_auth }, host) =>
    htpasswd === undefined
      ? new BasicAuthClient(client_auth!, host)
      : new BasicAuthServer(htpasswd, host),
})
