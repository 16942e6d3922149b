/** Exemplars of counters, histogram buckets and native histograms: the newest are kept. */
import { compareTimes, readExemplars } from '../../../kit/prometheus/exemplars.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { flatText, labelText } from './label-text.ts'
import type { Exemplar, HistogramValue } from './series-value.ts'

/** As many as client_golang keeps of a native histogram. */
const nativeCountMax = 10

export function newestExemplar(
  naming: LabelNaming,
  point: PointReader,
  before: Exemplar | undefined,
): Exemplar | undefined {
  const newest = readExemplars(naming, point).at(-1)
  if (newest === undefined) return before
  return before !== undefined && compareTimes(newest, before) < 0 ? before : kept(newest)
}

/** Each goes to the first bucket whose bound is not below its value, or to the last. */
export function bucketExemplars(
  naming: LabelNaming,
  point: PointReader,
  value: HistogramValue,
): void {
  const { values: bounds } = value.layout
  for (const exemplar of readExemplars(naming, point)) {
    let bucket = 0
    while (bucket < bounds.length && !(bounds[bucket] >= exemplar.value)) bucket++
    value.exemplars ??= Array.from({ length: bounds.length + 1 }, () => undefined)
    const before = value.exemplars[bucket]
    if (before === undefined || compareTimes(exemplar, before) >= 0) {
      value.exemplars[bucket] = kept(exemplar)
    }
  }
}

/** The newest of those before and those of the point, oldest first, each once. */
export function nativeExemplars(
  naming: LabelNaming,
  point: PointReader,
  before: readonly Exemplar[],
): readonly Exemplar[] {
  const all = [...before]
  for (const one of readExemplars(naming, point)) {
    const exemplar = kept(one)
    if (!all.some((other) => isSame(other, exemplar))) all.push(exemplar)
  }
  return all.sort(compareTimes).slice(-nativeCountMax)
}

function isSame(left: Exemplar, right: Exemplar): boolean {
  return (
    compareTimes(left, right) === 0 && left.value === right.value && left.labels === right.labels
  )
}

function kept({ labels, value, timeLow, timeHigh }: ReturnType<typeof readExemplars>[number]) {
  return { labels: flatText(labelText(labels).text), value, timeLow, timeHigh }
}
