import { timingSafeEqual } from 'node:crypto'
import { CredentialFile } from '../../../kit/auth/credential-file.ts'
import { isHeaderValue } from '../../../kit/auth/header-syntax.ts'
import { secretDigest } from '../../../kit/auth/same-secret.ts'
import { countVerdicts } from '../../../kit/auth/verdict-counter.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type {
  Authenticator,
  ClientAuthenticator,
  HeaderOf,
  ServerAuthenticator,
  Verdict,
} from '../../../pipeline/authenticator.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { BearerTokenSettings } from './settings.ts'

/** Nothing is known of who has a token but that they have it. */
const nobody: ReadonlyMap<string, string> = new Map<string, string>()

/** Tokens that clients must send, or that are sent to others. */
export class BearerTokenAuth implements Authenticator {
  readonly server: ServerAuthenticator
  readonly client: ClientAuthenticator
  readonly #prefix: string
  readonly #header: string
  readonly #file: CredentialFile | undefined
  #digests: readonly Uint8Array[] = []
  #signature = ''

  constructor(settings: BearerTokenSettings, host: Host) {
    const { scheme, header, token, tokens, filename } = settings
    this.#prefix = scheme === '' ? '' : `${scheme} `
    this.#header = header.toLowerCase()
    this.#use((tokens.length > 0 ? tokens : [token]).flatMap((each) => each?.reveal() ?? []))
    if (filename !== undefined) {
      const use = (content: string) => this.#use(tokensIn(content))
      this.#file = new CredentialFile({ setting: 'filename', path: filename, use }, host)
    }
    this.server = countVerdicts(
      { challenge: scheme || 'Bearer', authenticate: (headerOf) => this.#judge(headerOf) },
      host,
    )
    this.client = {
      sign: (headers) => void (headers[this.#header] = this.#signature),
      rejected: () => this.#file?.look() ?? false,
    }
  }

  start(): void {
    this.#file?.start()
  }

  stop(): void {
    this.#file?.stop()
  }

  #use(tokens: readonly string[]): void {
    this.#digests = tokens.map(secretDigest)
    this.#signature = this.#prefix + (tokens[0] ?? '')
  }

  #judge(headerOf: HeaderOf): Verdict {
    const presented = headerOf(this.#header)
    if (presented === undefined || presented === '') {
      return new Refusal('unauthenticated', `missing or empty header: ${this.#header}`)
    }
    // RFC 9110, 11.1: the case of a scheme does not matter.
    const prefix = presented.slice(0, this.#prefix.length)
    const hasScheme = prefix.toLowerCase() === this.#prefix.toLowerCase()
    const digest = secretDigest(presented.slice(this.#prefix.length))
    let isKnown = false
    // All of them each time, so that the time does not tell which one it was.
    for (const each of this.#digests) if (timingSafeEqual(each, digest)) isKnown = true
    if (hasScheme && isKnown) return nobody
    return new Refusal('unauthenticated', 'scheme or token does not match')
  }
}

function tokensIn(content: string): string[] {
  const lines = content.split('\n').map((line) => line.trim())
  const tokens = lines.filter((line) => line !== '')
  // One that is empty would let in whoever sends none.
  if (tokens.length === 0) throw new Error('it holds no token')
  const broken = lines.findIndex((line) => !isHeaderValue(line))
  if (broken >= 0) throw new Error(`line ${broken + 1} has characters that no header may have`)
  return tokens
}
