/** The settings of an HTTP server: the Collector's confighttp, as far as a gateway needs it. */
import { z } from 'zod'
import {
  byteSize,
  duration,
  listenEndpoint,
  namesTo,
  optionalSection,
  secret,
  sectionUnlessEmpty,
  text,
  unsupported,
} from '../../config/schema.ts'
import { httpServerAuthSettings } from '../auth/auth-settings.ts'
import { contentEncodings } from '../compression/encodings.ts'
import { serverTlsSettings } from '../tls/tls-settings.ts'

const mib = 1024 * 1024
const bodyBytesDefault = 20 * mib

interface ServerDefaults {
  readonly endpoint: string
  /** As the Collector has it for this component; its OTLP receiver sets all three to 0. */
  readonly readHeaderTimeout?: string
  readonly writeTimeout?: string
  readonly idleTimeout?: string
}

/** The keys of a server's section, to be spread into a component's own. */
export function httpServerShape(defaults: ServerDefaults) {
  return {
    endpoint: listenEndpoint().prefault(defaults.endpoint).describe('host:port to listen on.'),
    transport: z
      .enum(['tcp', 'tcp4', 'tcp6', 'unix'])
      .default('tcp')
      .refine((value) => value !== 'unix', 'unix is not supported yet: only TCP is')
      .describe('Kind of socket.'),
    tls: serverTlsSettings(),
    cors: corsSettings(),
    max_request_body_size: byteSize()
      .prefault(bodyBytesDefault)
      .transform((value) => (value <= 0 ? bodyBytesDefault : value))
      .describe(
        'Largest body, on the wire and again when inflated; 0 means 20MiB. More is answered 413, where the Collector says 400.',
      ),
    include_metadata: z
      .boolean()
      .default(false)
      .describe('Keep the request headers with the data, for components that read them.'),
    compression_algorithms: z
      .array(z.enum(['', ...contentEncodings, 'lz4']))
      .default(['', ...contentEncodings])
      .superRefine((names, context) => {
        const index = names.indexOf('lz4')
        if (index >= 0) context.addIssue({ code: 'custom', path: [index], message: lz4Message })
      })
      .describe(
        'Content-Encoding values to accept, "" for none; an empty list takes bodies as they are.',
      ),
    response_headers: namesTo(secret()).describe('Headers to add to every response.'),
    ...timeoutShape(defaults),
    keepalive: sectionUnlessEmpty({
      enabled: z
        .boolean()
        .default(true)
        .describe('Let clients send several requests on one connection.'),
      idle_timeout: duration()
        .optional()
        .describe(
          'How long a connection may wait for its next request; the one beside it when absent.',
        ),
    }).describe(
      'As the Collector has them since 0.160, in place of keep_alives_enabled and idle_timeout.',
    ),
    keep_alives_enabled: z
      .boolean()
      .default(true)
      .describe('Let clients send several requests on one connection.'),
    max_connections: z
      .number()
      .int()
      .min(0)
      .default(16_384)
      .describe(
        'Connections at a time; more are closed at once. 0 means no limit. Not of the Collector.',
      ),
    auth: httpServerAuthSettings(),
    middlewares: unsupported('middleware extensions'),
  }
}

/** How long a connection may wait for its next request, 0 for ever; undefined where there is none. */
export function idleTimeoutMs(settings: HttpServerSettings): number | undefined {
  const { keepalive, keep_alives_enabled, idle_timeout } = settings
  const isKept = keepalive?.enabled ?? keep_alives_enabled
  return isKept ? (keepalive?.idle_timeout ?? idle_timeout) : undefined
}

export type HttpServerSettings = z.output<z.ZodObject<ReturnType<typeof httpServerShape>>>

const lz4Message = 'lz4 is not supported yet: bodies may be gzip, zstd, zlib, deflate or snappy'

function timeoutShape(defaults: ServerDefaults) {
  return {
    read_timeout: duration()
      .prefault('0')
      .describe('Time for a whole request to arrive; 0 means 5m.'),
    read_header_timeout: duration()
      .prefault(defaults.readHeaderTimeout ?? '1m')
      .describe('Time for the headers of a request to arrive; 0 means 1m.'),
    write_timeout: duration()
      .prefault(defaults.writeTimeout ?? '30s')
      .describe('Time from the headers of a request to the end of its response; 0 means no limit.'),
    idle_timeout: duration()
      .prefault(defaults.idleTimeout ?? '1m')
      .describe('How long a connection may wait for its next request; 0 means no limit.'),
  }
}

const corsShape = {
  allowed_origins: z
    .array(text())
    .default([])
    .describe('Origins that may call, such as https://*.example.com; "*" alone means every one.'),
  allowed_headers: z
    .array(text())
    .default([])
    .describe('Headers they may send besides the safe ones; "*" means any.'),
  exposed_headers: z.array(text()).default([]).describe('Response headers they may read.'),
  max_age: z.number().int().min(0).default(0).describe('Seconds a browser may remember this.'),
}

export type CorsSettings = z.output<z.ZodObject<typeof corsShape>>

/** Off without origins, as in the Collector. */
function corsSettings() {
  return optionalSection(corsShape).describe('Let browsers of other origins send; off when absent.')
}
