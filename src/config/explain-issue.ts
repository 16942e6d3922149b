/** Says in our words what zod found: `must be ..., got ...`. */
import type { z } from 'zod'
import type { Path, Plain } from './located.ts'
import { didYouMean, nearest } from './nearest.ts'
import { maskUserInfo } from './user-info.ts'
import { formOf, knownKeys, pathsOfKey, schemasAt } from './schema-walk.ts'

type Issue = z.core.$ZodIssue

export interface Explained {
  readonly path: Path
  /** The rule that was broken, such as `must be a whole number`. */
  readonly rule: string
  /** Whether `, got ...` should follow. */
  readonly showsFound: boolean
  /** The complaint is about the key, not its value. */
  readonly isAboutKey: boolean
  /** The setting that an unknown key was meant to be. */
  readonly meant?: Path
}

/** One zod issue as one or more of ours; `value` is what was parsed and `schema` what it was held to. */
export function explainIssue(issue: Issue, schema: z.ZodType, value: unknown): Explained[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
  const at = (rule: string, showsFound = true): Explained[] => [
    { path, rule, showsFound, isAboutKey: false },
  ]
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(schema, path, key))
    case 'invalid_union':
      return explainUnion(issue, schema, value, path)
    case 'invalid_type':
      if (valueAt(value, path) === undefined) return required(path)
      if (isOwnWords(issue.message)) return at(issue.message)
      return at(`must be ${expectedWord(issue.expected, schema, path, value)}`)
    case 'invalid_value': {
      if (isOwnWords(issue.message)) return at(issue.message)
      if (valueAt(value, path) === undefined) return required(path)
      const found = valueAt(value, path)
      const values = issue.values.map(String).filter((each) => each !== '')
      const hint = typeof found === 'string' ? nearest(found, values) : undefined
      const suffix = hint === undefined || values.length === 1 ? '' : `; did you mean ${hint}?`
      return at(`must be ${oneOf(values)}${gotText(found)}${suffix}`, false)
    }
    case 'too_small':
    case 'too_big':
      return at(isOwnWords(issue.message) ? issue.message : boundRule(issue))
    case 'not_multiple_of':
      return at(`must be a multiple of ${issue.divisor}`)
    case 'invalid_key':
      return [{ path, rule: keyRule(issue), showsFound: false, isAboutKey: true }]
    case 'invalid_element':
      return issue.issues.flatMap((inner) =>
        explainIssue({ ...inner, path: [...path, ...inner.path] }, schema, value),
      )
    default: {
      const message = isOwnWords(issue.message) ? issue.message : 'is not valid'
      const found = valueAt(value, path)
      const isOne = typeof found !== 'object' && found !== undefined
      const showsFound = isOne && !message.includes('got ')
      return at(message, showsFound)
    }
  }
}

/** Whether the schema's author wrote the message, not zod. */
function isOwnWords(message: string): boolean {
  return !/^(Invalid|Too (small|big)|Unrecognized|Expected)\b/.test(message)
}

/** `, got "5 sec"`; what holds more than one value is named by its kind. */
export function gotText(found: unknown): string {
  if (found === undefined) return ''
  return `, got ${foundText(found as Plain)}`
}

function foundText(found: Plain): string {
  if (found === null || found === '') return 'nothing'
  if (Array.isArray(found)) return 'a list'
  if (typeof found === 'object') return 'a section'
  if (typeof found !== 'string') return String(found)
  // Before it is cut: half a password is one too many.
  const text = maskUserInfo(found)
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text
  return JSON.stringify(shown)
}

function unknownKey(schema: z.ZodType, path: Path, key: string): Explained {
  const known = knownKeys(schema, path)
  if (known.includes(key)) {
    const rule = 'is not a setting of this kind of entry'
    return { path: [...path, key], rule, showsFound: false, isAboutKey: true }
  }
  const near = nearest(key, known)
  let hint = near === undefined ? '' : `; did you mean ${near}?`
  if (near === undefined) {
    const elsewhere = pathsOfKey(schema, key)
    if (elsewhere.length > 0 && elsewhere.length <= 3) {
      hint = `; did you mean ${elsewhere.join(' or ')}?`
    } else if (known.length > 0 && known.length <= 6) {
      hint = `; known here: ${known.join(', ')}`
    } else if (known.length === 0 && schemasAt(schema, path).length > 0) {
      hint = '; this section has no settings'
    }
  }
  const rule = `is not a known setting${hint}`
  const meant = near === undefined ? {} : { meant: [...path, near] }
  return { path: [...path, key], rule, showsFound: false, isAboutKey: true, ...meant }
}

export const isRequired = 'is required'

function required(path: Path): Explained[] {
  return [{ path, rule: isRequired, showsFound: false, isAboutKey: true }]
}

function explainUnion(
  issue: Issue & { code: 'invalid_union' },
  schema: z.ZodType,
  value: unknown,
  path: Path,
): Explained[] {
  const found = valueAt(value, path)
  const { discriminator, options } = issue as { discriminator?: string; options?: unknown[] }
  if (discriminator !== undefined) {
    if (found === undefined) return required(path)
    const names = (options ?? []).map(String)
    const hint = typeof found === 'string' ? didYouMean(found, names) : ''
    const rule = `must be ${oneOf(names)}${gotText(found)}${hint}`
    return [{ path, rule, showsFound: false, isAboutKey: false }]
  }
  if (found === undefined) return required(path)
  // The alternative that took the value's type and stumbled further in is the one that was meant.
  const meant = issue.errors
    .filter(
      (branch) => !branch.some((each) => each.code === 'invalid_type' && each.path.length === 0),
    )
    .sort((a, b) => a.length - b.length)[0]
  if (meant !== undefined && meant.length > 0) {
    return meant.flatMap((inner) =>
      explainIssue({ ...inner, path: [...path, ...inner.path] }, schema, value),
    )
  }
  const words = new Set<string>()
  const form = schemasAt(schema, path)
    .map(formOf)
    .find((each) => each !== undefined)
  if (form !== undefined && formWords[form] !== undefined) words.add(formWords[form])
  else {
    for (const branch of issue.errors) {
      for (const each of branch)
        if (each.code === 'invalid_type') words.add(typeWord(each.expected))
    }
  }
  const rule = `must be ${anyOf([...words]) || 'of another kind'}`
  return [{ path, rule, showsFound: true, isAboutKey: false }]
}

/** `text, a number, or empty`. */
function anyOf(words: readonly string[]): string {
  if (words.length < 3) return words.join(' or ')
  return `${words.slice(0, -1).join(', ')}, or ${words.at(-1)}`
}

const formWords: Readonly<Record<string, string>> = {
  duration: 'a duration such as 5s, 200ms or 1h30m',
  'byte size': 'a byte size such as 4MiB or 65536',
  'host:port': 'host:port, such as localhost:4317',
  'component id': 'a component id: type or type/name',
}

function expectedWord(expected: string, schema: z.ZodType, path: Path, value: unknown): string {
  const found = valueAt(value, path)
  if (expected === 'object' && typeof found === 'boolean') {
    const isSwitched = knownKeys(schema, path).includes('enabled')
    return typeWord(expected) + (isSwitched ? ` such as {enabled: ${found}}` : '')
  }
  for (const each of schemasAt(schema, path)) {
    const form = formOf(each)
    if (form !== undefined && formWords[form] !== undefined) return formWords[form]
    if (expected === 'number' && isWholeNumber(each)) return typeWord('int')
  }
  return typeWord(expected)
}

function isWholeNumber(schema: z.core.$ZodType): boolean {
  const { format } = schema._zod.def as { format?: string }
  return format === 'safeint' || format === 'int32' || format === 'uint32'
}

function typeWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a section of settings',
    record: 'a section of names and values',
    map: 'a section of names and values',
    null: 'empty',
  }
  return words[expected] ?? expected
}

function oneOf(values: readonly string[]): string {
  if (values.length === 1) return values[0]
  if (values.length === 2) return `${values[0]} or ${values[1]}`
  return `one of ${values.join(', ')}`
}

function boundRule(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const isSmall = issue.code === 'too_small'
  const bound = isSmall ? issue.minimum : issue.maximum
  if (issue.origin === 'string' && isSmall && Number(bound) === 1) return 'must not be empty'
  if (issue.origin === 'array' && isSmall && Number(bound) === 1) {
    return 'must have at least one entry'
  }
  const edge =
    issue.inclusive === false
      ? isSmall
        ? 'more than'
        : 'less than'
      : isSmall
        ? 'at least'
        : 'at most'
  const unit =
    issue.origin === 'array' ? ' entries' : issue.origin === 'string' ? ' characters' : ''
  return `must ${unit === '' ? 'be' : 'have'} ${edge} ${String(bound)}${unit}`
}

function keyRule(issue: Issue & { code: 'invalid_key' }): string {
  const message = issue.issues[0]?.message ?? ''
  return message === '' || !isOwnWords(message) ? 'is not a valid name' : message
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value
  for (const step of path) {
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, step)) return undefined
    at = (at as Record<string | number, unknown>)[step]
  }
  return at
}
