import { createRequire } from 'node:module'
// Not the index of undici: it loads fetch, WebSocket, caches and mocks as well, 14 MB and 50 ms of every start.
import type { buildConnector, Dispatcher } from 'undici'
import request from 'undici/lib/api/api-request.js'
import connectorTo from 'undici/lib/core/connect.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import type { ClientInfo } from '../../otlp/client-info.ts'
import { Refusal } from '../../otlp/refusal.ts'
import type { ClientAuthenticator } from '../../pipeline/authenticator.ts'
import type { Host } from '../../pipeline/host.ts'
import type { Timer } from '../../platform/platform.ts'
import { clientAuthenticator } from '../auth/lend.ts'
import { loadClientTls } from '../tls/load-tls.ts'
import { reloadPeriodically } from '../tls/reload-tls.ts'
import { type HttpClientSettings, idleConnectionMs } from './client-settings.ts'
import { connectionRefusal } from './connection-problem.ts'
import { proxyFromEnv } from './proxy-from-env.ts'

export interface HttpAnswer {
  readonly status: number
  header(name: string): string | undefined
  /** At most answerBytesMax of it. */
  readonly body: Uint8Array
}

export interface HttpPost {
  readonly url: URL
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly abort: AbortSignal
  /** Whose data the body holds, as far as that is one. */
  readonly client?: ClientInfo | undefined
}

type ClientHost = Pick<Host, 'clock' | 'disk' | 'env' | 'extension' | 'log'>

/** What is read of an answer; the rest is not waited for. */
const answerBytesMax = 64 * 1024
const redirectsMax = 5
/** The longest a timer of Node can be. */
const timerMsMax = 2 ** 31 - 1

/** Posts over kept-alive HTTP/1.1 connections. A missing answer is a retryable Refusal; any answer is returned. */
export class HttpClient {
  readonly #direct: Dispatcher
  readonly #proxies = new Map<string, Dispatcher>()
  readonly #proxyOf: (url: URL) => string | undefined
  readonly #openProxy: (uri: string) => Dispatcher
  readonly #isKept: boolean
  readonly #authenticator: ClientAuthenticator | undefined
  readonly #reloading: Timer | undefined

  constructor(settings: HttpClientSettings, host: ClientHost) {
    this.#authenticator = clientAuthenticator(settings.auth, host)
    const idleMs = idleConnectionMs(settings)
    this.#isKept = idleMs !== undefined
    const idleMsMax = Math.min(idleMs || timerMsMax, timerMsMax)
    const options = {
      connections: settings.max_conns_per_host === 0 ? null : settings.max_conns_per_host,
      keepAliveTimeout: idleMsMax,
      // A server that names its own may only shorten it.
      keepAliveMaxTimeout: idleMsMax,
      // The caller's own time limit ends a request.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    }
    this.#proxyOf = (url) => settings.proxy_url ?? proxyFromEnv(url, host.env)
    this.#openProxy = (uri) => {
      const requestTls = loadClientTls(settings.tls, host.disk, 'tls')
      // This one needs methods that only the index gives it.
      const { ProxyAgent } = createRequire(import.meta.url)('undici') as typeof import('undici')
      return new ProxyAgent({ ...options, uri, requestTls })
    }
    let tls = loadClientTls(settings.tls, host.disk, 'tls')
    let connectSecurely: buildConnector.connector | undefined
    const connectPlainly = connectorTo({ allowH2: false })
    this.#reloading = reloadPeriodically({
      periodMs: settings.tls.reload_interval,
      clock: host.clock,
      log: host.log,
      reload: () => {
        tls = loadClientTls(settings.tls, host.disk, 'tls')
        connectSecurely = undefined
      },
    })
    const connect: buildConnector.connector = (to, done) => {
      if (to.protocol !== 'https:') return connectPlainly(to, done)
      connectSecurely ??= connectorTo({ ...tls, allowH2: false })
      connectSecurely(to, done)
    }
    this.#direct = new Agent({ ...options, connect })
  }

  async post(request: HttpPost): Promise<HttpAnswer> {
    const authenticator = this.#authenticator
    const headers = withUrlCredentials(request)
    if (authenticator === undefined) return this.#follow(request, headers)
    const send = async () => {
      const signed = { ...headers }
      const signing = authenticator.sign(signed, request.client)
      if (signing !== undefined) await signing
      return this.#follow(request, signed)
    }
    const answer = await send()
    return answer.status === 401 && authenticator.rejected?.() === true ? send() : answer
  }

  async #follow(request: HttpPost, headers: HttpPost['headers']): Promise<HttpAnswer> {
    let { url } = request
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#postOnce({ ...request, headers, url })
      const location = answer.header('location')
      // Only these two keep method and body; after any other redirect nothing would have been delivered.
      const isRepeatable = answer.status === 307 || answer.status === 308
      if (!isRepeatable || location === undefined || redirects === redirectsMax) return answer
      const next = URL.parse(location, url.href)
      // Headers may hold credentials: they go nowhere but where the configuration says.
      if (next === null || next.origin !== url.origin) return answer
      url = next
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#reloading?.cancel()
    const dispatchers = [this.#direct, ...this.#proxies.values()]
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()))
  }

  #dispatcherFor(url: URL): Dispatcher {
    const uri = this.#proxyOf(url)
    if (uri === undefined) return this.#direct
    let proxy = this.#proxies.get(uri)
    if (proxy === undefined) {
      proxy = this.#openProxy(uri)
      this.#proxies.set(uri, proxy)
    }
    return proxy
  }

  async #postOnce({ url, headers, body, abort }: HttpPost): Promise<HttpAnswer> {
    try {
      const response = await request.call(this.#dispatcherFor(url), {
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers,
        body,
        signal: abort,
        reset: !this.#isKept,
      })
      return {
        status: response.statusCode,
        header: (name) => [response.headers[name]].flat()[0],
        body: await readBounded(response.body),
      }
    } catch (error) {
      if (abort.aborted && abort.reason instanceof Refusal) throw abort.reason
      throw connectionRefusal(url, error)
    }
  }
}

/** What stands before the @ of a URL is for basic authentication, unless a header says otherwise. */
function withUrlCredentials({ url, headers }: HttpPost): HttpPost['headers'] {
  const { username, password } = url
  if (username === '' && password === '') return headers
  if (Object.keys(headers).some((name) => name.toLowerCase() === 'authorization')) return headers
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { ...headers, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let byteLength = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    byteLength += chunk.length
    // Leaving the loop destroys the body and its connection.
    if (byteLength >= answerBytesMax) break
  }
  if (chunks.length === 1 && byteLength <= answerBytesMax) return chunks[0]
  return Buffer.concat(chunks, Math.min(byteLength, answerBytesMax))
}
