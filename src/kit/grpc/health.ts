/** grpc.health.v1.Health: Check only. Watch is a stream, which this server does not do. */
import { textOf } from '../../otlp/field-values.ts'
import { one } from '../../otlp/message-table.ts'
import type { ServiceStatus } from '../../pipeline/host.ts'
import { notFoundCode } from './status.ts'
import type { UnaryMethod } from './unary-method.ts'

export const healthCheckPath = '/grpc.health.v1.Health/Check'

/** HealthCheckRequest.service. */
const requestedService = one(1, 'string')

/** HealthCheckResponse.status, field 1. */
const serving = Uint8Array.of(0x08, 1)
const notServing = Uint8Array.of(0x08, 2)

/** Answers for the server as a whole (an empty name) and for the services it has. */
export function healthCheck(status: ServiceStatus, services: ReadonlySet<string>): UnaryMethod {
  return {
    answer: (message) => {
      const service = textOf(message, requestedService)
      if (service !== '' && !services.has(service)) {
        return { code: notFoundCode, message: `unknown service ${service}` }
      }
      return status.isReady ? serving : notServing
    },
  }
}
