/**
 * Adds delta points up, by the same rule as the exposition: a point not later than the last one, or begun before the
 * series did, is dropped; all others are added, and a gap or an overlap of its start with what we have is counted. A
 * histogram with other bounds begins anew.
 */
import { addExponential, type Exponential } from '../../../kit/prometheus/exponential-reader.ts'
import type { HistogramReader } from '../../../kit/prometheus/histogram-reader.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'
import type { PointReader } from '../../../kit/prometheus/point-reader.ts'
import type { Counter } from '../../../pipeline/meter.ts'

/** Deltas added whose start was the end of what we had, left a gap behind it, or reached back before it. */
export interface DeltaCounters {
  readonly aligned: Counter
  readonly gap: Counter
  readonly overlap: Counter
}

export class DeltaState {
  /** Of the sum: when its first point began. */
  startLow: number
  startHigh: number
  value = 0
  counts: readonly number[] = []
  count = 0
  sum: number | undefined = 0
  bounds: Uint8Array = new Uint8Array(0)
  exponential: Exponential | undefined

  constructor(point: PointReader) {
    this.startLow = point.startLow
    this.startHigh = point.startHigh
  }

  addHistogram(reader: HistogramReader, point: PointReader): void {
    const counts = readCounts(reader)
    const isSame = reader.bounds.equals(this.bounds) && counts.length === this.counts.length
    if (!isSame) {
      this.startLow = point.startLow
      this.startHigh = point.startHigh
      this.bounds = reader.bounds.copy()
      this.counts = counts
      this.count = 0
      this.sum = 0
    } else this.counts = this.counts.map((count, index) => count + counts[index])
    this.count += wholeNumber(reader.countLow, reader.countHigh)
    this.sum = this.sum === undefined || !reader.hasSum ? undefined : this.sum + reader.sum
  }

  addExponential(value: Exponential): Exponential {
    return this.exponential === undefined ? value : addExponential(this.exponential, value)
  }

  /** Whether a later point belongs to what is added up; the last point ended at `timeLow`, `timeHigh`. */
  accepts(point: PointReader, timeLow: number, timeHigh: number): boolean {
    if (compareNanos(point.timeLow, point.timeHigh, timeLow, timeHigh) <= 0) return false
    const { startLow, startHigh } = point
    if (startLow === 0 && startHigh === 0) return true
    return compareNanos(startLow, startHigh, this.startLow, this.startHigh) >= 0
  }
}

export function countStart(
  counters: DeltaCounters,
  point: PointReader,
  before: { readonly timeLow: number; readonly timeHigh: number },
): void {
  const { startLow, startHigh } = point
  const isUnknown = startLow === 0 && startHigh === 0
  const order = compareNanos(startLow, startHigh, before.timeLow, before.timeHigh)
  if (isUnknown || order === 0) counters.aligned.add(1)
  else if (order > 0) counters.gap.add(1)
  else counters.overlap.add(1)
}

/** Bucket counts as the doubles they are sent as. */
export function readCounts({ counts }: HistogramReader): number[] {
  const { bytes, start, byteLength } = counts
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, byteLength)
  return Array.from({ length: byteLength / 8 }, (_, index) =>
    wholeNumber(view.getUint32(index * 8, true), view.getUint32(index * 8 + 4, true)),
  )
}

export function wholeNumber(low: number, high: number): number {
  return (high >>> 0) * 4294967296 + (low >>> 0)
}
