import { z } from 'zod'
import { duration, namesTo, secret, section, text, unsupported } from '../../../config/schema.ts'
import { httpUrl } from '../../../kit/http/client-settings.ts'
import { clientTlsSettings } from '../../../kit/tls/tls-settings.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'

const jwtOnly = unsupported('it belongs to the grant type jwt-bearer')

export const settings = section({
  client_id: text().default('').describe('Who asks for a token.'),
  client_id_file: text()
    .optional()
    .describe('File that holds it, in place of `client_id`; read for each token.'),
  client_secret: secret().optional().describe('The secret that goes with it.'),
  client_secret_file: text()
    .optional()
    .describe('File that holds it, in place of `client_secret`; read for each token.'),
  token_url: httpUrl().describe('Where tokens are asked for.'),
  scopes: z.array(text()).default([]).describe('What the token is to be good for.'),
  endpoint_params: namesTo(z.union([secret(), z.array(secret())])).describe(
    'Further parameters of the request for a token, such as `audience`.',
  ),
  tls: clientTlsSettings().describe('How to secure the connection to the token server.'),
  timeout: duration().prefault('0').describe('Of a request for a token; 0 means 30s.'),
  expiry_buffer: duration()
    .prefault('5m')
    .describe('How long before its end a token is renewed, at most half its life.'),
  grant_type: z
    .literal('client_credentials', 'must be client_credentials; others are not supported yet')
    .default('client_credentials')
    .describe('Only client_credentials.'),
  audience: jwtOnly,
  claims: jwtOnly,
  client_certificate_key: jwtOnly,
  client_certificate_key_file: jwtOnly,
  client_certificate_key_id: jwtOnly,
  iss: jwtOnly,
  signature_algorithm: jwtOnly,
})

export type Oauth2ClientSettings = z.output<typeof settings>

/** What every request says itself. */
const ownParameters = ['grant_type', 'scope', 'client_id', 'client_secret']

export function checkSettings(config: Oauth2ClientSettings): ConfigProblem[] {
  const { client_id, client_id_file, client_secret, client_secret_file, endpoint_params } = config
  const problems: ConfigProblem[] = []
  if (client_id === '' && client_id_file === undefined) {
    problems.push({ path: ['client_id'], message: 'is required, or client_id_file' })
  }
  if ((client_secret?.reveal() ?? '') === '' && client_secret_file === undefined) {
    problems.push({ path: ['client_secret'], message: 'is required, or client_secret_file' })
  }
  for (const name of Object.keys(endpoint_params)) {
    if (!ownParameters.includes(name)) continue
    const message = 'cannot be set here: it has a setting of its own'
    problems.push({ path: ['endpoint_params', name], message })
  }
  return problems
}
