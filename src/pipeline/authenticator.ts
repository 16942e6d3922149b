/** What an extension offers that authenticates: one side for requests that come in, one for those that go out. */
import type { ClientInfo } from '../otlp/client-info.ts'
import type { Refusal } from '../otlp/refusal.ts'
import type { Extension } from './component.ts'

/** The value of a request's header by its name in lower case; undefined when it has none. */
export type HeaderOf = (name: string) => string | undefined

/** Attributes of the one who sent a request, for `ClientInfo.auth`; a Refusal when they may not. */
export type Verdict = ReadonlyMap<string, string> | Refusal

/** Judges requests by their headers alone, before anything of a body is read. */
export interface ServerAuthenticator {
  /** What a 401 asks for in WWW-Authenticate, such as `Bearer`. */
  readonly challenge: string
  /** A promise only where much must be computed, and never one that rejects. */
  authenticate(header: HeaderOf): Verdict | Promise<Verdict>
}

/** Adds credentials to requests. */
export interface ClientAuthenticator {
  /**
   * Changes `headers`, which are those about to be sent under names in lower case. A promise only where credentials must
   * be fetched first; throws, or rejects with, a Refusal when there are none.
   */
  sign(headers: Record<string, string>, client: ClientInfo | undefined): void | Promise<void>
  /** Told that a peer did not take what was signed; true when signing again gives something else. */
  rejected?(): boolean
}

/** Of an authenticator, the sides that its settings give it. */
export interface AuthSides {
  readonly server?: boolean
  /** `each`: what is added depends on who sent the data, so that a request may hold the data of one client only. */
  readonly client?: 'all' | 'each' | undefined
}

export interface Authenticator extends Extension {
  readonly server?: ServerAuthenticator
  readonly client?: ClientAuthenticator
}

/** How settings that hold an authenticator's id say so in their `meta({ form })`, so that the id is checked. */
export const authForms = {
  server: 'id of a server authenticator',
  client: 'id of a client authenticator',
  /** For a client whose requests hold the data of several senders. */
  sharedClient: 'id of a client authenticator that serves all alike',
} as const

export type AuthForm = (typeof authForms)[keyof typeof authForms]
