import { type Complaint, countText, renderComplaints } from '../config/complaint.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import type { Catalog } from '../pipeline/component.ts'
import { checkConfig } from '../service/check-config.ts'
import type { CheckedConfig } from '../service/checked-config.ts'
import { type CliIo, exitCodes } from './io.ts'

interface ValidateOptions {
  readonly sources: ConfigSources
  readonly catalog: Catalog
  readonly json: boolean
}

/** Checks a configuration. Problems go to stderr for people, or with `json` to stdout as one object. */
export function validate({ sources, catalog, json }: ValidateOptions, io: CliIo): number {
  const loaded = loadConfig(sources, io.platform.env, io.platform.disk)
  const { complaints, config } = checkConfig(loaded, catalog)
  if (json) {
    const report = { valid: config !== undefined, problems: complaints.map(jsonComplaint) }
    io.print(`${JSON.stringify(report, null, 2)}\n`)
  } else {
    if (complaints.length > 0) io.say(renderComplaints(complaints))
    if (config !== undefined)
      io.say(`${sources.configs.join(', ')}: ${praise(config, complaints)}\n`)
  }
  return config === undefined ? exitCodes.config : exitCodes.ok
}

function praise({ pipelines }: CheckedConfig, complaints: readonly Complaint[]): string {
  const count = pipelines.length === 1 ? '1 pipeline' : `${pipelines.length} pipelines`
  const names = pipelines.map(({ id }) => id).join(', ')
  const rest = complaints.length === 0 ? '' : `, with ${countText(complaints)}`
  return `valid, ${count} (${names})${rest}`
}

function jsonComplaint({ severity, file, line, column, path, message, excerpt }: Complaint) {
  return {
    severity,
    file,
    ...(line > 0 && { line, column }),
    path,
    message,
    ...(line > 0 && { excerpt }),
  }
}
