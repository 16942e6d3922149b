import type { z } from 'zod'
import type { Path } from './located.ts'
import { definitionOf, metaOf, unwrap } from './schema-walk.ts'

export interface SettingOfForm {
  readonly path: Path
  readonly form: string
  readonly value: string
}

/** Where the settings in `value`, parsed by `schema`, hold text whose schema says `meta({ form })` with one of `forms`. */
export function settingsOfForm(
  schema: z.core.$ZodType,
  value: unknown,
  forms: ReadonlySet<string>,
): SettingOfForm[] {
  const found = new Map<string, SettingOfForm>()
  const visit = (at: z.core.$ZodType, inside: unknown, path: Path): void => {
    if (inside === undefined || inside === null) return
    for (const each of unwrap(at)) {
      const form = metaOf(each)['form']
      if (typeof inside === 'string' && typeof form === 'string' && forms.has(form)) {
        found.set(JSON.stringify(path), { path, form, value: inside })
      }
      for (const [step, child, schemaOfChild] of childrenOf(each, inside)) {
        visit(schemaOfChild, child, [...path, step])
      }
    }
  }
  visit(schema, value, [])
  return [...found.values()]
}

function childrenOf(
  schema: z.core.$ZodType,
  value: unknown,
): (readonly [step: string | number, value: unknown, schema: z.core.$ZodType])[] {
  const { type, shape, element, valueType } = definitionOf(schema)
  if (typeof value !== 'object' || value === null) return []
  if (type === 'array' && element !== undefined && Array.isArray(value)) {
    return value.map((item, index) => [index, item, element] as const)
  }
  if (type === 'object' && shape !== undefined) {
    const settings = value as Readonly<Record<string, unknown>>
    return Object.entries(shape).map(([key, inner]) => [key, settings[key], inner] as const)
  }
  if (type !== 'record' || valueType === undefined) return []
  return Object.entries(value).map(([key, inner]) => [key, inner, valueType] as const)
}
