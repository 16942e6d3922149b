import { excerpt } from './excerpt.ts'
import { type Path, pathText, type Place } from './located.ts'
import { maskUserInfo } from './user-info.ts'

/** A problem of a configuration: the place, the rule and what was found, in one sentence that begins with the path. */
export interface Complaint {
  readonly severity: 'error' | 'warning'
  /** Names the source, such as gateway.yaml; empty when the problem is nowhere in particular. */
  readonly file: string
  /** Count from 1; 0 where there is no line to show. */
  readonly line: number
  readonly column: number
  /** `processors.batch.timeout`; empty when the problem is not at a setting. */
  readonly path: string
  /** What is said of the path, such as `must be at least 1, got 0`. */
  readonly message: string
  /** The line, with secrets masked; empty where there is none. */
  readonly excerpt: string
  /** Column of the caret in the excerpt, which is cut when the line is long. */
  readonly caret: number
  /** How many problems it stands for. */
  readonly problemCount: number
}

interface ComplaintInput {
  readonly severity?: 'error' | 'warning'
  readonly place?: Place
  readonly path?: Path
  readonly message: string
  readonly problemCount?: number
}

export function complain({
  severity = 'error',
  place,
  path = [],
  message,
  problemCount = 1,
}: ComplaintInput): Complaint {
  const hasLine = place !== undefined && place.source.lines[place.line - 1] !== undefined
  return {
    severity,
    file: place?.source.name ?? '',
    line: hasLine ? place.line : 0,
    column: hasLine ? place.column : 0,
    path: pathText(path),
    message: maskUserInfo(message),
    problemCount,
    // Masking reads all lines above: only those that are shown pay for it.
    get excerpt() {
      return hasLine ? excerpt(place).text : ''
    },
    get caret() {
      return hasLine ? excerpt(place).caret : 0
    },
  }
}

/** Nobody reads more, and a large file can have a mistake in every line. */
const shownMax = 200

/** In reading order, and no more than can be read: errors before warnings, and how many were left out. */
export function readable(complaints: readonly Complaint[]): Complaint[] {
  if (complaints.length <= shownMax) return sortComplaints(complaints)
  const errors = complaints.filter(({ severity }) => severity === 'error')
  const warnings = complaints.filter(({ severity }) => severity === 'warning')
  const shown = [...errors, ...warnings].slice(0, shownMax)
  const left = [
    ...leftOut('error', errors.length - shownMax),
    ...leftOut('warning', Math.min(warnings.length, complaints.length - shownMax)),
  ]
  return [...sortComplaints(shown), ...left]
}

function leftOut(severity: Complaint['severity'], problemCount: number): Complaint[] {
  if (problemCount <= 0) return []
  const words = problemCount === 1 ? `${severity} is` : `${severity}s are`
  return [complain({ severity, message: `${problemCount} more ${words} not shown`, problemCount })]
}

export function hasErrors(complaints: readonly Complaint[]): boolean {
  return complaints.some((complaint) => complaint.severity === 'error')
}

/** In reading order: by source, then line; problems without a line come first. */
export function sortComplaints(complaints: readonly Complaint[]): Complaint[] {
  const order = new Map<string, number>()
  for (const { file } of complaints) if (!order.has(file)) order.set(file, order.size)
  return [...complaints].sort(
    (a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line || a.column - b.column,
  )
}

/**
 * The sentence, the line and a caret:
 *
 *     gateway.yaml:14:14  processors.batch.timeout must be a duration such as 5s, got "5 sec"
 *        14 |     timeout: 5 sec
 *           |              ^
 */
export function renderComplaint(complaint: Complaint): string {
  const { file, line, column, path, message } = complaint
  const place = line === 0 ? file : `${file}:${line}:${column}`
  const said = path === '' ? message : `${path} ${message}`
  const mark = complaint.severity === 'warning' ? 'warning: ' : ''
  const head = place === '' ? `${mark}${said}` : `${place}  ${mark}${said}`
  if (line === 0) return head
  const number = String(line).padStart(5)
  const margin = ' '.repeat(number.length)
  const pointer = ' '.repeat(complaint.caret - 1)
  return `${head}\n${number} | ${complaint.excerpt}\n${margin} | ${pointer}^`
}

/** All of them, a blank line apart, and how many there are. */
export function renderComplaints(complaints: readonly Complaint[]): string {
  const blocks = sortComplaints(complaints).map(renderComplaint)
  return `${blocks.join('\n\n')}\n\n${countText(complaints)}\n`
}

/** `2 errors, 1 warning`. */
export function countText(complaints: readonly Complaint[]): string {
  let errors = 0
  let warnings = 0
  for (const { severity, problemCount } of complaints) {
    if (severity === 'error') errors += problemCount
    else warnings += problemCount
  }
  const parts: string[] = []
  if (errors > 0) parts.push(`${errors} error${errors === 1 ? '' : 's'}`)
  if (warnings > 0) parts.push(`${warnings} warning${warnings === 1 ? '' : 's'}`)
  return parts.join(', ')
}
