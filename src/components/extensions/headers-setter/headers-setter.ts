import { CredentialFile } from '../../../kit/auth/credential-file.ts'
import { isHeaderValue } from '../../../kit/auth/header-syntax.ts'
import { clientAuthenticator } from '../../../kit/auth/lend.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { Refusal } from '../../../otlp/refusal.ts'
import type { Authenticator, ClientAuthenticator } from '../../../pipeline/authenticator.ts'
import type { Host } from '../../../pipeline/host.ts'
import type { HeaderSettings, HeadersSetterSettings } from './settings.ts'

type Headers = Record<string, string>

/** A value for one request; undefined when its client has none. */
type Source = (client: ClientInfo | undefined) => string | undefined

interface Change {
  /** In lower case. */
  readonly name: string
  readonly action: HeaderSettings['action']
  readonly source: Source
}

/** Changes headers of requests, also to what the sender of the data had in its own. */
export class HeadersSetter implements Authenticator {
  readonly client: ClientAuthenticator
  readonly #settings: HeadersSetterSettings
  readonly #host: Host
  readonly #changes: readonly Change[]
  readonly #files: CredentialFile[] = []
  #first: ClientAuthenticator | undefined

  constructor(settings: HeadersSetterSettings, host: Host) {
    this.#settings = settings
    this.#host = host
    this.#changes = settings.headers.map((header, index) => ({
      name: header.key.toLowerCase(),
      action: header.action,
      source: this.#sourceOf(header, index),
    }))
    this.client = {
      sign: (headers, client) => this.#sign(headers, client),
      rejected: () => this.#renew(),
    }
  }

  start(): void {
    const { additional_auth: authenticator } = this.#settings
    if (authenticator !== undefined)
      this.#first = clientAuthenticator({ authenticator }, this.#host)
    for (const file of this.#files) file.start()
  }

  stop(): void {
    for (const file of this.#files) file.stop()
  }

  #sourceOf(header: HeaderSettings, index: number): Source {
    const { value, value_file, from_context, from_attribute, default_value } = header
    if (value !== undefined) return () => value.reveal()
    if (value_file !== undefined) return this.#fileSource(value_file, index)
    const preset = default_value?.reveal()
    if (from_attribute !== undefined) {
      return (client) => client?.auth.get(from_attribute) ?? preset
    }
    const key = (from_context ?? '').toLowerCase()
    return (client) => onlyValue(key, client) ?? preset
  }

  #fileSource(path: string, index: number): Source {
    let content = ''
    const use = (text: string) => {
      content = text.trim()
      if (!isHeaderValue(content)) throw new Error('it must hold one line to be a header')
    }
    const setting = `headers[${index}].value_file`
    this.#files.push(new CredentialFile({ setting, path, use }, this.#host))
    return () => content
  }

  #sign(headers: Headers, client: ClientInfo | undefined): void | Promise<void> {
    const signing = this.#first?.sign(headers, client)
    if (signing !== undefined) return signing.then(() => this.#change(headers, client))
    this.#change(headers, client)
  }

  #change(headers: Headers, client: ClientInfo | undefined): void {
    for (const { name, action, source } of this.#changes) {
      const isThere = headers[name] !== undefined
      if (action === 'delete') delete headers[name]
      else if (action === 'upsert' || isThere === (action === 'update')) {
        const value = source(client)
        if (value === undefined) continue
        if (!isHeaderValue(value)) {
          throw new Refusal('invalid', `what the client sent cannot be sent as ${name}`)
        }
        headers[name] = value
      }
    }
  }

  /** Each is asked, for any may have something new. */
  #renew(): boolean {
    let isNew = this.#first?.rejected?.() ?? false
    for (const file of this.#files) isNew = file.look() || isNew
    return isNew
  }
}

/** The Collector refuses several values too, for any of them could be meant. */
function onlyValue(key: string, client: ClientInfo | undefined): string | undefined {
  const values = client?.metadata.get(key) ?? []
  if (values.length > 1) {
    throw new Refusal('invalid', `the client sent ${values.length} values of ${key}, not one`)
  }
  return values[0]
}
