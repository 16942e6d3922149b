import type { z } from 'zod'
import type { Path } from '../config/located.ts'
import { didYouMean, nearest } from '../config/nearest.ts'
import type { Catalog, ComponentDeclaration, ComponentKind } from '../pipeline/component.ts'
import { collectorTypesOf, isCollectorType, replacementOf, typeKey } from './collector-types.ts'

/** The sections of a configuration, by what they hold. */
export const sectionOf = {
  receiver: 'receivers',
  processor: 'processors',
  exporter: 'exporters',
  connector: 'connectors',
  extension: 'extensions',
} as const satisfies Record<ComponentKind, keyof Catalog>

export const componentKinds = Object.keys(sectionOf) as readonly ComponentKind[]

/** The declaration of a type in any of its spellings, or why there is none. */
export function resolveType(
  catalog: Catalog,
  kind: ComponentKind,
  type: string,
): ComponentDeclaration | string {
  const found = find(catalog, kind, type)
  if (found !== undefined) return found
  const article = kind === 'exporter' || kind === 'extension' ? 'an' : 'a'
  const instead = replacementOf(kind, type)
  if (instead !== undefined)
    return `is ${article} ${kind} that the Collector has removed; ${instead}`
  if (isCollectorType(kind, type))
    return 'is a Collector component that Penstock does not support yet'
  for (const other of componentKinds) {
    if (other === kind || find(catalog, other, type) === undefined) continue
    const otherArticle = other === 'exporter' || other === 'extension' ? 'an' : 'a'
    return `is ${otherArticle} ${other}, not ${article} ${kind}; it belongs under ${sectionOf[other]}`
  }
  const known = catalog[sectionOf[kind]].flatMap(({ type, aliases }) => [type, ...(aliases ?? [])])
  const hint = didYouMean(type, known)
  const later = hint === '' ? nearest(type, collectorTypesOf(kind)) : undefined
  if (later !== undefined) {
    return `is not a known ${kind} type; did you mean ${later}? Penstock does not support that yet`
  }
  const names = catalog[sectionOf[kind]].map((declaration) => declaration.type)
  const list = hint === '' && names.length > 0 ? `; known are ${names.sort().join(', ')}` : hint
  return `is not a known ${kind} type${list}`
}

/** What to do about an id that is used and not defined; empty when its type is not known either. */
export function hintForUndefined(catalog: Catalog, kind: ComponentKind, id: string): string {
  const parts = parseComponentId(id)
  if (typeof parts === 'string') return ''
  const { type } = parts
  const found = resolveType(catalog, kind, type)
  if (typeof found !== 'string') return `; add ${id}: to ${sectionOf[kind]}`
  const isKnown = isCollectorType(kind, type) || replacementOf(kind, type) !== undefined
  return isKnown ? `; it ${found}` : ''
}

function find(catalog: Catalog, kind: ComponentKind, type: string) {
  const declarations: readonly ComponentDeclaration[] = catalog[sectionOf[kind]]
  const key = typeKey(type)
  return (
    declarations.find((declaration) => declaration.type === type) ??
    declarations.find(({ aliases, ...declaration }) =>
      [declaration.type, ...(aliases ?? [])].some((each) => each === type || typeKey(each) === key),
    )
  )
}

export interface ComponentIdParts {
  readonly type: string
  readonly name: string | undefined
}

/** `type` or `type/name`, or the rule that the id breaks. */
export function parseComponentId(id: string): ComponentIdParts | string {
  const slash = id.indexOf('/')
  const type = (slash < 0 ? id : id.slice(0, slash)).trim()
  const name = slash < 0 ? undefined : id.slice(slash + 1).trim()
  if (!/^[a-zA-Z][0-9a-zA-Z_]{0,62}$/.test(type)) {
    return 'must be type or type/name, where a type is letters, digits and _, and begins with a letter'
  }
  if (name === undefined) return { type, name }
  if (name === '') return 'has nothing after the slash; write the type alone, or type/name'
  if (name.length > 1024 || /[\s\p{Cc}]/u.test(name)) {
    return 'has a name with spaces or control characters in it'
  }
  return { type, name }
}

/** Finds the schema of the component at a path such as `exporters`, `otlp/eu`; undefined when there is none. */
export function schemaIn(catalog: Catalog): (path: Path) => z.ZodType | undefined {
  return ([section, id]) => {
    const kind = componentKinds.find((each) => sectionOf[each] === section)
    if (kind === undefined || id === undefined) return undefined
    const parts = parseComponentId(String(id))
    return typeof parts === 'string' ? undefined : find(catalog, kind, parts.type)?.config
  }
}
