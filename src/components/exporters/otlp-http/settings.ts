import { z } from 'zod'
import { removed, section, unsupported } from '../../../config/schema.ts'
import { signalNames, signals, type Signal } from '../../../otlp/signal.ts'
import type { ConfigProblem } from '../../../pipeline/component.ts'
import { httpClientProblems, httpClientShape, httpUrl } from '../../../kit/http/client-settings.ts'
import { sendingQueue } from '../../../kit/queue/queue-settings.ts'
import { retryOnFailure } from '../../../kit/retry/retry-settings.ts'

export const otlpHttpSettings = section({
  endpoint: httpUrl()
    .optional()
    .describe('Base URL; /v1/traces, /v1/metrics or /v1/logs is appended to it.'),
  traces_endpoint: httpUrl().optional().describe('URL for traces, used as it is.'),
  metrics_endpoint: httpUrl().optional().describe('URL for metrics, used as it is.'),
  logs_endpoint: httpUrl().optional().describe('URL for logs, used as it is.'),
  profiles_endpoint: unsupported('profiles'),
  encoding: z.enum(['proto', 'json']).default('proto').describe('Form of request bodies.'),
  ...httpClientShape(),
  retry_on_failure: retryOnFailure().describe('Waits between attempts.'),
  sending_queue: sendingQueue().describe('What waits to be sent.'),
  batcher: removed('use sending_queue.batch'),
})

export type OtlpHttpSettings = z.output<typeof otlpHttpSettings>

export function checkOtlpHttp(
  settings: OtlpHttpSettings,
  used: ReadonlySet<Signal>,
): ConfigProblem[] {
  const problems = httpClientProblems(settings)
  if (signalNames.every((signal) => signalUrl(settings, signal) === undefined)) {
    problems.push({ path: ['endpoint'], message: 'at least one endpoint must be specified' })
  } else {
    const homeless = [...used].filter((signal) => signalUrl(settings, signal) === undefined)
    for (const signal of homeless) {
      const message = `must be given, or ${signal}_endpoint: a pipeline of ${signal} ends here`
      problems.push({ path: ['endpoint'], message })
    }
  }
  const signal = signalNames.find((name) => settings.endpoint?.endsWith(signals[name].httpPath))
  if (signal !== undefined) {
    const own = `${signal}_endpoint`
    const message = `is a base to which ${signals[signal].httpPath} is appended; for a whole URL set ${own}`
    problems.push({ path: ['endpoint'], message, severity: 'warning' })
  }
  return problems
}

/** Where batches of a signal go; undefined when no setting says so. */
export function signalUrl(settings: OtlpHttpSettings, signal: Signal): URL | undefined {
  const own = settings[`${signal}_endpoint`]
  if (own !== undefined) return new URL(own)
  if (settings.endpoint === undefined) return undefined
  return new URL(settings.endpoint.replace(/\/+$/, '') + signals[signal].httpPath)
}
