import { stringify } from 'yaml'
import { hasErrors, renderComplaints } from '../config/complaint.ts'
import { type ConfigSources, loadConfig } from '../config/load-config.ts'
import { redact } from '../config/redact.ts'
import type { Catalog, ComponentKind } from '../pipeline/component.ts'
import { checkConfig } from '../service/check-config.ts'
import {
  componentKinds,
  parseComponentId,
  resolveType,
  sectionOf,
} from '../service/resolve-type.ts'
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
  const shown = redact(loaded.root, (path) => {
    const [section, id] = path
    const kind = componentKinds.find((each) => sectionOf[each] === section)
    return kind === undefined || id === undefined ? undefined : schemaOf(catalog, kind, String(id))
  })
  io.print(isJson ? `${JSON.stringify(shown, null, 2)}\n` : stringify(shown, { lineWidth: 0 }))
  return hasErrors(complaints) ? exitCodes.config : exitCodes.ok
}

function schemaOf(catalog: Catalog, kind: ComponentKind, id: string) {
  const parts = parseComponentId(id)
  if (typeof parts === 'string') return undefined
  const declaration = resolveType(catalog, kind, parts.type)
  return typeof declaration === 'string' ? undefined : declaration.config
}
