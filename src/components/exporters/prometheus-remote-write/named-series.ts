/** Series that a server names in what it says of a refusal, by their labels: `{__name__="up", job="a"}` or `up{job="a"}`. */
import type { Label } from '../../../kit/prometheus/labels.ts'

// Of Prometheus, Thanos, Mimir and Cortex. No match begins within a word: a long one, tried from each of its characters,
// would take seconds.
const seriesPattern = /(?<![\p{L}\p{N}_:.])([\p{L}\p{N}_:.]*)(\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\})/u
const labelPattern =
  /(?:"((?:[^"\\]|\\.)*)"|(?<![\p{L}\p{N}_:.])([\p{L}\p{N}_:.]+))\s*=\s*"((?:[^"\\]|\\.)*)"/gu

/** The labels of the first series that it names, as it wrote them. */
export function seriesText(complaint: string): string | undefined {
  return seriesPattern.exec(complaint)?.[2]
}

/** The same for the same series, however it is written; undefined where none is named. */
export function namedSeriesKey(complaint: string): string | undefined {
  const found = seriesPattern.exec(complaint)
  if (found === null) return undefined
  const [, name, labels] = found
  const pairs: Label[] = []
  for (const [, quoted, plain, value] of labels.matchAll(labelPattern)) {
    pairs.push({ name: plain ?? unescaped(quoted), value: unescaped(value) })
  }
  if (name !== '') pairs.push({ name: '__name__', value: name })
  return seriesKey(pairs)
}

export function seriesKey(labels: readonly Label[]): string {
  const pairs = labels.map(({ name, value }) => JSON.stringify([name, value]))
  return pairs.toSorted().join()
}

/** Go quotes as JSON does, but for a few control characters: a text with these is not found, and no harm is done. */
function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string
  } catch {
    return text
  }
}
