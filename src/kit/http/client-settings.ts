import { z } from 'zod'
import {
  byteSize,
  duration,
  namesTo,
  secret,
  section,
  sectionUnlessEmpty,
  text,
  unsupported,
} from '../../config/schema.ts'
import type { ConfigProblem } from '../../pipeline/component.ts'
import { clientAuthSettings } from '../auth/auth-settings.ts'
import { compressBody, compressionLevels } from '../compression/compress.ts'
import { contentEncodings, isContentEncoding } from '../compression/encodings.ts'
import { clientTlsSettings } from '../tls/tls-settings.ts'

/** The settings of an HTTP client as the Collector has them, for an exporter to spread into its own. */
export function httpClientShape({ timeout = '30s', compression = 'gzip' as const } = {}) {
  return {
    tls: clientTlsSettings(),
    proxy_url: httpUrl()
      .optional()
      .describe(
        'HTTP proxy to go through; else the one of HTTP_PROXY or HTTPS_PROXY, but for NO_PROXY.',
      ),
    timeout: duration().prefault(timeout).describe('For each attempt; 0 means no limit.'),
    headers: namesTo(secret()).describe(
      'Sent with every request; `Host` takes the place of the name in the endpoint.',
    ),
    compression: z
      .enum([...contentEncodings, 'none', ''])
      .default(compression)
      .describe('Of request bodies.'),
    compression_params: section({
      level: z
        .number()
        .int()
        .optional()
        .describe('1 (fast) to 9, for zstd to 22 (small); -1, 0 or absent means 1.'),
    }).describe('How hard to compress.'),
    max_conns_per_host: count(0).describe('Most connections to one host; 0 means no limit.'),
    keepalive: keepaliveSettings(),
    idle_conn_timeout: duration()
      .prefault('90s')
      .describe('An unused connection is closed after this long.'),
    disable_keep_alives: z
      .boolean()
      .default(false)
      .describe('Use each connection for one request only.'),
    max_idle_conns: count(100).describe('Accepted; unused connections end by idle_conn_timeout.'),
    max_idle_conns_per_host: count(0).describe('Accepted, as max_idle_conns.'),
    force_attempt_http2: z.boolean().default(true).describe('Accepted; requests are HTTP/1.1.'),
    http2_read_idle_timeout: duration().prefault('0').describe('Accepted; no effect on HTTP/1.1.'),
    http2_ping_timeout: duration().prefault('0').describe('Accepted; no effect on HTTP/1.1.'),
    read_buffer_size: byteSize().prefault(0).describe('Accepted; the system sizes buffers.'),
    write_buffer_size: byteSize().prefault(0).describe('Accepted; the system sizes buffers.'),
    auth: clientAuthSettings(),
    cookies: unsupported('cookies'),
    middlewares: unsupported('middlewares'),
  }
}

export type HttpClientSettings = z.output<z.ZodObject<ReturnType<typeof httpClientShape>>>

/** Since 0.160 the Collector has these together, and wants no flat ones beside them. */
function keepaliveSettings() {
  return sectionUnlessEmpty({
    enabled: z.boolean().default(true).describe('Use a connection for more than one request.'),
    idle_conn_timeout: duration()
      .optional()
      .describe('An unused connection is closed after this long; the one beside it when absent.'),
    max_idle_conns: count(100).describe('Accepted; unused connections end by idle_conn_timeout.'),
    max_idle_conns_per_host: count(0).describe('Accepted, as max_idle_conns.'),
  }).describe('In place of disable_keep_alives, idle_conn_timeout and max_idle_conns.')
}

/** How long an unused connection is kept, 0 for ever; undefined where each serves one request. */
export function idleConnectionMs(settings: HttpClientSettings): number | undefined {
  const { keepalive, disable_keep_alives, idle_conn_timeout } = settings
  const isKept = keepalive?.enabled ?? !disable_keep_alives
  return isKept ? (keepalive?.idle_conn_timeout ?? idle_conn_timeout) : undefined
}

/** An absolute http:// or https:// URL. */
export function httpUrl() {
  return text()
    .refine(isHttpUrl, 'must be a URL that begins with http:// or https://')
    .refine(hasGoodCredentials, 'must have % and what follows it percent-encoded before the @')
    .meta({ form: 'URL' })
}

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && url.host !== ''
}

/** Go's url.Parse refuses the same. */
function hasGoodCredentials(value: string): boolean {
  const url = URL.parse(value)
  try {
    decodeURIComponent(`${url?.username}${url?.password}`)
    return true
  } catch {
    return false
  }
}

function count(preset: number) {
  return z.number().int().min(0).default(preset)
}

/** What a schema of single settings cannot see. */
export function httpClientProblems(settings: HttpClientSettings): ConfigProblem[] {
  const { compression, compression_params } = settings
  const level = compression_params.level ?? 0
  const range = isContentEncoding(compression) ? compressionLevels[compression] : undefined
  if (range === undefined || level === -1 || (level >= 0 && level <= range.max)) return []
  const message = `must be from 1 to ${range.max} for ${compression}, got ${level}`
  return [{ path: ['compression_params', 'level'], message }]
}

/** Gives a body its `compression`; undefined when there is none. */
export function bodyCompressor(settings: HttpClientSettings) {
  const { compression } = settings
  if (!isContentEncoding(compression)) return undefined
  const level = compressionLevel(settings)
  return {
    encoding: compression,
    compress: (bytes: Uint8Array) => compressBody(compression, bytes, level),
  }
}

/** What `compression_params.level` stands for. */
export function compressionLevel({
  compression_params,
}: Pick<HttpClientSettings, 'compression_params'>): number {
  return Math.max(compression_params.level ?? 0, fastestLevel)
}

// Telemetry repeats itself: of gzip, level 6 makes it 7 % smaller than level 1 for 2.3 times the CPU; of zstd, level 3
// no smaller for 1.3 times.
const fastestLevel = 1
