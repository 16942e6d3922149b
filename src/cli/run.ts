import { catalog } from '../components/catalog.ts'
import { renderComplaints } from '../config/complaint.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import { checkConfig } from '../service/check-config.ts'
import { type CliIo, exitCodes } from './io.ts'
import { serve } from './serve.ts'

/** `penstock run`: says all that is wrong with the configuration, and runs it when nothing is. */
export async function run(sources: ConfigSources, io: CliIo, version: string): Promise<number> {
  const { env, disk } = io.platform
  const { complaints, config } = checkConfig(loadConfig(sources, env, disk), catalog)
  if (complaints.length > 0) io.say(renderComplaints(complaints))
  if (config === undefined) return exitCodes.config
  return serve(config, io, version)
}
