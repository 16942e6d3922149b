import { section } from '../../../config/schema.ts'
import { httpClientShape } from '../../../kit/http/client-settings.ts'
import type { HttpClient } from '../../../kit/http/http-client.ts'
import { shownUrl } from '../../../kit/http/shown-url.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Authenticator, ClientAuthenticator } from '../../../pipeline/authenticator.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { Oauth2ClientSettings } from './settings.ts'
import {
  type ClientIdentity,
  grantedToken,
  type GrantedToken,
  type IdentityPlace,
  tokenRequest,
} from './token-request.ts'

const timeoutMsDefault = 30_000
/** After a failure the server is left alone for so long, and a token that a peer does not take is kept for so long. */
const restMs = 1000
const youngMs = 10_000

interface HeldToken {
  readonly header: string
  /** All of the monotonic clock. */
  readonly sinceMs: number
  readonly renewMs: number
  readonly endMs: number
}

/** Asks for a token with client credentials, sends it, and renews it before its end. */
export class Oauth2Client implements Authenticator {
  readonly client: ClientAuthenticator
  readonly #settings: Oauth2ClientSettings
  readonly #host: Host
  readonly #end = new AbortController()
  #http: HttpClient | undefined
  #token: HeldToken | undefined
  /** The one request under way, for all who wait. */
  #fetching: Promise<HeldToken> | undefined
  #failure: { readonly refusal: Refusal; readonly untilMs: number } | undefined
  #place: IdentityPlace | undefined

  constructor(settings: Oauth2ClientSettings, host: Host) {
    this.#settings = settings
    this.#host = host
    this.client = {
      sign: (headers) => this.#sign(headers),
      rejected: () => this.#forget(),
    }
  }

  async start(): Promise<void> {
    const http = await import('../../../kit/http/http-client.ts')
    const settings = section(httpClientShape()).parse({})
    this.#http = new http.HttpClient({ ...settings, tls: this.#settings.tls }, this.#host)
  }

  async stop(): Promise<void> {
    this.#end.abort(new Refusal('unavailable', 'the gateway is stopping'))
    await this.#http?.close()
  }

  #sign(headers: Record<string, string>): void | Promise<void> {
    const nowMs = this.#host.clock.monotonicMs()
    const token = this.#token
    if (token !== undefined && nowMs < token.endMs) {
      headers['authorization'] = token.header
      if (nowMs >= token.renewMs) this.#renew()
      return undefined
    }
    return this.#fetch().then((fetched) => void (headers['authorization'] = fetched.header))
  }

  /** In the background, while the old one is still good. */
  #renew(): void {
    if (this.#fetching !== undefined || this.#resting() !== undefined) return
    this.#fetch().catch((error: unknown) => {
      const { message } = Refusal.from(error)
      this.#host.log.warn({ error: message }, 'the token could not be renewed yet')
    })
  }

  /** A peer did not take the token. One that is young would only be followed by its like. */
  #forget(): boolean {
    const token = this.#token
    const isOld = token !== undefined && this.#host.clock.monotonicMs() - token.sinceMs >= youngMs
    if (isOld) this.#token = undefined
    return isOld
  }

  #fetch(): Promise<HeldToken> {
    if (this.#fetching !== undefined) return this.#fetching
    const resting = this.#resting()
    if (resting !== undefined) return Promise.reject(resting)
    const { clock } = this.#host
    this.#fetching = this.#ask()
      .then((granted) => {
        this.#failure = undefined
        this.#token = this.#hold(granted)
        return this.#token
      })
      .catch((error: unknown) => {
        const url = shownUrl(this.#settings.token_url)
        const message = `no token from ${url}: ${Refusal.from(error).message}`
        // Whatever the token server says, the data is worth another try.
        const refusal = new Refusal('unavailable', message, { cause: error })
        this.#failure = { refusal, untilMs: clock.monotonicMs() + restMs }
        throw refusal
      })
      .finally(() => (this.#fetching = undefined))
    return this.#fetching
  }

  #resting(): Refusal | undefined {
    const failure = this.#failure
    if (failure === undefined) return undefined
    return this.#host.clock.monotonicMs() < failure.untilMs ? failure.refusal : undefined
  }

  #hold({ header, lifeMs }: GrantedToken): HeldToken {
    const sinceMs = this.#host.clock.monotonicMs()
    // A buffer longer than the life of a token would have it renewed without end.
    const renewMs = sinceMs + Math.max(lifeMs - this.#settings.expiry_buffer, lifeMs / 2)
    return { header, sinceMs, renewMs, endMs: sinceMs + lifeMs - Math.min(lifeMs / 10, 10_000) }
  }

  async #ask(): Promise<GrantedToken> {
    const identity = this.#identity()
    const places: readonly IdentityPlace[] =
      this.#place === undefined ? ['header', 'parameters'] : [this.#place]
    let problem = ''
    for (const place of places) {
      const found = await this.#askOnce(identity, place)
      if (typeof found !== 'string') {
        this.#place = place
        return found
      }
      problem ||= found
    }
    throw new Error(problem)
  }

  async #askOnce(identity: ClientIdentity, place: IdentityPlace): Promise<GrantedToken | string> {
    const { token_url, timeout } = this.#settings
    const { clock, version } = this.#host
    const { headers, body } = tokenRequest(this.#settings, identity, place)
    const over = new AbortController()
    const timeoutMs = timeout || timeoutMsDefault
    const timer = clock.after(timeoutMs, () =>
      over.abort(new Refusal('deadline_exceeded', `no answer within ${timeoutMs} ms`)),
    )
    try {
      const answer = await this.#http!.post({
        url: new URL(token_url),
        headers: { 'user-agent': `Penstock/${version}`, ...headers },
        body,
        abort: AbortSignal.any([over.signal, this.#end.signal]),
      })
      return grantedToken(answer)
    } finally {
      timer.cancel()
    }
  }

  #identity(): ClientIdentity {
    const { client_id, client_id_file, client_secret, client_secret_file } = this.#settings
    return {
      id: client_id_file === undefined ? client_id : this.#read(client_id_file),
      secret:
        client_secret_file === undefined
          ? (client_secret?.reveal() ?? '')
          : this.#read(client_secret_file),
    }
  }

  #read(path: string): string {
    return new TextDecoder().decode(this.#host.disk.readFile(path)).trim()
  }
}
