/** grpc.health.v1.Health: Check only. Watch is a stream, which this server does not do. */
import { FieldCursor, wireBytes } from '../../otlp/field-cursor.ts'
import type { ServiceStatus } from '../../pipeline/host.ts'
import { notFoundCode } from './status.ts'
import type { UnaryMethod } from './unary-method.ts'

export const healthCheckPath = '/grpc.health.v1.Health/Check'

/** HealthCheckResponse.status, field 1. */
const serving = Uint8Array.of(0x08, 1)
const notServing = Uint8Array.of(0x08, 2)

/** Answers for the server as a whole (an empty name) and for the services it has. */
export function healthCheck(status: ServiceStatus, services: ReadonlySet<string>): UnaryMethod {
  return {
    answer: (message) => {
      const service = requestedService(message)
      if (service !== '' && !services.has(service)) {
        return { code: notFoundCode, message: `unknown service ${service}` }
      }
      return status.isReady ? serving : notServing
    },
  }
}

/** HealthCheckRequest.service, field 1. */
function requestedService(message: Uint8Array): string {
  let service = ''
  for (const cursor = new FieldCursor(message); cursor.next();) {
    if (cursor.number === 1 && cursor.wireType === wireBytes) {
      service = new TextDecoder().decode(cursor.slice())
    }
  }
  return service
}
