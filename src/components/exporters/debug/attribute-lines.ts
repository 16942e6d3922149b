import type { Attribute } from '../../../otlp/attributes.ts'
import { typedText } from './collector-text.ts'
import type { TextLines } from './text-lines.ts'

/** Under their header, further in than it; nothing at all when there are none. */
export function writeAttributes(
  lines: TextLines,
  header: string,
  attributes: readonly Attribute[],
): void {
  if (attributes.length === 0) return
  lines.add(`${header}:`)
  const indent = header.includes('->') ? header.slice(0, header.indexOf('->')) : ''
  for (const { key, value } of attributes) {
    lines.add(`${indent}     -> ${key}: ${typedText(value)}`)
  }
}
