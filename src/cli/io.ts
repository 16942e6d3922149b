import type { Platform } from '../platform/platform.ts'

/** What a command may touch. Data goes to `print`, everything for people to `say`. */
export interface CliIo {
  readonly platform: Platform
  /** Writes text to standard output as it is. */
  print(text: string): void
  /** Writes text to standard error as it is. */
  say(text: string): void
  /** Whether standard error is a terminal. */
  readonly isTerminal: boolean
  /** Aborts when the process is asked to end (SIGTERM, SIGINT). */
  readonly ending: AbortSignal
  /** Dispatches `hangup` for each SIGHUP. */
  readonly hangups: EventTarget
}

/** Exit codes, from sysexits: 64 wrong use of the command, 78 a configuration with errors. */
export const exitCodes = { ok: 0, failure: 1, usage: 64, config: 78 } as const
