import { CredentialFile } from '../../../kit/auth/credential-file.ts'
import type { Authenticator, ClientAuthenticator } from '../../../pipeline/authenticator.ts'
import type { Host } from '../../../pipeline/host.ts'
import { basicHeader } from './credentials.ts'
import type { ClientAuthSettings } from './settings.ts'

/** Sends a name and a password. */
export class BasicAuthClient implements Authenticator {
  readonly client: ClientAuthenticator
  readonly #files: readonly CredentialFile[]
  #username: string
  #password: string
  #header = ''

  constructor(settings: ClientAuthSettings, host: Host) {
    const { username, password, username_file, password_file } = settings
    this.#username = username
    this.#password = password?.reveal() ?? ''
    this.#compose()
    const file = (name: string, path: string | undefined, use: (text: string) => void) =>
      path === undefined
        ? []
        : [new CredentialFile({ setting: `client_auth.${name}`, path, use }, host)]
    this.#files = [
      ...file('username_file', username_file, (text) => {
        if (text.includes(':')) throw new Error('a name with a colon cannot be sent')
        this.#username = text.trim()
        this.#compose()
      }),
      ...file('password_file', password_file, (text) => {
        this.#password = text.trim()
        this.#compose()
      }),
    ]
    this.client = {
      sign: (headers) => void (headers['authorization'] = this.#header),
      rejected: () => {
        const before = this.#header
        for (const each of this.#files) each.look()
        return this.#header !== before
      },
    }
  }

  start(): void {
    for (const each of this.#files) each.start()
  }

  stop(): void {
    for (const each of this.#files) each.stop()
  }

  #compose(): void {
    this.#header = basicHeader(this.#username, this.#password)
  }
}
