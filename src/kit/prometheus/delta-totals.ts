/** What delta points of each type add up to, without losing a digit of what is counted. */
import { metricDataFields } from '../../otlp/fields.ts'
import { type BucketBounds, noBounds } from './bucket-bounds.ts'
import {
  addExponential,
  type Exponential,
  exponentialBytes,
  limited,
  sumBytesMax,
} from './exponential-reader.ts'
import type { HistogramReader } from './histogram-reader.ts'
import type { PointReader } from './point-reader.ts'
import type { PointValue } from './point-value.ts'

/** Whether so many bytes more may be taken; less is always possible. */
export type HasRoomFor = (moreBytes: number) => boolean

export interface DeltaTotal {
  /** What its buckets take in memory, roughly. */
  readonly bucketBytes: number
  /** Whether there is memory for what it takes once this is added, or once it begins anew with it. */
  hasRoom(value: PointValue, hasRoomFor: HasRoomFor): boolean
  /** Whether what was read of a point can be added, and can present the total. */
  fits(value: PointValue): boolean
  /** False where nothing can be added to what there is, so that the total has to begin anew. */
  add(point: PointReader, value: PointValue): boolean
  /** Makes of a point, and of what was read of it, the total. */
  present(point: PointReader, value: PointValue): void
}

export function deltaTotal(dataField: number): DeltaTotal {
  if (dataField === metricDataFields.sum) return new NumberTotal()
  return dataField === metricDataFields.histogram ? new HistogramTotal() : new ExponentialTotal()
}

/**
 * Integers are summed as integers and doubles as doubles. The total is an integer, of 64 bits, while nothing but
 * integers came and they fit; from then on it is the double nearest to both sums together.
 */
class NumberTotal implements DeltaTotal {
  readonly bucketBytes = 0
  #low = 0
  #high = 0
  #double = 0
  #isInteger = true

  hasRoom(): boolean {
    return true
  }

  fits(): boolean {
    return true
  }

  add(point: PointReader): boolean {
    if (!point.isInteger) {
      this.#isInteger = false
      this.#double += point.value
      return true
    }
    const low = (this.#low >>> 0) + (point.intLow >>> 0)
    const high = this.#high + point.intHigh + (low > 0xffffffff ? 1 : 0)
    if (high === (high | 0)) {
      this.#low = low | 0
      this.#high = high
      return true
    }
    this.#isInteger = false
    this.#double += nearest(this.#low, this.#high)
    this.#low = point.intLow
    this.#high = point.intHigh
    return true
  }

  present(point: PointReader): void {
    point.isInteger = this.#isInteger
    point.intLow = this.#low
    point.intHigh = this.#high
    const integer = nearest(this.#low, this.#high)
    point.value = this.#isInteger ? integer : this.#double + integer
  }
}

class HistogramTotal implements DeltaTotal {
  #bounds: BucketBounds = noBounds
  /** Bucket counts and behind them the count of all: 64 bits each in two halves, low first. */
  #counts: Uint32Array<ArrayBuffer> | undefined
  #sum = 0
  #hasSum = true

  get bucketBytes(): number {
    return this.#counts?.byteLength ?? 0
  }

  hasRoom({ histogram }: PointValue, hasRoomFor: HasRoomFor): boolean {
    return hasRoomFor(histogram.counts.byteLength + 8 - this.bucketBytes)
  }

  fits({ histogram, bounds }: PointValue): boolean {
    if (this.#counts === undefined) return true
    const isSame = bounds === this.#bounds || histogram.bounds.equals(this.#bounds.bytes)
    return isSame && histogram.counts.byteLength / 4 + 2 === this.#counts.length
  }

  add(_point: PointReader, value: PointValue): boolean {
    if (!this.fits(value)) return false
    const { histogram, bounds } = value
    if (this.#counts === undefined) {
      this.#bounds = bounds
      this.#counts = new Uint32Array(histogram.counts.byteLength / 4 + 2)
    }
    addUnsigned(this.#counts, histogram)
    this.#hasSum &&= histogram.hasSum
    this.#sum += histogram.sum
    return true
  }

  present(_point: PointReader, { histogram }: PointValue): void {
    const counts = this.#counts!
    const bucketBytes = counts.byteLength - 8
    histogram.counts.clear()
    histogram.counts.add(new Uint8Array(counts.buffer), 0, bucketBytes)
    histogram.countLow = counts[counts.length - 2] | 0
    histogram.countHigh = counts[counts.length - 1] | 0
    histogram.sum = this.#sum
    histogram.hasSum = this.#hasSum
  }
}

class ExponentialTotal implements DeltaTotal {
  #total: Exponential | undefined

  get bucketBytes(): number {
    return this.#total === undefined ? 0 : exponentialBytes(this.#total)
  }

  hasRoom({ exponential }: PointValue, hasRoomFor: HasRoomFor): boolean {
    const { bucketBytes } = this
    // Only where memory is scarce is it added up twice.
    if (hasRoomFor(sumBytesMax - bucketBytes)) return true
    return hasRoomFor(exponentialBytes(this.#with(exponential!)) - bucketBytes)
  }

  fits(): boolean {
    return true
  }

  add(_point: PointReader, value: PointValue): boolean {
    this.#total = this.#with(value.exponential!)
    return true
  }

  present(_point: PointReader, value: PointValue): void {
    value.exponential = this.#total
  }

  #with(more: Exponential): Exponential {
    return this.#total === undefined ? limited(more) : addExponential(this.#total, more)
  }
}

/** A signed 64-bit integer as the nearest double. */
function nearest(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0)
}

/** 64-bit additions in halves, wrapping as the hardware would. */
function addUnsigned(target: Uint32Array, { counts, countLow, countHigh }: HistogramReader): void {
  const { bytes, start, byteLength } = counts
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, byteLength)
  const last = target.length - 2
  for (let at = 0; at <= last; at += 2) {
    const low = target[at] + (at === last ? countLow >>> 0 : view.getUint32(at * 4, true))
    const high = at === last ? countHigh >>> 0 : view.getUint32(at * 4 + 4, true)
    target[at] = low
    target[at + 1] = target[at + 1] + high + (low > 0xffffffff ? 1 : 0)
  }
}
