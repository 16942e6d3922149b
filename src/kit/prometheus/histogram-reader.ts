/** Reads what only histogram and summary points have, into fields that the next point overwrites. */
import { FieldReader } from '../../wire/field-reader.ts'
import { tagOf } from './field-tag.ts'
import { GrowingBytes } from './growing-bytes.ts'

const noBytes = new Uint8Array(0)

/** A list of 8-byte values where it lies in a message; gathered when it came in pieces. */
export class FixedList {
  bytes: Uint8Array = noBytes
  start = 0
  end = 0
  #gathered: GrowingBytes | undefined

  clear(): void {
    this.bytes = noBytes
    this.#gathered = undefined
    this.start = this.end = 0
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    // A packed list of another length than whole values is cut to whole ones.
    const last = end - ((end - start) % 8)
    if (this.end === 0) {
      this.bytes = bytes
      this.start = start
      this.end = last
      return
    }
    let gathered = this.#gathered
    if (gathered === undefined) {
      this.#gathered = gathered = new GrowingBytes()
      gathered.add(this.bytes, this.start, this.end)
    }
    gathered.add(bytes, start, last)
    this.bytes = gathered.bytes
    this.start = 0
    this.end = gathered.length
  }

  get byteLength(): number {
    return this.end - this.start
  }

  equals(other: Uint8Array): boolean {
    if (other.length !== this.end - this.start) return false
    for (let index = 0; index < other.length; index++) {
      if (other[index] !== this.bytes[this.start + index]) return false
    }
    return true
  }

  /** The values' own bytes, in memory of their own, so that a view of whole values may lie on them. */
  copy(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.bytes.subarray(this.start, this.end))
  }
}

export class HistogramReader {
  readonly #scan = new FieldReader(noBytes)
  countLow = 0
  countHigh = 0
  sum = 0
  hasSum = false
  readonly counts = new FixedList()
  readonly bounds = new FixedList()

  /** Whether the counts of all buckets together fit 64 bits, as those of every real histogram do. */
  get hasPlausibleCounts(): boolean {
    const { bytes, start, byteLength } = this.counts
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, byteLength)
    let low = 0
    let high = 0
    for (let at = 0; at < byteLength; at += 8) {
      low += view.getUint32(at, true)
      high += view.getUint32(at + 4, true)
    }
    return high + Math.floor(low / 4294967296) < 4294967296
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    this.countLow = this.countHigh = this.sum = 0
    this.hasSum = false
    this.counts.clear()
    this.bounds.clear()
    const scan = this.#scan
    scan.reset(bytes, start, end)
    while (scan.next()) {
      switch (tagOf(scan)) {
        case 0x21:
          scan.readHalves()
          this.countLow = scan.low | 0
          this.countHigh = scan.high | 0
          break
        case 0x29:
          this.sum = scan.double()
          this.hasSum = true
          break
        case 0x31:
        case 0x32:
          this.counts.add(bytes, scan.start, scan.end)
          break
        case 0x39:
        case 0x3a:
          this.bounds.add(bytes, scan.start, scan.end)
          break
        default:
      }
    }
  }
}

export class SummaryReader {
  readonly #scan = new FieldReader(noBytes)
  readonly #pair = new FieldReader(noBytes)
  countLow = 0
  countHigh = 0
  sum = 0
  /** Quantile, value, quantile, value ... */
  readonly quantiles: number[] = []

  read(bytes: Uint8Array, start: number, end: number): void {
    this.countLow = this.countHigh = this.sum = 0
    this.quantiles.length = 0
    const scan = this.#scan
    scan.reset(bytes, start, end)
    while (scan.next()) {
      if (tagOf(scan) === 0x21) {
        scan.readHalves()
        this.countLow = scan.low | 0
        this.countHigh = scan.high | 0
      } else if (tagOf(scan) === 0x29) this.sum = scan.double()
      else if (tagOf(scan) === 0x32) this.#readPair(bytes, scan.start, scan.end)
    }
  }

  #readPair(bytes: Uint8Array, start: number, end: number): void {
    const pair = this.#pair
    let quantile = 0
    let value = 0
    pair.reset(bytes, start, end)
    while (pair.next()) {
      if (tagOf(pair) === 0x09) quantile = pair.double()
      else if (tagOf(pair) === 0x11) value = pair.double()
    }
    this.quantiles.push(quantile, value)
  }
}
