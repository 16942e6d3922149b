/** Says whether a loaded configuration can run, and everything that is wrong with it at once. */
import { type Complaint, hasErrors, readable } from '../config/complaint.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { didYouMean, nearest } from '../config/nearest.ts'
import { parseSection } from '../config/parse-section.ts'
import { scrubExcerpt, secretTexts } from '../config/redact.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Catalog, ComponentDeclaration, ComponentKind } from '../pipeline/component.ts'
import { checkAuthenticators, extensionsInOrder } from './check-authenticators.ts'
import { checkConnectors } from './check-connectors.ts'
import { checkListeners, type Listener } from './check-listeners.ts'
import { checkPipelines, lookUp } from './check-pipelines.ts'
import type { CheckedConfig, CheckedPipeline, Configured } from './checked-config.ts'
import { checkComponents, judgeComponents, type Defined, type DefinedByKind } from './defined.ts'
import { Findings } from './findings.ts'
import { componentKinds, hintForUndefined, schemaIn, sectionOf } from './resolve-type.ts'
import {
  extensionsSchema,
  metricsPages,
  serviceSchema,
  type ServiceSettings,
  telemetryOf,
  telemetryProblems,
} from './service-schema.ts'

export interface CheckResult {
  /** In reading order; those of loading included. The last says how many are left out, if any are. */
  readonly complaints: readonly Complaint[]
  /** Undefined when there is an error among the complaints. */
  readonly config: CheckedConfig | undefined
}

export function checkConfig(loaded: LoadedConfig, catalog: Catalog): CheckResult {
  // Half a configuration would bring a flood of complaints about what the other half defines.
  if (!loaded.isComplete) return { complaints: readable(loaded.complaints), config: undefined }
  const findings = new Findings(loaded.root)
  checkSections(findings)
  const defined = checkComponents(catalog, findings)
  const service = parseSection(loaded.root, ['service'], serviceSchema)
  for (const complaint of service.complaints) findings.complaints.push(complaint)
  const { pipelines, isComplete } = checkPipelines({ catalog, defined, findings })
  checkConnectors(pipelines, defined, findings)
  const extensionIds = checkExtensions(catalog, defined, findings)
  const settings = service.isValid ? (service.value as ServiceSettings) : undefined
  if (settings !== undefined) {
    for (const { path, message } of telemetryProblems(settings)) {
      findings.error(['service', ...path], message)
    }
  }
  const used = usedBy(pipelines, extensionIds, defined)
  judgeComponents(defined, (component) => used.get(component) ?? noSignals, findings)
  const extensions = { catalog, defined, ids: extensionIds }
  checkAuthenticators(used.keys(), extensions, findings)
  const extensionOrder = extensionsInOrder(extensions, findings)
  const kinds = isComplete ? componentKinds : (['extension'] as const)
  warnOfUnused(kinds, { used, defined, findings })
  checkListeners([...metricsPages(settings), ...listenersOf(used)], findings)
  const found = withoutEchoes(loaded.complaints, findings.complaints)
  const secrets = found.length === 0 ? [] : secretTexts(loaded.root, schemaIn(catalog))
  const complaints = found.map((complaint) => scrubExcerpt(complaint, secrets))
  if (hasErrors(complaints) || settings === undefined) return { complaints, config: undefined }
  const config: CheckedConfig = {
    receivers: configured(defined.receiver),
    processors: configured(defined.processor),
    exporters: configured(defined.exporter),
    connectors: configured(defined.connector),
    extensions: configured(defined.extension),
    extensionIds: extensionOrder,
    pipelines,
    telemetry: telemetryOf(settings),
    shutdownTimeoutMs: settings.shutdown_timeout,
  }
  return { complaints, config }
}

const sections: readonly string[] = [...Object.values(sectionOf), 'service']

function checkSections(findings: Findings): void {
  if (findings.root.kind !== 'map') return
  for (const key of findings.root.entries.keys()) {
    if (sections.includes(key)) continue
    const meant = nearest(key, sections)
    const hint =
      meant === undefined ? `; known are ${sections.join(', ')}` : didYouMean(key, sections)
    if (meant !== undefined && !findings.root.entries.has(meant)) findings.misspelt.add(meant)
    findings.keyError([key], `is not a known section${hint}`)
  }
}

function checkExtensions(catalog: Catalog, defined: DefinedByKind, findings: Findings): string[] {
  const path = ['service', 'extensions']
  const parsed = parseSection(findings.root, path, extensionsSchema)
  if (!parsed.isValid) return []
  const ids = parsed.value as readonly string[]
  ids.forEach((id, index) => {
    const at = [...path, index]
    if (ids.indexOf(id) < index) findings.error(at, `names ${id} a second time`)
    if (defined.extension.has(id) || findings.misspelt.has('extensions')) return
    const near = didYouMean(id, defined.extension.keys())
    const hint = near || hintForUndefined(catalog, 'extension', id)
    findings.error(at, `names ${id}, which is not defined under extensions${hint}`)
  })
  return [...new Set(ids)].filter((id) => defined.extension.has(id))
}

function usedBy(
  pipelines: readonly CheckedPipeline[],
  extensionIds: readonly string[],
  defined: DefinedByKind,
): Used {
  const used = new Map<Defined, Set<Signal>>()
  for (const id of extensionIds) used.set(defined.extension.get(id)!, new Set())
  for (const pipeline of pipelines) {
    for (const list of ['receivers', 'processors', 'exporters'] as const) {
      for (const id of pipeline[list]) {
        const component = lookUp(id, list, defined)
        if (component === undefined) continue
        const signals = used.get(component) ?? new Set()
        used.set(component, signals.add(pipeline.signal))
      }
    }
  }
  return used
}

/** The components that run, with the signals of the pipelines that name each. */
type Used = ReadonlyMap<Defined, ReadonlySet<Signal>>

const noSignals: ReadonlySet<Signal> = new Set()

interface Usage {
  readonly used: Used
  readonly defined: DefinedByKind
  readonly findings: Findings
}

function warnOfUnused(kinds: readonly ComponentKind[], { used, defined, findings }: Usage): void {
  for (const kind of kinds) {
    for (const component of defined[kind].values()) {
      if (used.has(component) || component.declaration === undefined) continue
      const why =
        kind === 'extension'
          ? 'is not listed in service.extensions, so it does not run'
          : 'is not used by any pipeline, so it does not run'
      findings.keyWarning([sectionOf[kind], component.id], why)
    }
  }
}

function listenersOf(used: Used): Listener[] {
  const listeners: Listener[] = []
  for (const { id, kind, declaration, config } of used.keys()) {
    if (declaration === undefined || config === undefined) continue
    for (const listen of declaration.listens?.(config) ?? []) {
      listeners.push({ ...listen, path: [sectionOf[kind], id, ...listen.path] })
    }
  }
  return listeners
}

/** Without what only repeats a problem: warnings beside an error, errors about a value that could not be expanded. */
function withoutEchoes(
  loading: readonly Complaint[],
  checking: readonly Complaint[],
): readonly Complaint[] {
  const keyOf = ({ file, line, path }: Complaint) => `${file}\0${line}\0${path}`
  const isError = ({ severity }: Complaint) => severity === 'error'
  const unread = new Set(loading.filter(isError).map(keyOf))
  const all = [...loading, ...checking.filter((complaint) => !unread.has(keyOf(complaint)))]
  const errors = new Set(all.filter(isError).map(keyOf))
  return readable(all.filter((each) => isError(each) || !errors.has(keyOf(each))))
}

function configured<D extends ComponentDeclaration>(
  defined: ReadonlyMap<string, Defined>,
): ReadonlyMap<string, Configured<D>> {
  const components = new Map<string, Configured<D>>()
  for (const { id, declaration, config } of defined.values()) {
    components.set(id, { id, declaration: declaration as D, config })
  }
  return components
}
