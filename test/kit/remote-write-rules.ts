/** What the remote write specifications, and the servers that follow them, ask of what a TimeSeries holds. */
import type { PlainMessage } from './oracle.ts'

export type Rule = (holds: boolean, what: string) => void

const customSchema = -53

export const list = (value: unknown): PlainMessage[] => (value ?? []) as PlainMessage[]

/** Samples or histograms, oldest first, each later than the one before it, none that starts after itself. */
export function checkSamples(one: PlainMessage, series: string, rule: Rule): void {
  const [samples, histograms] = [list(one.samples), list(one.histograms)]
  rule(
    samples.length > 0 !== histograms.length > 0,
    `${series} has not one kind of sample: ${samples.length} and ${histograms.length}`,
  )
  let beforeMs = 0n
  for (const sample of [...samples, ...histograms]) {
    const timeMs = (sample.timestamp ?? 0n) as bigint
    rule(timeMs > beforeMs, `${series} is not in the order of time: ${timeMs} after ${beforeMs}`)
    const startMs = (sample.startTimestamp ?? 0n) as bigint
    rule(startMs <= timeMs, `${series} starts after its sample`)
    beforeMs = timeMs
  }
  // Replaced by a start of each sample; who still reads it would not read that.
  rule(one.createdTimestamp === undefined, `${series} has the start time of an older 2.0`)
}

export function checkExemplar(
  exemplar: PlainMessage,
  labels: readonly (readonly [name: string, value: string])[],
  { series, rule }: { series: string; rule: Rule },
): void {
  rule(((exemplar.timestamp ?? 0n) as bigint) > 0n, `an exemplar of ${series} has no time`)
  const names = labels.map(([name]) => name)
  const isSound = new Set(names).size === names.length && labels.every(([name]) => name !== '')
  rule(isSound, `an exemplar of ${series} has the labels ${names.join()}`)
  const codePoints = labels.flat().reduce((sum, text) => sum + Array.from(text).length, 0)
  rule(codePoints <= 128, `an exemplar of ${series} has ${codePoints} code points`)
}

/** As servers do before they store one: a single bad histogram has them refuse the whole request. */
export function checkHistogram(
  histogram: PlainMessage,
  { version, series, rule }: { version: 1 | 2; series: string; rule: Rule },
): void {
  const { sum = 0, countInt = 0n, zeroCountInt = 0n, zeroThreshold = 0 } = histogram
  const schema = (histogram.schema ?? 0) as number
  const customValues = (histogram.customValues ?? []) as number[]
  const positive = sideTotal(histogram, 'positive', { series, rule })
  const negative = sideTotal(histogram, 'negative', { series, rule })
  const total = (zeroCountInt as bigint) + positive + negative
  const holds = Number.isNaN(sum) ? total <= (countInt as bigint) : total === countInt
  rule(holds, `${series} counts ${countInt as bigint}, its buckets ${total}`)
  if (schema !== customSchema) {
    rule(schema >= -4 && schema <= 8, `${series} has schema ${schema}`)
    rule(customValues.length === 0, `${series} has bounds of its own and schema ${schema}`)
    return
  }
  rule(version === 2, `${series} has custom buckets, which 1.0 does not know`)
  const isRising = customValues.every((value, at) => at === 0 || value > customValues[at - 1])
  rule(isRising && !customValues.includes(Infinity), `${series} has bounds ${customValues.join()}`)
  rule(
    zeroThreshold === 0 && zeroCountInt === 0n && list(histogram.negativeSpans).length === 0,
    `${series} has custom buckets and others`,
  )
}

function sideTotal(
  histogram: PlainMessage,
  side: 'positive' | 'negative',
  { series, rule }: { series: string; rule: Rule },
): bigint {
  const spans = list(histogram[`${side}Spans`])
  const deltas = (histogram[`${side}Deltas`] ?? []) as bigint[]
  const length = spans.reduce((sum, span) => sum + ((span.length ?? 0) as number), 0)
  rule(length === deltas.length, `${series} has ${length} ${side} buckets, ${deltas.length} counts`)
  const gaps = spans.slice(1).map(({ offset = 0 }) => offset as number)
  rule(
    gaps.every((offset) => offset >= 0),
    `${series} has ${side} spans that overlap`,
  )
  let [count, total] = [0n, 0n]
  for (const delta of deltas) {
    count += delta
    rule(count >= 0n, `${series} has a negative count`)
    total += count
  }
  return total
}

/** Fields that no definition names, at any depth: those of the other version, for one. */
export function checkKnown(message: PlainMessage, rule: Rule, path = 'the message'): void {
  for (const [name, value] of Object.entries(message)) {
    rule(name !== '$unknown', `${path} has fields that no definition names`)
    const inner = Array.isArray(value) ? (value as readonly unknown[]) : [value]
    for (const one of inner) {
      if (typeof one === 'object') checkKnown(one as PlainMessage, rule, name)
    }
  }
}
