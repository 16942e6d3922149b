/** The `grpc` block of a receiver: the Collector's configgrpc server settings. */
import { z } from 'zod'
import {
  duration,
  listenEndpoint,
  optionalSection,
  section,
  text,
  unsupported,
} from '../../config/schema.ts'
import { serverAuthSettings } from '../auth/auth-settings.ts'
import { serverTlsSettings } from '../tls/tls-settings.ts'
import type { KeepaliveTimes } from './grpc-connection.ts'

const mib = 1024 * 1024
/** Of grpc-go, where the setting is absent or 0. */
const messageMibDefault = 4
/** Where the setting is absent or 0. grpc-go has no limit there; a server that bounds its memory needs one. */
const concurrentStreamsDefault = 1000

/** A time that grpc-go takes for endless when it is absent or 0. */
function endlessUnlessSet() {
  return duration().optional()
}

const serverParameters = section({
  max_connection_idle: endlessUnlessSet().describe(
    'Close a connection that has had no calls for this time.',
  ),
  max_connection_age: endlessUnlessSet().describe(
    'Close a connection at this age, give or take a tenth, so that clients find new replicas.',
  ),
  max_connection_age_grace: endlessUnlessSet().describe(
    'How long calls may still run on a connection past its age.',
  ),
  time: duration().prefault('2h').describe('Ping a client that has been silent for this time.'),
  timeout: duration()
    .prefault('20s')
    .describe('Close the connection when a ping stays unanswered for this time.'),
}).describe('The life of connections.')

const enforcementPolicy = section({
  min_time: duration()
    .prefault('5m')
    .describe('Least time between pings of a client; one that pings more often is cut off.'),
  permit_without_stream: z
    .boolean()
    .default(false)
    .describe('Let clients ping while they have no calls.'),
}).describe("What clients' own keepalive may do.")

function serverShape(endpoint: string) {
  return {
    endpoint: text()
      .prefault(endpoint)
      .describe('host:port to listen on; a path where `transport` is unix.'),
    transport: z.enum(['tcp', 'tcp4', 'tcp6', 'unix']).default('tcp').describe('Kind of socket.'),
    tls: serverTlsSettings(),
    max_recv_msg_size_mib: z
      .number()
      .int()
      .min(0)
      .max(2047)
      .default(0)
      .describe('Largest message in MiB, as sent and again inflated; 0 means 4.'),
    max_concurrent_streams: z
      .number()
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0)
      .describe('Most calls at a time on one connection; 0 means 1000.'),
    read_buffer_size: z
      .number()
      .int()
      .min(0)
      .optional()
      .describe('Accepted without effect: what is read is never copied through a buffer.'),
    write_buffer_size: z.number().int().min(0).optional().describe('Accepted without effect.'),
    keepalive: section({
      server_parameters: serverParameters,
      enforcement_policy: enforcementPolicy,
    }).describe('Connection life and pings.'),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Keep the request's headers with its data, for processors that read them."),
    auth: serverAuthSettings(),
    middlewares: unsupported('middleware extensions'),
  }
}

export type GrpcServerSettings = z.output<z.ZodObject<ReturnType<typeof serverShape>>>

/** A gRPC server that is off unless named; `grpc:` alone means all defaults. `endpoint` is the default one. */
export function grpcServerSettings(endpoint: string) {
  return optionalSection(serverShape(endpoint))
    .superRefine((value, context) => {
      const settings = value as GrpcServerSettings | undefined
      if (settings === undefined) return
      const report = (path: string[], message: string) =>
        context.addIssue({ code: 'custom', path, message })
      if (settings.transport !== 'unix') {
        const checked = listenEndpoint().safeParse(settings.endpoint)
        for (const issue of checked.error?.issues ?? []) report(['endpoint'], issue.message)
      } else if (settings.endpoint === '') report(['endpoint'], 'must be the path of the socket')
    })
    .describe('Serve gRPC.')
}

/** The largest message taken, in bytes. */
export function messageBytesMax(settings: GrpcServerSettings): number {
  return (settings.max_recv_msg_size_mib || messageMibDefault) * mib
}

export function concurrentStreamsMax(settings: GrpcServerSettings): number {
  return settings.max_concurrent_streams || concurrentStreamsDefault
}

/** As grpc-go reads them: 0 means the default everywhere, and pings are a second apart at least. */
export function keepaliveTimes({ keepalive }: GrpcServerSettings): KeepaliveTimes {
  const { server_parameters: life, enforcement_policy: policy } = keepalive
  return {
    maxIdleMs: life.max_connection_idle || Infinity,
    maxAgeMs: life.max_connection_age || Infinity,
    ageGraceMs: life.max_connection_age_grace || Infinity,
    pingMs: Math.max(life.time || 7_200_000, 1000),
    pingTimeoutMs: life.timeout || 20_000,
    clientPingGapMs: policy.min_time || 300_000,
    permitPingWithoutStream: policy.permit_without_stream,
  }
}
