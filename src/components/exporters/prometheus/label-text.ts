/** Labels as the text formats write them, without the braces. */
import { isLegacyLabelName } from '../../../kit/prometheus/escaping.ts'
import { type Label, sortedLabels } from '../../../kit/prometheus/labels.ts'

export interface LabelText {
  readonly text: string
  /** Whether a name is not a legacy one and stands in quotes. */
  readonly hasQuoted: boolean
}

export function labelText(labels: readonly Label[]): LabelText {
  let text = ''
  let hasQuoted = false
  for (const { name, value } of labels) {
    if (text !== '') text += ','
    if (isLegacyLabelName(name)) text += name
    else {
      hasQuoted = true
      text += `"${escapeText(name)}"`
    }
    text += `="${escapeText(value)}"`
  }
  return { text, hasQuoted }
}

/** The labels of a text made here. */
export function parseLabelText(text: string): Label[] {
  const labels: Label[] = []
  for (const [, quoted, bare, value] of text.matchAll(labelPattern)) {
    const name = quoted === undefined ? bare : unescapeText(quoted)
    labels.push({ name, value: unescapeText(value) })
  }
  return labels
}

/**
 * The same labels for a scraper that wants their names escaped, sorted again. Names that become one share it as keys of
 * attributes do: their values joined by `;` in the order of the original names.
 */
export function escapeLabelText(text: string, escape: (name: string) => string): string {
  const values = new Map<string, string>()
  for (const { name, value } of parseLabelText(text)) {
    const escaped = escape(name)
    const before = values.get(escaped)
    values.set(escaped, before === undefined ? value : `${before};${value}`)
  }
  return labelText(sortedLabels(values)).text
}

/** Backslash, line feed and quote, as label values and quoted names have them. */
export function escapeText(text: string): string {
  return special.test(text) ? text.replace(/[\\\n"]/g, (char) => escapes[char]) : text
}

function unescapeText(text: string): string {
  return text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
}

const special = /[\\\n"]/
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' }
const labelPattern = /(?:"((?:[^"\\]|\\.)*)"|([^=,"]+))="((?:[^"\\]|\\.)*)"/g

/** For what is kept for long: a text that was joined from pieces holds on to all of them. */
export function flatText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8')
}
