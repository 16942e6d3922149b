/**
 * The words component authors describe their settings with. A setting is a zod schema; defaults are written as a user
 * writes them, with `.prefault('200ms')`. Unknown keys are errors, and a section left empty (null) means its defaults.
 */
import { z } from 'zod'
import { parseByteSize, parseDuration } from './quantity.ts'
import { Secret } from './secret.ts'

/**
 * A duration in Go's form (`1h30m`, `200ms`, `0`), as milliseconds. A bare number other than 0 is refused, and so is a
 * negative duration, which no setting has a meaning for.
 */
export function duration() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => quantity(value, parseDuration, context))
    .refine((value) => value >= 0, 'must not be negative')
    .meta({ form: 'duration' })
}

/** A byte count: a plain number of bytes or text such as `4MiB`, `64KiB`, `1GB`. */
export function byteSize() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => quantity(value, parseByteSize, context))
    .meta({ form: 'byte size' })
}

/** Text that never prints: it shows as [REDACTED] everywhere but in `reveal()`. */
export function secret() {
  return text()
    .transform((value) => new Secret(value))
    .meta({ form: 'secret' })
}

/** Text. Numbers and booleans that came from an unquoted reference keep the text they were written as. */
export function text() {
  return z.string()
}

/** `host:port` to listen on; the host may be empty, a name, an IPv4 or a bracketed IPv6 address. */
export function listenEndpoint() {
  return z
    .string()
    .regex(
      /^(\[[0-9a-fA-F:.%]+\]|[^:[\]/\s]*):\d{1,5}$/,
      'must be host:port, such as localhost:4317',
    )
    .refine(
      (value) => Number(/\d+$/.exec(value)?.[0] ?? 0) <= 65_535,
      'must have a port of at most 65535',
    )
    .meta({ form: 'host:port' })
}

/** Names of the user's own, each with a text or a secret; left empty (null) there are none. */
export function namesTo<Value extends z.ZodType>(value: Value) {
  return z.preprocess((map) => map ?? {}, z.record(text(), value)).prefault({})
}

/** A component id: `type` or `type/name`. */
export function componentId() {
  return z
    .string()
    .regex(/^[a-zA-Z]\w{0,62}(\/\S{1,1024})?$/, 'must be a component id: type or type/name')
    .meta({ form: 'component id' })
}

/** A group of settings: unknown keys are errors; absent or null means all defaults. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess((value) => value ?? {}, z.strictObject(shape)).prefault({})
}

const isEnabled = z.boolean().default(true).describe('false turns the section off.')

/**
 * A group that is off unless named: absent, or with `enabled: false`, it is undefined; null turns it on with its
 * defaults.
 */
export function optionalSection<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z
    .preprocess((value) => value ?? {}, z.strictObject({ enabled: isEnabled, ...shape }))
    .transform((value) => ((value as { enabled: boolean }).enabled ? value : undefined))
    .optional()
}

/** A group that is off when absent or left empty (null), as sections are whose presence alone would ask for something. */
export function sectionUnlessEmpty<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.preprocess((value) => value ?? undefined, z.strictObject(shape).optional()).optional()
}

/** A key the Collector has and we do not support yet: refused by name wherever it asks for something. */
export function unsupported(reason: string) {
  return refusedByName(`is not supported yet: ${reason}`, `Not supported yet: ${reason}.`)
}

/** A key that the Collector once had, still found in configurations: refused with what took its place. */
export function removed(instead: string) {
  return refusedByName(
    `has been removed from the Collector; ${instead}`,
    `Removed from the Collector; ${instead}.`,
  )
}

function refusedByName(message: string, description: string) {
  return z
    .unknown()
    .transform((value, context): undefined => {
      if (!asksForNothing(value)) context.addIssue({ code: 'custom', message })
    })
    .optional()
    .describe(description)
    .meta({ form: 'unsupported' })
}

/** Empty or turned off, as configurations that spell out every default have it. */
function asksForNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && (value as { enabled?: unknown }).enabled === false
}

function quantity(
  value: string | number,
  parse: (value: string | number) => number | string,
  context: z.RefinementCtx,
): number {
  const result = parse(value)
  if (typeof result === 'number') return result
  context.addIssue({ code: 'custom', message: result })
  return z.NEVER
}
