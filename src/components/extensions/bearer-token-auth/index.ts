import { verdictMetric } from '../../../kit/auth/verdict-counter.ts'
import { defineExtension } from '../../../pipeline/component.ts'
import { BearerTokenAuth } from './bearer-token-auth.ts'
import { checkSettings, settings } from './settings.ts'

export const bearerTokenAuth = defineExtension({
  type: 'bearertokenauth',
  aliases: ['bearer_token_auth'],
  summary: 'Authenticates by a token: asks clients for one, or sends one.',
  stability: 'beta',
  config: settings,
  check: checkSettings,
  authenticates: () => ({ server: true, client: 'all' }),
  metrics: [verdictMetric],
  examples: [
    { title: 'A token from the environment', yaml: 'token: ${env:INGEST_TOKEN}\n' },
    {
      title: 'Tokens that are exchanged one after the other, under a header of their own',
      yaml: 'header: X-Api-Key\nscheme: ""\ntokens: [old-key, new-key]\n',
    },
    {
      title: 'The token of a Kubernetes service account',
      yaml: 'filename: /var/run/secrets/kubernetes.io/serviceaccount/token\n',
    },
  ],
  create: (config, host) => new BearerTokenAuth(config, host),
})
