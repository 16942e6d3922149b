import { stringify } from 'yaml'
import { hasErrors, renderComplaints } from '../config/complaint.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import { redact } from '../config/redact.ts'
import type { Catalog } from '../pipeline/component.ts'
import { checkConfig } from '../service/check-config.ts'
import { schemaIn } from '../service/resolve-type.ts'
import { type CliIo, exitCodes } from './io.ts'

interface PrintOptions {
  readonly sources: ConfigSources
  readonly catalog: Catalog
  readonly isJson: boolean
}

/** Shows what was meant: all sources merged, references expanded, secrets masked. Problems go to stderr. */
export function printConfig({ sources, catalog, isJson }: PrintOptions, io: CliIo): number {
  const loaded = loadConfig(sources, io.platform.env, io.platform.disk)
  const { complaints } = checkConfig(loaded, catalog)
  if (complaints.length > 0) io.say(renderComplaints(complaints))
  if (!loaded.isComplete) return exitCodes.config
  const shown = redact(loaded.root, schemaIn(catalog))
  io.print(isJson ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown, { lineWidth: 0 }))
  return hasErrors(complaints) ? exitCodes.config : exitCodes.ok
}
