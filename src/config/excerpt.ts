import type { Place } from './located.ts'
import { isSecretName } from './secret-names.ts'

const columnsMax = 100

/** The line at a place with its secrets masked, and the caret's column in it; caret 0 when there is no line. */
export function excerpt(place: Place): { text: string; caret: number } {
  const raw = place.source.lines[place.line - 1]
  if (place.line === 0 || raw === undefined) return { text: '', caret: 0 }
  const masked = maskLine(place.source.lines, place.line - 1).replaceAll(/[\t\r]/g, ' ')
  const caret = Math.max(1, Math.min(place.column, masked.length + 1))
  if (masked.length <= columnsMax) return { text: masked, caret }
  const from = Math.max(0, Math.min(caret - 1 - columnsMax / 2, masked.length - columnsMax))
  const cut = masked.slice(from, from + columnsMax)
  const head = from === 0 ? '' : '…'
  const tail = from + columnsMax < masked.length ? '…' : ''
  return { text: `${head}${cut}${tail}`, caret: caret - from + head.length }
}

const mask = '[REDACTED]'

// Works on text, not on nodes, so that it also holds for a file that does not parse.
function maskLine(lines: readonly string[], index: number): string {
  const line = lines[index]
  if (bareReference.test(line)) return line
  if (isInsideSecret(lines, index)) {
    const key = /^\s*(?:- )?["']?[^\s:"']+["']?:(?=\s)/.exec(line)?.[0] ?? /^\s*/.exec(line)![0]
    return line.length === key.length ? line : `${key.trimEnd()}${key.trim() ? ' ' : key}${mask}`
  }
  return line
    .replaceAll(pairPattern, (whole, key: string, between: string, value: string) =>
      isSecretName(key) || key === 'headers' ? maskValue(key + between, value) : whole,
    )
    .replaceAll(/(:\/\/)[^/@\s"']+@/g, `$1${mask}@`)
    .replaceAll(/\b(bearer|basic)\s+[\w+/=.~-]+/gi, `$1 ${mask}`)
}

// `token: ${env:TOKEN}` says where the secret is, not what it is.
const bareReference = /^\s*(- )?["']?[\w./-]+["']?\s*:\s*["']?\$\{(env:)?\w+\}["']?\s*$/

// A key and its value: up to the next comma or bracket in a flow mapping, or the whole quoted text.
const pairPattern =
  /([\w.-]+)(["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|\$\{[^}]*\}?[^,}\]]*|[^\s,}\]][^,}\]]*)/g

function maskValue(head: string, value: string): string {
  if (/^[|>][+-]?\s*$/.test(value)) return head + value
  return head + mask
}

/** Whether a line above with less indentation names a secret or headers: a block text, a list, a map of them. */
function isInsideSecret(lines: readonly string[], index: number): boolean {
  let indent = indentOf(lines[index])
  for (let above = index - 1; above >= 0 && indent >= 0; above--) {
    const line = lines[above]
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const isOwner =
      indentOf(line) < indent || (indentOf(line) === indent && isListUnder(lines[index], line))
    if (!isOwner) continue
    indent = indentOf(line)
    const key = /^[\s-]*["']?([\w.-]+)["']?\s*:/.exec(line)?.[1]
    if (key !== undefined && (key === 'headers' || isSecretName(key))) return true
    if (indent === 0) return false
  }
  return false
}

function isListUnder(line: string, above: string): boolean {
  return /^\s*- /.test(line) && !/^\s*- /.test(above)
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)![0].length
}
