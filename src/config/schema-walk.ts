import type { z } from 'zod'
import type { Path } from './located.ts'

/** What zod knows of a schema; read here alone, so that a change of its inner form is felt in one file. */
interface Definition {
  readonly type: string
  readonly innerType?: z.core.$ZodType
  readonly in?: z.core.$ZodType
  readonly out?: z.core.$ZodType
  readonly options?: readonly z.core.$ZodType[]
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>
  readonly element?: z.core.$ZodType
  readonly valueType?: z.core.$ZodType
  readonly items?: readonly z.core.$ZodType[]
  readonly left?: z.core.$ZodType
  readonly right?: z.core.$ZodType
  readonly getter?: () => z.core.$ZodType
}

export function definitionOf(schema: z.core.$ZodType): Definition {
  return schema._zod.def
}

/** Asked for every value of a configuration; schemas never change. */
const unwrapped = new WeakMap<z.core.$ZodType, readonly z.core.$ZodType[]>()

/** The schema and everything it wraps or may be: through optional, default, pipe and union, but into no key. */
export function unwrap(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  let all = unwrapped.get(schema)
  if (all === undefined) unwrapped.set(schema, (all = unwrapOnce(schema)))
  return all
}

function unwrapOnce(schema: z.core.$ZodType): z.core.$ZodType[] {
  const definition = definitionOf(schema)
  const { innerType, options, left, right, getter } = definition
  const inner: z.core.$ZodType[] = [...(options ?? [])]
  if (innerType !== undefined) inner.push(innerType)
  if (left !== undefined && right !== undefined) inner.push(left, right)
  if (definition.type === 'lazy' && getter !== undefined) inner.push(getter())
  if (definition.type === 'pipe') {
    // A preprocess step is a pipe whose first half is a bare transform.
    for (const half of [definition.in!, definition.out!]) {
      if (definitionOf(half).type !== 'transform') inner.push(half)
    }
  }
  return [schema, ...inner.flatMap(unwrap)]
}

/** Every schema a value at the path may be held to. */
export function schemasAt(schema: z.core.$ZodType, path: Path): readonly z.core.$ZodType[] {
  let schemas = unwrap(schema)
  for (const step of path) {
    schemas = schemas.flatMap((each) => childrenAt(each, step)).flatMap(unwrap)
  }
  return schemas
}

function childrenAt(schema: z.core.$ZodType, step: string | number): z.core.$ZodType[] {
  const { type, shape, element, valueType, items } = definitionOf(schema)
  const found: (z.core.$ZodType | undefined)[] = []
  if (type === 'object' && shape !== undefined && Object.hasOwn(shape, step)) {
    found.push(shape[step])
  }
  if (type === 'array') found.push(element)
  if (type === 'record' || type === 'map') found.push(valueType)
  if (type === 'tuple') found.push(items?.[Number(step)])
  return found.filter((each) => each !== undefined)
}

/** The keys that a section at the path knows. */
export function knownKeys(schema: z.core.$ZodType, path: Path): string[] {
  const keys = new Set<string>()
  for (const each of schemasAt(schema, path)) {
    const { type, shape } = definitionOf(each)
    if (type === 'object') for (const key of Object.keys(shape ?? {})) keys.add(key)
  }
  return [...keys]
}

/** Where else in a schema a key of this name is known: for a setting that was put under the wrong section. */
export function pathsOfKey(schema: z.core.$ZodType, key: string, depthMax = 4): string[] {
  const found = new Set<string>()
  const walk = (at: z.core.$ZodType, path: readonly string[]): void => {
    for (const each of unwrap(at)) {
      const { type, shape } = definitionOf(each)
      if (type !== 'object' || shape === undefined || path.length > depthMax) continue
      for (const [name, inner] of Object.entries(shape)) {
        if (formOf(inner) === 'unsupported') continue
        // `cors_allowed_origins` of old is cors.allowed_origins now.
        const joined = [...path, name].join('_')
        const isMeant = name === key || joined.endsWith(`_${key}`)
        if (isMeant && path.length > 0) found.add([...path, name].join('.'))
        walk(inner, [...path, name])
      }
    }
  }
  walk(schema, [])
  return [...found]
}

/** What our helpers call the schema in its meta: `duration`, `secret` ...; undefined when they say nothing. */
export function formOf(schema: z.core.$ZodType): string | undefined {
  for (const each of unwrap(schema)) {
    const form = metaOf(each)['form']
    if (typeof form === 'string') return form
  }
  return undefined
}

export function metaOf(schema: z.core.$ZodType): Record<string, unknown> {
  const { meta } = schema as { meta?: () => Record<string, unknown> | undefined }
  return meta?.call(schema) ?? {}
}

/** Whether the schema at the path, or one it lies in, says `secret()`. */
export function isSecretAt(schema: z.core.$ZodType, path: Path): boolean {
  for (let length = 0; length <= path.length; length++) {
    const schemas = schemasAt(schema, path.slice(0, length))
    if (schemas.some((each) => metaOf(each)['form'] === 'secret')) return true
  }
  return false
}
