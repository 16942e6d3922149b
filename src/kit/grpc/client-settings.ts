import { z } from 'zod'
import {
  byteSize,
  duration,
  namesTo,
  optionalSection,
  secret,
  text,
  unsupported,
} from '../../config/schema.ts'
import { clientAuthSettings } from '../auth/auth-settings.ts'
import { clientTlsSettings } from '../tls/tls-settings.ts'
import { parseTarget } from './client-target.ts'

/** The settings of a gRPC client as the Collector has them, for an exporter to spread into its own. */
export function grpcClientShape({ timeout = '5s' } = {}) {
  return {
    endpoint: text()
      .transform((value, context) => {
        const target = parseTarget(value)
        if (typeof target === 'string') context.addIssue({ code: 'custom', message: target })
        return value
      })
      .meta({ form: 'gRPC target' })
      .describe(
        'host:port, or a target such as dns:///host:port or unix:///path. ' +
          'http:// before it means plaintext, https:// means TLS.',
      ),
    tls: clientTlsSettings(),
    timeout: duration().prefault(timeout).describe('For each attempt; 0 means no limit.'),
    compression: z
      .enum(['gzip', 'none', ''], { error: compressionRule })
      .default('gzip')
      .describe('Of messages.'),
    headers: namesTo(secret()).describe('Metadata sent with every request.'),
    keepalive: optionalSection({
      time: duration().prefault('10s').describe('Ping after this long without traffic.'),
      timeout: duration().prefault('10s').describe('Close when a ping is not answered by then.'),
      permit_without_stream: z
        .boolean()
        .default(false)
        .describe('Ping also while no request is under way.'),
    }).describe('Ping the server; off when absent.'),
    balancer_name: z
      .enum(['round_robin', 'pick_first', ''])
      .default('round_robin')
      .describe('Which of several addresses of the endpoint a request goes to.'),
    wait_for_ready: z
      .boolean()
      .default(false)
      .describe('Wait for a connection until the timeout, where a request would fail at once.'),
    authority: text().optional().describe('The :authority to send, in place of the endpoint.'),
    user_agent: text().optional().describe('Begins the User-Agent, in place of ours.'),
    read_buffer_size: byteSize().prefault(0).describe('Accepted; the system sizes buffers.'),
    write_buffer_size: byteSize()
      .prefault('512KiB')
      .describe('Accepted; the system sizes buffers.'),
    auth: clientAuthSettings(),
    middlewares: unsupported('middlewares'),
  }
}

export type GrpcClientSettings = z.output<z.ZodObject<ReturnType<typeof grpcClientShape>>>

function compressionRule(issue: { input?: unknown }): string {
  const isKnown = ['snappy', 'zstd'].includes(String(issue.input))
  const rule = 'must be gzip or none'
  return isKnown ? `${rule}; ${String(issue.input)} is not supported over gRPC yet` : rule
}
