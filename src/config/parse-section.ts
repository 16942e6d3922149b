import type { z } from 'zod'
import { type Complaint, complain } from './complaint.ts'
import { explainIssue, type Explained, gotText, isRequired, valueAt } from './explain-issue.ts'
import {
  keyPlaceOf,
  locate,
  type Located,
  type Path,
  type Place,
  placeOf,
  type Plain,
  setOwn,
  toPlain,
} from './located.ts'
import { definitionOf, isSecretAt, schemasAt } from './schema-walk.ts'
import { isSecretPath } from './secret-names.ts'

export interface ParsedSection {
  /** The settings with defaults, as the schema puts them out; undefined when there are errors. */
  readonly value: unknown
  readonly isValid: boolean
  readonly complaints: readonly Complaint[]
}

/** Holds the section at `path` to a schema; every problem is a complaint with its place. */
export function parseSection(root: Located, path: Path, schema: z.ZodType): ParsedSection {
  const section = locate(root, path)
  let input: unknown = section === undefined ? undefined : fitText(section, schema)
  // A component without settings, or a section left empty, means its defaults.
  if (input === null || input === undefined) {
    input = schema.safeParse(undefined).success ? undefined : {}
  }
  const result = schema.safeParse(input)
  if (result.success) return { value: result.data, isValid: true, complaints: [] }
  const complaints = new Map<string, Complaint>()
  const all = result.error.issues.flatMap((issue) => explainIssue(issue, schema, input))
  const misspelt = new Set(all.map(({ meant }) => meant?.join('\0')))
  for (const explained of all) {
    if (explained.rule === isRequired && misspelt.has(explained.path.join('\0'))) continue
    const complaint = complaintOf(explained, { root, path, schema, input })
    const key = `${complaint.path}\0${complaint.message}`
    if (!complaints.has(key)) complaints.set(key, complaint)
  }
  return { value: undefined, isValid: false, complaints: [...complaints.values()] }
}

interface Held {
  readonly root: Located
  readonly path: Path
  readonly schema: z.ZodType
  readonly input: unknown
}

function complaintOf(explained: Explained, { root, path, schema, input }: Held): Complaint {
  const full = [...path, ...explained.path]
  const place = explained.isAboutKey ? keyPlaceOf(root, full) : placeOf(root, full)
  const node = locate(root, full)
  const reference = node?.kind === 'scalar' ? node.reference : undefined
  const isSecret =
    isSecretPath(full) || isSecretAt(schema, explained.path) || reference?.isPrivate === true
  const found = valueAt(input, explained.path)
  let message = explained.rule
  if (explained.showsFound) message = withFound(message, found)
  message = message.replace(', got ""', ', got nothing')
  if (isSecret) message = message.replace(/, got (?!nothing|a list|a section).*$/s, '')
  const isUnquoted = explained.rule.startsWith('must be text') && isBare(found)
  if (isUnquoted && reference === undefined) message += '; put it in quotes'
  const isQuoted = /^must be (a number|a whole number|true or false)$/.test(explained.rule)
  if (isQuoted && isBareText(found) && reference === undefined) message += '; remove the quotes'
  const isYesNo = explained.rule === 'must be true or false' && typeof found === 'string'
  if (isYesNo && /^(yes|on)$/i.test(found)) message += '; write true'
  if (isYesNo && /^(no|off)$/i.test(found)) message += '; write false'
  if (reference?.note !== undefined) message += ` (${reference.note})`
  return complain({ place: place satisfies Place, path: full, message })
}

/** The rule, what was found, and then the reason if there is one. */
function withFound(rule: string, found: unknown): string {
  const isSection = typeof found === 'object' && found !== null
  if (!rule.startsWith('must') || (isSection && rule.includes(' entr'))) return rule
  const end = rule.indexOf(';')
  if (end < 0) return rule + gotText(found)
  return rule.slice(0, end) + gotText(found) + rule.slice(end)
}

function isBareText(found: unknown): boolean {
  return typeof found === 'string' && /^(-?\d+(\.\d+)?|true|false)$/.test(found)
}

function isBare(found: unknown): boolean {
  return typeof found === 'number' || typeof found === 'boolean'
}

/**
 * The plain value, with what came from a reference as the text it was where the schema wants text there: `${env:PIN}` of
 * 0123 stays 0123. And a text where a list of texts is wanted is split at its commas, as the Collector does.
 */
function fitText(section: Located, schema: z.ZodType): Plain {
  const plain = toPlain(section)
  const paths: Path[] = []
  collectScalars(section, [], paths)
  if (paths.length === 0) return plain
  let fitted = plain
  for (let round = 0; round < 3; round++) {
    const result = schema.safeParse(fitted)
    if (result.success) break
    let isChanged = false
    for (const issue of flatIssues(result.error.issues)) {
      const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)))
      const replacement = refit(section, path, issue, schema)
      if (replacement === undefined) continue
      fitted = replaceAt(fitted, path, replacement)
      isChanged = true
    }
    if (!isChanged) break
  }
  return fitted
}

function collectScalars(at: Located, path: Path, found: Path[]): void {
  if (at.kind === 'scalar') {
    if (at.reference !== undefined || typeof at.value === 'string') found.push(path)
  } else if (at.kind === 'list') {
    at.items.forEach((item, index) => collectScalars(item, [...path, index], found))
  } else {
    for (const [key, entry] of at.entries) collectScalars(entry.value, [...path, key], found)
  }
}

interface FlatIssue {
  readonly path: readonly PropertyKey[]
  readonly expected: string
}

/** Type mismatches, those inside unions included, with their whole paths. */
function flatIssues(
  issues: readonly z.core.$ZodIssue[],
  base: readonly PropertyKey[] = [],
): FlatIssue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path]
    if (issue.code === 'invalid_type') return [{ path, expected: issue.expected }]
    if (issue.code !== 'invalid_union') return []
    return issue.errors.flatMap((branch) => flatIssues(branch, path))
  })
}

function refit(section: Located, path: Path, issue: FlatIssue, schema: z.ZodType) {
  const node = locate(section, path)
  if (node?.kind !== 'scalar') return undefined
  const { reference } = node
  if (issue.expected === 'string' && reference !== undefined && typeof node.value !== 'string') {
    return reference.text
  }
  if (issue.expected === 'array' && typeof node.value === 'string' && node.value !== '') {
    const takesText = schemasAt(schema, [...path, 0]).some((each) =>
      ['string', 'enum'].includes(definitionOf(each).type),
    )
    if (takesText) return node.value.split(',').map((part) => part.trim())
  }
  return undefined
}

function replaceAt(plain: Plain, path: Path, replacement: Plain): Plain {
  if (path.length === 0) return replacement
  const [step, ...rest] = path
  if (Array.isArray(plain)) {
    return plain.map((item, index) => (index === step ? replaceAt(item, rest, replacement) : item))
  }
  if (plain === null || typeof plain !== 'object') return plain
  const copy = {}
  for (const [key, value] of Object.entries(plain)) {
    setOwn(copy, key, key === step ? replaceAt(value, rest, replacement) : value)
  }
  return copy
}
