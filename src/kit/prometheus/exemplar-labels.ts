/** What an exemplar says beside its value: the trace it belongs to, and attributes as far as there is room. */
import { readTextAttributes } from './attribute-text.ts'
import { joinLabels, type Label, sortedLabels } from './labels.ts'
import type { LabelNaming } from './label-name.ts'

/** OpenMetrics: the names and values of an exemplar's labels are at most 128 code points together. */
const codePointsMax = 128

export interface ExemplarIds {
  readonly traceId: Uint8Array
  readonly spanId: Uint8Array
}

/**
 * Ids win over filtered attributes of the same name; when all together are too long, the attributes go. Field 7 of
 * Exemplar holds the filtered attributes.
 */
export function exemplarLabels(
  naming: LabelNaming,
  exemplar: Uint8Array,
  ids: ExemplarIds,
): Label[] {
  const fixed = new Map<string, string>()
  if (isUsed(ids.traceId)) fixed.set('trace_id', Buffer.from(ids.traceId).toString('hex'))
  if (isUsed(ids.spanId)) fixed.set('span_id', Buffer.from(ids.spanId).toString('hex'))
  const all = new Map<string, string>()
  for (const { name, value } of joinLabels(naming, readTextAttributes(exemplar, 7))) {
    all.set(name, value)
  }
  for (const [name, value] of fixed) all.set(name, value)
  const labels = sortedLabels(all)
  return codePointCount(labels) <= codePointsMax ? labels : sortedLabels(fixed)
}

function codePointCount(labels: readonly Label[]): number {
  let count = 0
  for (const { name, value } of labels) count += codePoints(name) + codePoints(value)
  return count
}

function codePoints(text: string): number {
  return Array.from(text).length
}

function isUsed(id: Uint8Array): boolean {
  return id.some((byte) => byte !== 0)
}
