/** The JSON Schema (draft 2020-12) of a whole configuration, made from the catalog's declarations. */
import { z } from 'zod'
import type { Catalog, ComponentDeclaration } from '../pipeline/component.ts'
import { componentKinds, sectionOf } from '../service/resolve-type.ts'
import { serviceSchema } from '../service/service-schema.ts'

export interface JsonSchema {
  type?: string | string[]
  description?: string
  default?: unknown
  form?: string
  pattern?: string
  const?: unknown
  enum?: unknown[]
  properties?: Record<string, JsonSchema>
  patternProperties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  propertyNames?: JsonSchema
  required?: string[]
  items?: JsonSchema | boolean
  anyOf?: JsonSchema[]
  oneOf?: JsonSchema[]
  allOf?: JsonSchema[]
  maxItems?: number
  minimum?: number
  maximum?: number
  format?: string
  deprecated?: boolean
  $schema?: string
  $ref?: string
  $defs?: Record<string, JsonSchema>
}

/** What zod says of one schema, as a user writes it (before defaults and transforms). */
export function rawJsonSchema(schema: z.ZodType): JsonSchema {
  const raw = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  delete raw.$schema
  // Only values of any shape contain themselves, and those are described in words.
  delete raw.$defs
  return raw
}

export function configJsonSchema(catalog: Catalog): JsonSchema {
  const definitions: Record<string, JsonSchema> = {}
  const properties: Record<string, JsonSchema> = {}
  for (const kind of componentKinds) {
    const declarations: readonly ComponentDeclaration[] = catalog[sectionOf[kind]]
    const section: Required<Pick<JsonSchema, 'properties' | 'patternProperties'>> = {
      properties: {},
      patternProperties: {},
    }
    for (const declaration of declarations) {
      const name = `${kind}.${declaration.type}`
      const schema = forEditors(rawJsonSchema(declaration.config))
      definitions[name] = { ...schema, description: declaration.summary }
      const reference = { $ref: `#/$defs/${name}` }
      // Named keys so that editors offer them; the pattern takes every type/name.
      const spellings = [declaration.type, ...(declaration.aliases ?? [])]
      for (const spelling of spellings) section.properties[spelling] = reference
      section.patternProperties[`^(${spellings.join('|')})/.+$`] = reference
    }
    properties[sectionOf[kind]] = {
      description: sectionDescriptions[kind],
      type: ['object', 'null'],
      ...section,
      additionalProperties: false,
    }
  }
  properties['service'] = {
    ...forEditors(rawJsonSchema(serviceSchema)),
    description:
      'Which components run, how pipelines join them, and what the gateway tells of itself.',
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    description: 'Configuration of Penstock, a telemetry gateway',
    type: 'object',
    properties,
    additionalProperties: false,
    $defs: definitions,
  }
}

const sectionDescriptions = {
  receiver: 'How telemetry comes in.',
  processor: 'What is done to telemetry on its way.',
  exporter: 'Where telemetry goes.',
  connector: 'What joins the end of a pipeline to the beginning of another.',
  extension: 'What runs beside the pipelines: health pages, storage, authentication.',
} as const

/** What `unsupported()` lets pass. */
const asksForNothing: JsonSchema[] = [
  { enum: [null, '', false] },
  { type: 'array', maxItems: 0 },
  { type: 'object', properties: { enabled: { const: false } }, required: ['enabled'] },
]

const referencePattern = String.raw`\$\{.+\}`

/**
 * Makes room for what an editor sees before expansion: any value may be a reference such as ${env:PORT}, and a section
 * may be left empty.
 */
function forEditors(raw: JsonSchema): JsonSchema {
  const { form, ...schema } = raw
  if (form === 'unsupported') {
    return { description: schema.description ?? '', deprecated: true, anyOf: asksForNothing }
  }
  if (form === 'attribute value') {
    return schema.description === undefined ? {} : { description: schema.description }
  }
  if (form === 'any case' && schema.enum !== undefined) {
    schema.enum = schema.enum.flatMap((value) => spellings(String(value)))
  }
  if (isEmptyObject(schema.default)) delete schema.default
  if (schema.properties !== undefined) schema.properties = mapValues(schema.properties)
  if (typeof schema.additionalProperties === 'object') {
    schema.additionalProperties = forEditors(schema.additionalProperties)
  }
  delete schema.propertyNames
  if (typeof schema.items === 'object') schema.items = forEditors(schema.items)
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    if (schema[key] !== undefined) schema[key] = schema[key].map(forEditors)
  }
  return withReference(schema)
}

function withReference(schema: JsonSchema): JsonSchema {
  const {
    type,
    pattern,
    enum: values,
    const: only,
    description,
    default: fallback,
    ...rest
  } = schema
  const types = type === undefined ? [] : [type].flat()
  const head = {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
  }
  const isClosed = values !== undefined || only !== undefined
  if (types.includes('string') && (pattern !== undefined || isClosed)) {
    const strict: JsonSchema = { type: types, ...rest }
    if (pattern !== undefined) strict.pattern = pattern
    if (values !== undefined) strict.enum = values
    if (only !== undefined) strict.const = only
    return { ...head, anyOf: [strict, { type: 'string', pattern: referencePattern }] }
  }
  if (types.length === 0 || types.includes('string') || isClosed) return schema
  const isSection = types.includes('object')
  const open = new Set([...types, ...(isSection ? ['null'] : []), 'string'])
  return { ...head, type: [...open], pattern: referencePattern, ...rest }
}

/** The three that people write, for want of a way to say `in any case` in JSON Schema. */
function spellings(word: string): string[] {
  return [word, word.toUpperCase(), word.slice(0, 1).toUpperCase() + word.slice(1)]
}

function mapValues(properties: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, schema]) => [key, forEditors(schema)]),
  )
}

function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).length === 0 &&
    !Array.isArray(value)
  )
}
