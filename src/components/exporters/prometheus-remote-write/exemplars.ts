import { exemplarLabels } from '../../../kit/prometheus/exemplar-labels.ts'
import { tagOf } from '../../../kit/prometheus/field-tag.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import { epochMs } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import type { RowExemplar } from './sample-list.ts'

const noBytes = new Uint8Array(0)
const scan = new FieldReader(noBytes)

/** A point's exemplars, oldest first; one without a time has the point's. One without a value is left out. */
export function readExemplars(
  naming: LabelNaming,
  point: PointReader,
  timeMs: number,
): RowExemplar[] {
  const found: RowExemplar[] = []
  for (let index = 0; index < point.exemplars.length; index += 2) {
    const start = point.exemplars[index]
    const bytes = point.bytes.subarray(start, point.exemplars[index + 1])
    const exemplar = readExemplar(naming, bytes, timeMs)
    if (exemplar !== undefined) found.push(exemplar)
  }
  return found.sort((left, right) => left.timeMs - right.timeMs)
}

function readExemplar(
  naming: LabelNaming,
  bytes: Uint8Array,
  pointMs: number,
): RowExemplar | undefined {
  let value: number | undefined
  let timeMs = 0
  let traceId = noBytes
  let spanId = noBytes
  scan.reset(bytes, 0, bytes.length)
  while (scan.next()) {
    const tag = tagOf(scan)
    if (tag === 0x11) {
      scan.readHalves()
      timeMs = epochMs(scan.low, scan.high)
    } else if (tag === 0x19) value = scan.double()
    else if (tag === 0x31) value = scan.int64Nearest()
    else if (tag === 0x22) spanId = scan.view().slice()
    else if (tag === 0x2a) traceId = scan.view().slice()
  }
  if (value === undefined) return undefined
  const labels = exemplarLabels(naming, bytes, { traceId, spanId })
  return { labels, value, timeMs: timeMs === 0 ? pointMs : timeMs }
}
