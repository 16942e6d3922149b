/** Metric names from OTLP to Prometheus, by the four translation strategies of the Collector. */
import { cleanUnit, unitWords } from './unit-words.ts'

export const translationStrategies = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const

export type TranslationStrategy = (typeof translationStrategies)[number]

/** What a name needs to know of its metric: only counters end in `total`, only gauges in `ratio`. */
export type NameKind = 'counter' | 'gauge' | 'other'

export interface MetricNaming {
  readonly strategy: TranslationStrategy
  readonly namespace: string
}

export interface NamedMetric {
  readonly name: string
  readonly unit: string
  readonly kind: NameKind
}

/** Whether names, of metrics and of labels alike, are reduced to [a-zA-Z0-9_:]. */
export function escapesNames(strategy: TranslationStrategy): boolean {
  return strategy.startsWith('UnderscoreEscaping')
}

/** The Prometheus name, or undefined when nothing is left of it: such a metric is dropped. */
export function metricName(naming: MetricNaming, metric: NamedMetric): string | undefined {
  if (metric.name === '') return undefined
  const name = builders[naming.strategy](naming.namespace, metric)
  return /^_*$/.test(name) && name !== metric.name ? undefined : name
}

const builders: Record<TranslationStrategy, (namespace: string, metric: NamedMetric) => string> = {
  UnderscoreEscapingWithSuffixes: escapedWithSuffixes,
  UnderscoreEscapingWithoutSuffixes: escapedWithoutSuffixes,
  NoUTF8EscapingWithSuffixes: verbatimWithSuffixes,
  NoTranslation: (namespace, { name }) => prefixed(namespace, name),
}

function escapedWithSuffixes(namespace: string, { name, unit, kind }: NamedMetric): string {
  let tokens = name.split(/[^A-Za-z0-9:]+/).filter((token) => token !== '')
  const words = unitWords(unit)
  const per = cleanUnit(words.per).replace(/_$/, '')
  const hasPer = per !== '' && per !== 'per' && !tokens.includes(per)
  const main = hasPer ? cleanUnit(words.main).replace(/_$/, '') : cleanUnit(words.main)
  // A unit of several words is never found among the tokens, so it is never spared: that is upstream's rule too.
  if (main !== '' && !tokens.includes(main)) tokens.push(main)
  if (hasPer) tokens.push(per)
  if (kind === 'counter') tokens = [...tokens.filter((token) => token !== 'total'), 'total']
  if (kind === 'gauge' && unit === '1') {
    tokens = [...tokens.filter((token) => token !== 'ratio'), 'ratio']
  }
  return withoutLeadingDigit(prefixed(legacyName(namespace), tokens.join('_')))
}

function escapedWithoutSuffixes(namespace: string, { name }: NamedMetric): string {
  return withoutLeadingDigit(prefixed(legacyName(namespace), legacyName(name)))
}

function verbatimWithSuffixes(namespace: string, { name, unit, kind }: NamedMetric): string {
  const { main, per } = unitWords(unit)
  const ending = kind === 'counter' ? 'total' : kind === 'gauge' && unit === '1' ? 'ratio' : ''
  let result = prefixed(namespace, name)
  if (ending !== '') result = withoutEnding(result, ending)
  if (per !== '') result = withoutEnding(result, per)
  if (main !== '' && !result.endsWith(main)) result += `_${main}`
  if (per !== '') result += `_${per}`
  return ending === '' ? result : `${result}_${ending}`
}

/** Upstream cuts one more character whatever it is, so that `subtotal` loses its b; we ask for a separator. */
function withoutEnding(name: string, word: string): string {
  return name.endsWith(`_${word}`) || name.endsWith(`.${word}`)
    ? name.slice(0, -word.length - 1)
    : name
}

function legacyName(name: string): string {
  return name
    .split(/[^A-Za-z0-9:_]+/)
    .filter((token) => token !== '')
    .join('_')
}

function prefixed(namespace: string, name: string): string {
  return namespace === '' || name === '' ? name : `${namespace}_${name}`
}

function withoutLeadingDigit(name: string): string {
  return /^[0-9]/.test(name) ? `_${name}` : name
}
