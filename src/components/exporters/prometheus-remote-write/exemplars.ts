import { readExemplars as readPointExemplars } from '../../../kit/prometheus/exemplars.ts'
import type { LabelNaming } from '../../../kit/prometheus/label-name.ts'
import { epochMs } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import type { RowExemplar } from './sample-list.ts'

/** A point's exemplars, oldest first; `undatedMs` is the time of those without one in a point without one. */
export function readExemplars(
  naming: LabelNaming,
  point: PointReader,
  undatedMs: number,
): RowExemplar[] {
  return readPointExemplars(naming, point).map(({ labels, value, timeLow, timeHigh }) => ({
    labels,
    value,
    timeMs: epochMs(timeLow, timeHigh) || undatedMs,
  }))
}
