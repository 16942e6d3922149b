export interface Credentials {
  readonly username: string
  readonly password: string
  /** Both as they came, in base64. */
  readonly raw: string
}

/** Reads an Authorization header of RFC 7617; a text is what is wrong with it, in the Collector's words. */
export function readCredentials(header: string): Credentials | string {
  if (!/^basic /i.test(header)) return 'invalid authorization scheme prefix'
  const raw = header.slice('Basic '.length)
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(raw) || raw.length % 4 !== 0) return wrongFormat
  const text = Buffer.from(raw, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) return wrongFormat
  return { username: text.slice(0, colon), password: text.slice(colon + 1), raw }
}

const wrongFormat = 'invalid authorization format'

/** The header for a name without a colon in it. */
export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
