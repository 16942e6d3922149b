/** How attribute edits are written in configuration: a list of actions, each an object with `action` and `key`. */
import { z } from 'zod'
import { text } from '../../config/schema.ts'
import type { AttributeValue } from '../../otlp/attributes.ts'
import { type Pattern, pattern } from '../patterns/pattern.ts'

const actionNames = ['insert', 'update', 'upsert', 'delete', 'hash', 'extract', 'convert'] as const

type ActionName = (typeof actionNames)[number]

/** One action as checked; which members are set depends on `action` (see `uses`). */
export interface ActionSettings {
  readonly action: ActionName
  readonly key?: string | undefined
  readonly value?: AttributeValue | undefined
  readonly from_attribute?: string | undefined
  readonly from_context?: string | undefined
  readonly default_value?: AttributeValue | undefined
  readonly pattern?: Pattern | undefined
  readonly converted_type?: 'int' | 'double' | 'string' | undefined
  readonly hash_algorithm?: 'sha256' | 'sha1' | undefined
}

type Field = Exclude<keyof ActionSettings, 'action' | 'key'>

const sources = ['value', 'from_attribute', 'from_context'] as const

/** Which fields an action makes use of; any other is a mistake. */
const uses: Readonly<Record<ActionName, readonly Field[]>> = {
  insert: [...sources, 'default_value'],
  update: [...sources, 'default_value'],
  upsert: [...sources, 'default_value'],
  delete: ['pattern'],
  hash: ['pattern', 'hash_algorithm'],
  extract: ['pattern'],
  convert: ['converted_type'],
}

export function actionList() {
  return z.array(actionSettings()).min(1, 'must have at least one action')
}

function actionSettings() {
  return z
    .strictObject({
      action: z
        .string()
        .toLowerCase()
        .pipe(z.enum(actionNames))
        .describe(
          'insert (only if absent), update (only if present), upsert (either), delete, hash, extract or convert; in upper or lower case.',
        ),
      key: nullable(text()).describe('The attribute to act on.'),
      value: nullable(attributeValue()).describe(
        'The value to set. Text, numbers (a whole number is an int), booleans, lists and maps keep their type.',
      ),
      from_attribute: nullable(text()).describe('Take the value from this attribute.'),
      from_context: nullable(text()).describe(
        'Take the value from the client: metadata.<header> (several values joined by ;), auth.<attribute> or client.address. A bare name is a header. Headers need include_metadata at the receiver.',
      ),
      default_value: nullable(attributeValue()).describe(
        'The value to set when from_attribute or from_context finds none.',
      ),
      pattern: nullable(pattern()).describe(
        'delete and hash: act on every attribute whose key matches somewhere. extract: the named groups become attributes.',
      ),
      converted_type: nullable(z.enum(['int', 'double', 'string'])).describe(
        'convert: the type to give the value; one that cannot be converted is left as it is.',
      ),
      hash_algorithm: nullable(z.enum(['sha256', 'sha1'])).describe(
        'hash: sha256 unless said otherwise; sha1 gives what Collectors before 2024 did.',
      ),
    })
    .superRefine(checkAction)
}

/** Absent, and an empty value (an unset environment variable) counts as absent. */
function nullable<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => value ?? undefined, schema.optional()).optional()
}

function attributeValue() {
  return rawValue
    .transform((value, context): AttributeValue => {
      const typed = toAttributeValue(value)
      if (typed !== undefined) return typed
      const message = 'has a whole number too large to be read exactly; convert it from text'
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .meta({ form: 'attribute value' })
}

type RawValue = string | boolean | number | RawValue[] | { [key: string]: RawValue }

// One schema that contains itself: made anew at each level it would have no end for who walks it.
const rawValue: z.ZodType<RawValue> = z.union([
  z.string(),
  z.boolean(),
  z.number(),
  z.lazy(() => z.array(rawValue)),
  z.lazy(() => z.record(z.string(), rawValue)),
])

/** Undefined where a number had more digits than JavaScript's numbers keep. */
function toAttributeValue(value: RawValue): AttributeValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value)) return BigInt(value)
    return Number.isInteger(value) && Math.abs(value) < 2 ** 64 ? undefined : value
  }
  const inner = Array.isArray(value) ? value : Object.values(value)
  const typed = inner.map(toAttributeValue).filter((one) => one !== undefined)
  if (typed.length < inner.length) return undefined
  if (Array.isArray(value)) return typed
  return new Map(Object.keys(value).map((key, index) => [key, typed[index]]))
}

function checkAction(settings: ActionSettings, context: z.RefinementCtx): void {
  const { action } = settings
  const complain = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  for (const field of unusedFields(settings)) complain(field, `is not used by ${action}`)
  const used = uses[action]
  const hasKey = settings.key !== undefined && settings.key !== ''
  if (!hasKey && (action === 'delete' || action === 'hash')) {
    if (settings.pattern === undefined) complain('key', `or pattern is required by ${action}`)
  } else if (!hasKey) complain('key', `is required by ${action}`)
  if (used.includes('value')) checkSources(settings, complain)
  if (action === 'extract') checkGroups(settings.pattern, complain)
  if (action === 'convert' && settings.converted_type === undefined) {
    complain('converted_type', 'is required by convert: int, double or string')
  }
}

function unusedFields(settings: ActionSettings): Field[] {
  const fields = Object.keys(settings).filter((field) => field !== 'action' && field !== 'key')
  const used = uses[settings.action]
  return (fields as Field[]).filter(
    (field) => settings[field] !== undefined && !used.includes(field),
  )
}

function checkSources(
  settings: ActionSettings,
  complain: (path: string, message: string) => void,
): void {
  const given = sources.filter((source) => settings[source] !== undefined)
  if (given.length === 0) {
    complain(
      'value',
      'or from_attribute or from_context is required; a reference to a variable that is not set leaves it empty',
    )
  }
  if (given.length > 1) complain(given[1], `excludes ${given[0]}: give one source of the value`)
  if (given[0] === 'value' && settings.default_value !== undefined) {
    complain('default_value', 'is for from_attribute and from_context, which may find nothing')
  }
}

function checkGroups(
  pattern: Pattern | undefined,
  complain: (path: string, message: string) => void,
): void {
  if (pattern === undefined) complain('pattern', 'is required by extract')
  else if (pattern.groupCount === 0) {
    complain('pattern', 'must have a named group, such as (?P<name>.*), for each attribute to set')
  } else if (pattern.groupNames.length < pattern.groupCount) {
    complain('pattern', 'must have only named groups; (?:...) groups without capturing')
  }
}
