import type { Place } from './located.ts'
import { isSecretName } from './secret-names.ts'
import { userInfoPattern } from './user-info.ts'

const columnsMax = 100

/** The line at a place with its secrets masked, and the caret's column in it; caret 0 when there is no line. */
export function excerpt(place: Place): { text: string; caret: number } {
  const raw = place.source.lines[place.line - 1]
  if (place.line === 0 || raw === undefined) return { text: '', caret: 0 }
  const { text, caret } = masked(
    raw,
    secretRanges(place.source.lines, place.line - 1),
    place.column,
  )
  if (text.length <= columnsMax) return { text, caret }
  const from = Math.max(0, Math.min(caret - 1 - columnsMax / 2, text.length - columnsMax))
  const cut = text.slice(from, from + columnsMax)
  const head = from === 0 ? '' : '…'
  const tail = from + columnsMax < text.length ? '…' : ''
  return { text: `${head}${cut}${tail}`, caret: caret - from + head.length }
}

const mask = '[REDACTED]'

interface Range {
  readonly start: number
  readonly end: number
}

/** The line with a mask in place of each range, and where the column has gone. */
function masked(raw: string, ranges: readonly Range[], column: number) {
  let text = ''
  let index = 0
  let caret = Math.max(1, Math.min(column, raw.length + 1))
  const wanted = caret - 1
  for (const { start, end } of ranges) {
    if (start < index) continue
    text += raw.slice(index, start)
    if (wanted >= start)
      caret = wanted >= end ? caret + mask.length - (end - start) : text.length + 1
    text += mask
    index = end
  }
  return { text: (text + raw.slice(index)).replaceAll(/[\t\r]/g, ' '), caret }
}

// Works on text, not on nodes, so that it also holds for a file that does not parse.
function secretRanges(lines: readonly string[], index: number): Range[] {
  const line = lines[index]
  if (bareReference.test(line)) return []
  if (isInsideSecret(lines, index)) {
    const key = /^\s*(?:- )?["']?[^\s:"']+["']?:(?=\s)\s*/.exec(line) ?? /^\s*(?:- )?/.exec(line)!
    return line.length === key[0].length ? [] : [{ start: key[0].length, end: line.length }]
  }
  const ranges: Range[] = []
  for (const found of line.matchAll(pairPattern)) {
    const [whole, key, between, value] = found
    if (key !== 'headers' && !isSecretName(key)) continue
    if (/^[|>][+-]?\s*$/.test(value)) continue
    const start = found.index + key.length + between.length
    // Outside brackets a comma or bracket is part of the value.
    const isFlow = /[[{,]/.test(line.slice(0, found.index))
    ranges.push({ start, end: isFlow ? found.index + whole.length : line.length })
  }
  for (const pattern of [userInfoPattern, credentialPattern]) {
    for (const { index: start, 0: text } of line.matchAll(pattern)) {
      ranges.push({ start, end: start + text.length })
    }
  }
  return ranges.sort((a, b) => a.start - b.start || b.end - a.end)
}

const credentialPattern = /(?<=\b(?:bearer|basic)\s+)[\w+/=.~-]+/gi

// `token: ${env:TOKEN}` says where the secret is, not what it is.
const bareReference = /^\s*(- )?["']?[\w./-]+["']?\s*:\s*["']?\$\{(env:)?\w+\}["']?\s*$/

// A key and its value: up to the next comma or bracket in a flow mapping, or the whole quoted text.
const pairPattern =
  /([\w.-]+)(["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|\$\{[^}]*\}?[^,}\]]*|[^\s,}\]][^,}\]]*)/g

/** Whether a line above with less indentation names a secret or headers: a block text, a list, a map of them. */
function isInsideSecret(lines: readonly string[], index: number): boolean {
  let owned = lines[index]
  // Nothing is above it; looking for that among as many lines as complaints would take for ever.
  if (indentOf(owned) === 0 && !isItem(owned)) return false
  for (let above = index - 1; above >= 0; above--) {
    const line = lines[above]
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue
    const difference = indentOf(owned) - indentOf(line)
    // A list may stand as far left as the key it belongs to.
    if (difference < 0 || (difference === 0 && (!isItem(owned) || isItem(line)))) continue
    const key = /^[\s-]*["']?([\w.-]+)["']?\s*:/.exec(line)?.[1]
    if (key !== undefined && (key === 'headers' || isSecretName(key))) return true
    if (indentOf(line) === 0 && !isItem(line)) return false
    owned = line
  }
  return false
}

function isItem(line: string): boolean {
  return /^\s*- /.test(line)
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)![0].length
}
