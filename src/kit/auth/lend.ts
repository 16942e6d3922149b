import type {
  Authenticator,
  ClientAuthenticator,
  ServerAuthenticator,
} from '../../pipeline/authenticator.ts'
import type { Host } from '../../pipeline/host.ts'

interface AuthSettings {
  readonly authenticator: string
}

type Lender = Pick<Host, 'extension'>

/** The authenticator that a server's settings name; undefined when they name none. Throws when it does not run. */
export function serverAuthenticator(
  settings: AuthSettings | undefined,
  host: Lender,
): ServerAuthenticator | undefined {
  return settings && sideOf(settings, host, 'server')
}

/** The same for a client. */
export function clientAuthenticator(
  settings: AuthSettings | undefined,
  host: Lender,
): ClientAuthenticator | undefined {
  return settings && sideOf(settings, host, 'client')
}

function sideOf<Side extends 'server' | 'client'>(
  { authenticator: id }: AuthSettings,
  host: Lender,
  side: Side,
): NonNullable<Authenticator[Side]> {
  const extension = host.extension(id) as Authenticator | undefined
  const found = extension?.[side]
  // Nobody is let in, and nothing sent, without what was asked for.
  if (found === undefined) throw new Error(`auth.authenticator ${id} is no ${side} authenticator`)
  return found
}
