/**
 * Series that a server names in what it says of a refusal, by their labels: `{__name__="up", job="a"}` or `up{job="a"}`.
 * What a server says is up to it: everything here takes a time that grows with the length of the text.
 */
import { compareText } from '../../../kit/prometheus/attribute-text.ts'
import type { Label } from '../../../kit/prometheus/labels.ts'

interface Named {
  /** What stands before the labels; may be empty. */
  readonly name: string
  /** From brace to brace. */
  readonly labels: string
}

const nameCharacter = /[\p{L}\p{N}_:.]/u
// A token at every place: a search that has to find a beginning tries all of them, up to the end of the text each.
const tokenPattern = /"((?:[^"\\]|\\.)*)"|([\p{L}\p{N}_:.]+)|(=)|\s+|[^]/gu
/** Of braces whose quotes never close, so many are passed over. */
const openQuotesMax = 8

/** The labels of the first series that it names, as it wrote them. */
export function seriesText(complaint: string): string | undefined {
  return findSeries(complaint)?.labels
}

/** The same labels in the order of a request; undefined where none are named. */
export function namedSeries(complaint: string): Label[] | undefined {
  const found = findSeries(complaint)
  if (found === undefined) return undefined
  const pairs = readLabels(found.labels)
  if (found.name !== '') pairs.push({ name: '__name__', value: found.name })
  if (pairs.length === 0) return undefined
  return pairs.toSorted((left, right) => compareText(left.name, right.name))
}

// Of Prometheus, Thanos, Mimir and Cortex.
function findSeries(text: string): Named | undefined {
  let openQuoteCount = 0
  let start = text.indexOf('{')
  while (start >= 0 && openQuoteCount < openQuotesMax) {
    const end = labelsEnd(text, start)
    if (text[end] === '}') {
      return { name: nameBefore(text, start), labels: text.slice(start, end + 1) }
    }
    if (end === text.length) openQuoteCount++
    start = text[end] === '{' ? end : text.indexOf('{', start + 1)
  }
  return undefined
}

/** Where the brace closes, or where one opens before that; the length of the text where neither happens. */
function labelsEnd(text: string, start: number): number {
  let isQuoted = false
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index]
    if (character === '"') isQuoted = !isQuoted
    else if (isQuoted && character === '\\') index++
    else if (!isQuoted && (character === '{' || character === '}')) return index
  }
  return text.length
}

function nameBefore(text: string, end: number): string {
  let start = end
  while (start > 0) {
    // The second half of a letter beyond 16 bits belongs to the first.
    const isHalf = start > 1 && (text.codePointAt(start - 2) ?? 0) > 0xffff
    const previous = start - (isHalf ? 2 : 1)
    if (!nameCharacter.test(text.slice(previous, start))) break
    start = previous
  }
  return text.slice(start, end)
}

function readLabels(text: string): Label[] {
  const pairs: Label[] = []
  let name: string | undefined
  let hasEquals = false
  for (const [token, quoted, plain, equals] of text.matchAll(tokenPattern)) {
    if (token.trim() === '') continue
    if (equals !== undefined) {
      hasEquals = name !== undefined
      continue
    }
    const word = plain ?? (quoted === undefined ? undefined : unescaped(quoted))
    if (name !== undefined && hasEquals && quoted !== undefined) {
      pairs.push({ name, value: unescaped(quoted) })
      name = undefined
    } else name = word
    hasEquals = false
  }
  return pairs
}

/** Go quotes as JSON does, but for a few control characters: a text with these is not found, and no harm is done. */
function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
