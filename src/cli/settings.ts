import type { JsonSchema } from './json-schema.ts'

/** One row of a reference page. */
export interface Setting {
  /** `protocols.grpc.endpoint`; a list's entries are `actions[]`, free names are `headers.NAME`. */
  readonly path: string
  readonly type: string
  /** As a user writes it; empty when there is none. */
  readonly fallback: string
  readonly description: string
  readonly isRequired: boolean
  readonly isSection: boolean
  readonly isSupported: boolean
}

/** Every setting of a schema, sections before what they hold. */
export function settingsOf(schema: JsonSchema): Setting[] {
  const rows = new Map<string, Setting>()
  collect(schema, '', rows)
  return [...rows.values()]
}

function collect(schema: JsonSchema, path: string, rows: Map<string, Setting>): void {
  for (const branch of branches(schema)) {
    for (const [key, inner] of Object.entries(branch.properties ?? {})) {
      const at = path === '' ? key : `${path}.${key}`
      const known = rows.get(at)
      const isRequired = branch.required?.includes(key) === true
      if (known === undefined) rows.set(at, settingOf(at, inner, isRequired))
      collect(inner, at, rows)
    }
    if (typeof branch.items === 'object') collect(branch.items, `${path}[]`, rows)
    if (typeof branch.additionalProperties === 'object') {
      collect(branch.additionalProperties, path === '' ? 'NAME' : `${path}.NAME`, rows)
    }
  }
}

/** The schema itself and, through unions, all that it may be. */
function branches(schema: JsonSchema): JsonSchema[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])]
  return [schema, ...inner.flatMap(branches)]
}

function settingOf(path: string, schema: JsonSchema, isRequired: boolean): Setting {
  const isSection = branches(schema).some((each) => each.properties !== undefined)
  return {
    path,
    type: typeText(schema),
    fallback: fallbackText(schema),
    description: schema.description ?? '',
    isRequired: isRequired && schema.default === undefined,
    isSection,
    isSupported: schema.form !== 'unsupported',
  }
}

/** `duration`, `one of a, b`, `list of text`. */
function typeText(schema: JsonSchema): string {
  if (schema.form === 'unsupported') return 'not supported yet'
  if (schema.form !== undefined && schema.form !== 'any case') return schema.form
  if (schema.enum !== undefined)
    return `one of ${schema.enum.map((value) => String(value) || "''").join(', ')}`
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) {
    return [...new Set(options.map(typeText))].filter((text) => text !== 'any').join(' or ')
  }
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeText({ ...schema, type })).join(' or ')
  }
  if (schema.type === 'array') {
    return typeof schema.items === 'object' ? `list of ${plural(typeText(schema.items))}` : 'list'
  }
  if (schema.type === 'object') return objectText(schema)
  return words[schema.type ?? ''] ?? 'any'
}

function objectText({ properties, additionalProperties }: JsonSchema): string {
  if (properties !== undefined || typeof additionalProperties !== 'object') return 'section'
  return `names and ${plural(typeText(additionalProperties))}`
}

function plural(text: string): string {
  return text === 'section' || text === 'secret' ? `${text}s` : text
}

const words: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  null: 'empty',
}

function fallbackText({ default: value }: JsonSchema): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value === '' ? "''" : value
  const isEmpty = typeof value === 'object' && Object.keys(value).length === 0
  if (isEmpty && !Array.isArray(value)) return ''
  return JSON.stringify(value)
}
