/** The words of RFC 6749: how a token is asked for with client credentials (4.4.2), and what the answer says (5). */
import type { HttpAnswer } from '../../../kit/http/http-client.ts'
import type { Oauth2ClientSettings } from './settings.ts'

export interface ClientIdentity {
  readonly id: string
  readonly secret: string
}

/** Where the identity goes: servers must take the header, and some take only the parameters (2.3.1). */
export type IdentityPlace = 'header' | 'parameters'

export interface GrantedToken {
  /** The header to send, such as `Bearer abc`. */
  readonly header: string
  /** Infinity where the server does not say. */
  readonly lifeMs: number
}

export interface TokenRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export function tokenRequest(
  { scopes, endpoint_params }: Oauth2ClientSettings,
  { id, secret }: ClientIdentity,
  place: IdentityPlace,
): TokenRequest {
  const parameters = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scopes.length > 0) parameters.set('scope', scopes.join(' '))
  for (const [name, values] of Object.entries(endpoint_params)) {
    for (const value of [values].flat()) parameters.append(name, value.reveal())
  }
  const headers: Record<string, string> = {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
  }
  if (place === 'header') {
    const credentials = `${formEncoded(id)}:${formEncoded(secret)}`
    headers['authorization'] = `Basic ${Buffer.from(credentials).toString('base64')}`
  } else {
    parameters.set('client_id', id)
    parameters.set('client_secret', secret)
  }
  return { headers, body: Buffer.from(parameters.toString()) }
}

/** A text is why there is no token, in the server's words if it has any. */
export function grantedToken(answer: HttpAnswer): GrantedToken | string {
  const { status, body } = answer
  const type = answer.header('content-type') ?? ''
  const fields = fieldsOf(type, new TextDecoder().decode(body))
  if (status < 200 || status > 299 || fields['error'] !== undefined) {
    const { error, error_description } = fields
    return [`HTTP ${status}`, error, error_description].filter(isText).join(': ').slice(0, 300)
  }
  const { access_token, token_type, expires_in } = fields
  if (!isText(access_token) || access_token === '') return 'the answer has no access_token'
  if (!/^[\x21-\x7e]+$/.test(access_token)) return 'the access_token cannot be sent in a header'
  const seconds = Number(expires_in)
  return {
    header: `${schemeOf(token_type)} ${access_token}`,
    lifeMs: seconds > 0 ? seconds * 1000 : Infinity,
  }
}

type Fields = Readonly<Record<string, unknown>>

/** JSON by the RFC; some servers answer as forms do. */
function fieldsOf(contentType: string, text: string): Fields {
  if (/^(application\/x-www-form-urlencoded|text\/plain)/i.test(contentType)) {
    const form = Object.fromEntries(new URLSearchParams(text))
    if ('access_token' in form || 'error' in form) return form
  }
  try {
    const parsed = JSON.parse(text) as unknown
    return typeof parsed === 'object' && parsed !== null ? (parsed as Fields) : {}
  } catch {
    return {}
  }
}

/** The type's case does not matter, but to some servers: so as everybody writes it. */
function schemeOf(type: unknown): string {
  if (!isText(type) || !/^[\w-]+$/.test(type) || type.toLowerCase() === 'bearer') return 'Bearer'
  return type.toLowerCase() === 'mac' ? 'MAC' : type
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
