import type { Logger } from '../../pipeline/host.ts'
import type { Clock, Timer } from '../../platform/platform.ts'
import type { ServerTlsSettings } from './tls-settings.ts'

interface Reload {
  readonly periodMs: number
  readonly clock: Clock
  readonly log: Logger
  /** Reads the files and puts what it finds to use; throws, changing nothing, when they are no good. */
  readonly reload: () => void
}

/** How often a server's files are read again, in milliseconds; 0 means never. */
export function serverReloadPeriodMs(settings: ServerTlsSettings): number {
  if (settings.reload_interval > 0) return settings.reload_interval
  return settings.client_ca_file !== undefined && settings.client_ca_file_reload ? 10_000 : 0
}

/** Reads certificates again by timer. Bad files leave the last good ones in use and are logged each time, and so is their end. */
export function reloadPeriodically({ periodMs, clock, log, reload }: Reload): Timer | undefined {
  if (periodMs <= 0) return undefined
  let isBad = false
  return clock.every(periodMs, () => {
    try {
      reload()
      if (isBad) log.info({}, 'TLS files are good again, and in use')
      isBad = false
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      log.error({ error: message }, 'TLS files could not be reloaded, the last good ones stay')
      isBad = true
    }
  })
}
