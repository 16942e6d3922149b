/** Exemplars of counters and of histogram buckets: the newest of each is kept. */
import { exemplarLabels } from '../../../kit/prometheus/exemplar-labels.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import { flatText, labelText } from './label-text.ts'
import type { Exemplar, HistogramValue } from './series-value.ts'
import { tagOf } from '../../../kit/prometheus/field-tag.ts'

const noBytes = new Uint8Array(0)
const scan = new FieldReader(noBytes)

export function newestExemplar(
  naming: LabelNaming,
  point: PointReader,
  before: Exemplar | undefined,
): Exemplar | undefined {
  let newest = before
  for (const exemplar of readExemplars(naming, point)) {
    if (newest === undefined || !isOlder(exemplar, newest)) newest = exemplar
  }
  return newest
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
    if (before === undefined || !isOlder(exemplar, before)) value.exemplars[bucket] = exemplar
  }
}

function isOlder(exemplar: Exemplar, than: Exemplar): boolean {
  return compareNanos(exemplar.timeLow, exemplar.timeHigh, than.timeLow, than.timeHigh) < 0
}

function readExemplars(naming: LabelNaming, point: PointReader): Exemplar[] {
  const found: Exemplar[] = []
  for (let index = 0; index < point.exemplars.length; index += 2) {
    const start = point.exemplars[index]
    const exemplar = readExemplar(naming, point.bytes, start, point.exemplars[index + 1])
    if (exemplar !== undefined) found.push(exemplar)
  }
  return found
}

/** Undefined without a value: there is nothing to show then. */
function readExemplar(
  naming: LabelNaming,
  bytes: Uint8Array,
  start: number,
  end: number,
): Exemplar | undefined {
  let value: number | undefined
  let timeLow = 0
  let timeHigh = 0
  let traceId = noBytes
  let spanId = noBytes
  scan.reset(bytes, start, end)
  while (scan.next()) {
    const tag = tagOf(scan)
    if (tag === 0x11) {
      scan.readHalves()
      timeLow = scan.low | 0
      timeHigh = scan.high | 0
    } else if (tag === 0x19) value = scan.double()
    else if (tag === 0x31) value = scan.int64Nearest()
    else if (tag === 0x22) spanId = scan.view().slice()
    else if (tag === 0x2a) traceId = scan.view().slice()
  }
  if (value === undefined) return undefined
  const labels = exemplarLabels(naming, bytes.subarray(start, end), { traceId, spanId })
  return { labels: flatText(labelText(labels).text), value, timeLow, timeHigh }
}
