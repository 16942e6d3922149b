import {
  destination,
  type DestinationStream,
  type Logger as PinoLogger,
  type LoggerOptions,
  pino,
  stdTimeFunctions,
} from 'pino'
import pretty from 'pino-pretty'
import type { Logger } from '../pipeline/host.ts'
import type { Clock } from '../platform/platform.ts'
import type { CheckedTelemetry } from './checked-config.ts'
import { LogSampler } from './log-sampler.ts'

const stderrDescriptor = 2

export interface OwnLogs {
  readonly root: Logger
  /** A logger that says on every line where it comes from. */
  for(fields: Readonly<Record<string, string>>): Logger
}

/** `json` is one pino object a line, `console` is text for people; both on stderr unless told otherwise. */
export function openLogs(
  { level, encoding, initialFields, sampling }: CheckedTelemetry['logs'],
  clock: Clock,
  stream: DestinationStream = stderrStream(encoding),
): OwnLogs {
  const sampler = sampling && new LogSampler(sampling, clock)
  const options: LoggerOptions = {
    level,
    base: { ...initialFields },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'msg',
    ...(sampler && { hooks: { logMethod: sampled(sampler) } }),
  }
  const root: PinoLogger = pino(options, stream)
  return { root, for: (fields) => root.child(fields) }
}

function stderrStream(encoding: CheckedTelemetry['logs']['encoding']): DestinationStream {
  // Synchronous, so that the last words before an exit are never lost; logging is rare by design.
  return encoding === 'json'
    ? destination({ dest: stderrDescriptor, sync: true })
    : pretty({ ...consoleForm, destination: stderrDescriptor, sync: true })
}

const consoleForm = {
  colorize: false,
  singleLine: true,
  translateTime: "UTC:yyyy-mm-dd'T'HH:MM:ss.l'Z'",
}

/** Children of a logger share the hook, and so the counting. */
function sampled(sampler: LogSampler): NonNullable<LoggerOptions['hooks']>['logMethod'] {
  return function (args, method, level) {
    if (sampler.admits(level, String(args[1]))) method.apply(this, args)
  }
}
