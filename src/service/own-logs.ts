import { destination, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino'
import pretty from 'pino-pretty'
import type { Logger } from '../pipeline/host.ts'
import type { CheckedTelemetry } from './checked-config.ts'

const stderrDescriptor = 2

export interface OwnLogs {
  readonly root: Logger
  /** A logger that says on every line where it comes from. */
  for(fields: Readonly<Record<string, string>>): Logger
}

/** Logs on stderr: `json` is one pino object a line, `console` is text for people. */
export function openLogs({ level, encoding, initialFields }: CheckedTelemetry['logs']): OwnLogs {
  const options = {
    level,
    base: { ...initialFields },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'msg',
  }
  // Synchronous, so that the last words before an exit are never lost; logging is rare by design.
  const stream =
    encoding === 'json'
      ? destination({ dest: stderrDescriptor, sync: true })
      : pretty({ destination: stderrDescriptor, sync: true, colorize: false, singleLine: true })
  const root: PinoLogger = pino(options, stream)
  return { root, for: (fields) => root.child(fields) }
}
