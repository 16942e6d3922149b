import type { z } from 'zod'
import { optionalSection, text, unsupported } from '../../../config/schema.ts'
import { httpServerShape } from '../../../kit/http/server-settings.ts'
import { type Signal, signals } from '../../../otlp/signal.ts'

const httpShape = {
  ...httpServerShape({
    endpoint: 'localhost:4318',
    readHeaderTimeout: '0',
    writeTimeout: '0',
    idleTimeout: '0',
  }),
  traces_url_path: urlPath('traces'),
  metrics_url_path: urlPath('metrics'),
  logs_url_path: urlPath('logs'),
  profiles_url_path: unsupported('profiles'),
}

export type HttpSideSettings = z.output<z.ZodObject<typeof httpShape>>

/** Off unless named; `http:` alone means all defaults. */
export function httpSideSettings() {
  return optionalSection(httpShape).describe('Serve OTLP over HTTP.')
}

export function httpPath(settings: HttpSideSettings, signal: Signal): string {
  return settings[`${signal}_url_path`]
}

function urlPath(signal: Signal) {
  return text()
    .prefault(signals[signal].httpPath)
    .transform((path) => (path.startsWith('/') ? path : `/${path}`))
    .describe(`Path that takes ${signal}; a missing leading slash is added.`)
}
