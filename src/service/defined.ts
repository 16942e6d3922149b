import { locate } from '../config/located.ts'
import { parseSection } from '../config/parse-section.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Catalog, ComponentDeclaration, ComponentKind } from '../pipeline/component.ts'
import type { Findings } from './findings.ts'
import { componentKinds, parseComponentId, resolveType, sectionOf } from './resolve-type.ts'

/** A component that the configuration defines, whether or not its definition holds. */
export interface Defined {
  readonly id: string
  /** The key as it stands in the file, spaces and all. */
  readonly written: string
  readonly kind: ComponentKind
  /** Undefined when its type is not known. */
  readonly declaration: ComponentDeclaration | undefined
  /** Undefined when its settings have errors. */
  readonly config: unknown
}

export type DefinedByKind = Readonly<Record<ComponentKind, ReadonlyMap<string, Defined>>>

/** Holds every component of every section to its declaration, used or not. */
export function checkComponents(catalog: Catalog, findings: Findings): DefinedByKind {
  const defined = {} as Record<ComponentKind, ReadonlyMap<string, Defined>>
  for (const kind of componentKinds) defined[kind] = checkSection(catalog, kind, findings)
  const { receiver, exporter, connector } = defined
  for (const { id, declaration } of connector.values()) {
    if (declaration === undefined) continue
    const other = receiver.has(id) ? 'receiver' : exporter.has(id) ? 'exporter' : undefined
    if (other === undefined) continue
    const message = `is also the id of ${other === 'exporter' ? 'an' : 'a'} ${other}; give one of them a name, such as ${id}/2`
    findings.keyError(['connectors', id], message)
  }
  return defined
}

function checkSection(catalog: Catalog, kind: ComponentKind, findings: Findings) {
  const section = sectionOf[kind]
  const components = new Map<string, Defined>()
  const node = locate(findings.root, [section])
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return components
  if (node.kind !== 'map') {
    const article = kind === 'exporter' || kind === 'extension' ? 'an' : 'a'
    const rule = `must be a section with ${article} ${kind} id as each key`
    findings.error([section], `${rule}, got ${node.kind === 'list' ? 'a list' : 'text'}`)
    return components
  }
  for (const written of node.entries.keys()) {
    const component = checkComponent(catalog, kind, written, findings)
    if (components.has(component.id)) {
      findings.keyError([section, written], 'is defined twice: ids are compared without spaces')
    }
    components.set(component.id, component)
  }
  return components
}

function checkComponent(
  catalog: Catalog,
  kind: ComponentKind,
  written: string,
  findings: Findings,
): Defined {
  const path = [sectionOf[kind], written]
  const nothing = { written, kind, declaration: undefined, config: undefined }
  const parts = parseComponentId(written)
  if (typeof parts === 'string') {
    findings.keyError(path, parts)
    return { ...nothing, id: written }
  }
  const id = parts.name === undefined ? parts.type : `${parts.type}/${parts.name}`
  const declaration = resolveType(catalog, kind, parts.type)
  if (typeof declaration === 'string') {
    findings.keyError(path, declaration)
    return { ...nothing, id }
  }
  if (parts.type !== declaration.type) {
    // The Collector's words for it.
    const message = `"${parts.type}" alias is deprecated; use "${declaration.type}" instead`
    findings.keyWarning(path, `has a type whose ${message}`)
  }
  const parsed = parseSection(findings.root, path, declaration.config)
  for (const complaint of parsed.complaints) findings.complaints.push(complaint)
  if (!parsed.isValid) return { id, written, kind, declaration, config: undefined }
  return { id, written, kind, declaration, config: parsed.value }
}

/** Asks every component, used or not, what it thinks of its settings, given the pipelines that name it. */
export function judgeComponents(
  defined: DefinedByKind,
  signalsOf: (component: Defined) => ReadonlySet<Signal>,
  findings: Findings,
): void {
  for (const kind of componentKinds) {
    for (const component of defined[kind].values()) {
      const { written, declaration, config } = component
      if (config === undefined) continue
      for (const problem of declaration?.check?.(config, signalsOf(component)) ?? []) {
        const { severity = 'error', message } = problem
        findings[severity]([sectionOf[kind], written, ...problem.path], message)
      }
    }
  }
}
