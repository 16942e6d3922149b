import type { z } from 'zod'
import { secret, section, sectionUnlessEmpty, text, unsupported } from '../../../config/schema.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'
import { readHtpasswd } from './htpasswd.ts'

const htpasswdShape = {
  file: text()
    .optional()
    .describe('htpasswd file: user:password on each line; read again when it changes.'),
  inline: secret()
    .optional()
    .describe('The same as text; its entries take the place of those in the file.'),
}

const clientShape = {
  username: text().default('').describe('The name to send.'),
  password: secret().optional().describe('The password to send.'),
  username_file: text()
    .optional()
    .describe('File that holds the name, in place of `username`; read again when it changes.'),
  password_file: text()
    .optional()
    .describe('File that holds the password, in place of `password`; read again when it changes.'),
  aws_secrets_manager: unsupported('credentials of AWS Secrets Manager; see password_file'),
}

export const settings = section({
  htpasswd: sectionUnlessEmpty(htpasswdShape).describe('Whom a server lets in.'),
  client_auth: sectionUnlessEmpty(clientShape).describe('What a client sends.'),
})

export type BasicAuthSettings = z.output<typeof settings>
export type HtpasswdSettings = NonNullable<BasicAuthSettings['htpasswd']>
export type ClientAuthSettings = NonNullable<BasicAuthSettings['client_auth']>

/** Nobody is let in while a configuration is checked. */
const checkNothing = () => Promise.resolve(false)

export function checkSettings({ htpasswd, client_auth }: BasicAuthSettings): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const report = (path: (string | number)[], message: string) => problems.push({ path, message })
  if (htpasswd === undefined && client_auth === undefined) {
    report([], 'must have htpasswd, for servers, or client_auth, for clients')
  }
  if (htpasswd !== undefined && client_auth !== undefined) {
    report(['client_auth'], 'cannot be set together with htpasswd: an extension has one side')
  }
  if (htpasswd !== undefined) {
    const { file, inline } = htpasswd
    if (file === undefined && inline === undefined) report(['htpasswd'], 'must have file or inline')
    for (const { line, message } of readHtpasswd(inline?.reveal() ?? '', checkNothing).problems) {
      report(['htpasswd', 'inline'], `line ${line}: ${message}`)
    }
  }
  if (client_auth !== undefined) {
    const { username, username_file } = client_auth
    if (username === '' && username_file === undefined) {
      report(['client_auth', 'username'], 'is required, or username_file')
    }
    // RFC 7617, 2: a colon would end the name.
    if (username.includes(':')) report(['client_auth', 'username'], 'must not have a colon in it')
  }
  return problems
}
