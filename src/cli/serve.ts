import type { Complaint } from '../config/complaint.ts'
import type { CheckedConfig } from '../service/checked-config.ts'
import { Service } from '../service/service.ts'
import { type CliIo, exitCodes } from './io.ts'

interface ServeOptions {
  readonly config: CheckedConfig
  readonly version: string
  /** What to log of the configuration before it runs. */
  readonly warnings: readonly Complaint[]
}

/** Runs a checked configuration until the process is asked to end, then drains it. */
export async function serve(
  { config, version, warnings }: ServeOptions,
  io: CliIo,
): Promise<number> {
  const broken = new AbortController()
  const service = new Service(config, {
    platform: io.platform,
    version,
    onFatal: (error) => broken.abort(error),
  })
  for (const { file, line, column, path, message } of warnings) {
    service.log.warn({ file, ...(line > 0 && { line, column }) }, `${path} ${message}`.trimStart())
  }
  try {
    await service.start()
  } catch (error) {
    service.log.error({}, `Cannot start: ${(error as Error).message}`)
    service.log.debug({ err: error }, 'Where it failed.')
    return exitCodes.failure
  }
  const keepOn = () => {
    const message =
      'SIGHUP changes nothing: the configuration is read at start. Restart to change it.'
    service.log.warn({}, message)
  }
  io.hangups.addEventListener('hangup', keepOn)
  await aborted(AbortSignal.any([io.ending, broken.signal]))
  io.hangups.removeEventListener('hangup', keepOn)
  if (broken.signal.aborted) {
    service.log.error(
      { err: broken.signal.reason as unknown },
      'A component failed for good. Shutting down.',
    )
  } else {
    service.log.info({ reason: String(io.ending.reason) }, 'Asked to end. Starting shutdown...')
  }
  await service.stop()
  return broken.signal.aborted ? exitCodes.failure : exitCodes.ok
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }))
}
