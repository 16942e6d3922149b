import { locate } from '../config/located.ts'
import { parseSection } from '../config/parse-section.ts'
import type { Catalog, ComponentDeclaration, ComponentKind } from '../pipeline/component.ts'
import type { Findings } from './findings.ts'
import { componentKinds, parseComponentId, resolveType, sectionOf } from './resolve-type.ts'

/** A component that the configuration defines, whether or not its definition holds. */
export interface Defined {
  readonly id: string
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
  const nothing = { kind, declaration: undefined, config: undefined }
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
  const parsed = parseSection(findings.root, path, declaration.config)
  findings.complaints.push(...parsed.complaints)
  if (!parsed.isValid) return { id, kind, declaration, config: undefined }
  for (const problem of declaration.check?.(parsed.value) ?? []) {
    const { severity = 'error', message } = problem
    findings[severity]([...path, ...problem.path], message)
  }
  return { id, kind, declaration, config: parsed.value }
}
