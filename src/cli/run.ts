import { catalog } from '../components/catalog.ts'
import { renderComplaints } from '../config/complaint.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import { checkConfig } from '../service/check-config.ts'
import { type CliIo, exitCodes } from './io.ts'
import { serve } from './serve.ts'

/**
 * `penstock run`: says all that is wrong with the configuration, and runs it when nothing is. Where its logs are for
 * machines, warnings are lines of them.
 */
export async function run(sources: ConfigSources, io: CliIo, version: string): Promise<number> {
  const { env, disk } = io.platform
  const { complaints, config } = checkConfig(loadConfig(sources, env, disk), catalog)
  const isForMachines = config?.telemetry.logs.encoding === 'json'
  if (complaints.length > 0 && !isForMachines) io.say(renderComplaints(complaints))
  if (config === undefined) return exitCodes.config
  return serve({ config, version, warnings: isForMachines ? complaints : [] }, io)
}
