/** Reads one data point of any type into fields that the next point overwrites. */
import { metricDataFields } from '../../otlp/fields.ts'
import { FieldReader } from '../../wire/field-reader.ts'
import { tagOf } from './field-tag.ts'
import { GrowingBytes } from './growing-bytes.ts'

/** Attribute field by type: it differs, see the proto. */
const attributeTags: Readonly<Record<number, number>> = {
  [metricDataFields.gauge]: 0x3a,
  [metricDataFields.sum]: 0x3a,
  [metricDataFields.histogram]: 0x4a,
  [metricDataFields.exponentialHistogram]: 0x0a,
  [metricDataFields.summary]: 0x3a,
}

const noBytes = new Uint8Array(0)

export class PointReader {
  readonly scan = new FieldReader(noBytes)
  /** All attributes, tags and lengths included, as one range of `keyBytes`. */
  keyBytes: Uint8Array = noBytes
  keyStart = 0
  keyEnd = 0
  startLow = 0
  startHigh = 0
  timeLow = 0
  timeHigh = 0
  hasRecordedValue = true
  /** The point itself, for the readers of what only some types have. */
  start = 0
  end = 0
  /** Number points: as_int is kept in halves too, for digits beyond 2^53. */
  value = 0
  hasValue = false
  isInteger = false
  intLow = 0
  intHigh = 0
  /** Exemplars, as positions into the bytes: start, end, start, end ... */
  readonly exemplars: number[] = []
  #attributeTag = 0
  #gathered: GrowingBytes | undefined

  get bytes(): Uint8Array {
    return this.scan.bytes
  }

  /** Reads what all types share, and the value of number points. */
  read(dataField: number, bytes: Uint8Array, start: number, end: number): void {
    this.#attributeTag = attributeTags[dataField]!
    this.start = start
    this.end = end
    this.keyBytes = bytes
    this.keyStart = this.keyEnd = 0
    this.#gathered = undefined
    this.startLow = this.startHigh = this.timeLow = this.timeHigh = 0
    this.hasRecordedValue = true
    this.hasValue = this.isInteger = false
    this.value = 0
    if (this.exemplars.length > 0) this.exemplars.length = 0
    this.scan.reset(bytes, start, end)
    if (dataField === metricDataFields.gauge || dataField === metricDataFields.sum)
      this.#readNumber()
    else this.#readOther(dataField)
  }

  #readNumber(): void {
    const scan = this.scan
    while (scan.next()) {
      switch (tagOf(scan)) {
        case 0x3a:
          this.#attribute(scan)
          break
        case 0x11:
          scan.readHalves()
          this.startLow = scan.low | 0
          this.startHigh = scan.high | 0
          break
        case 0x19:
          scan.readHalves()
          this.timeLow = scan.low | 0
          this.timeHigh = scan.high | 0
          break
        case 0x21:
          this.value = scan.double()
          this.hasValue = true
          this.isInteger = false
          break
        case 0x31:
          scan.readHalves()
          this.intLow = scan.low | 0
          this.intHigh = scan.high | 0
          this.value = this.intHigh * 4294967296 + (this.intLow >>> 0)
          this.hasValue = this.isInteger = true
          break
        case 0x2a:
          this.exemplars.push(scan.start, scan.end)
          break
        case 0x40:
          this.hasRecordedValue = (scan.uint32() & 1) === 0
          break
        default:
      }
    }
  }

  #readOther(dataField: number): void {
    const scan = this.scan
    const isExponential = dataField === metricDataFields.exponentialHistogram
    const flagsTag = dataField === metricDataFields.summary ? 0x40 : 0x50
    const exemplarTag = isExponential ? 0x5a : dataField === metricDataFields.histogram ? 0x42 : 0
    while (scan.next()) {
      if (tagOf(scan) === this.#attributeTag) this.#attribute(scan)
      else if (tagOf(scan) === 0x11) {
        scan.readHalves()
        this.startLow = scan.low | 0
        this.startHigh = scan.high | 0
      } else if (tagOf(scan) === 0x19) {
        scan.readHalves()
        this.timeLow = scan.low | 0
        this.timeHigh = scan.high | 0
      } else if (tagOf(scan) === exemplarTag) {
        this.exemplars.push(scan.start, scan.end)
      } else if (tagOf(scan) === flagsTag) {
        this.hasRecordedValue = (scan.uint32() & 1) === 0
      }
    }
  }

  /** Attributes lie together nearly always; where they do not, they are gathered. */
  #attribute(scan: FieldReader): void {
    if (this.keyEnd === 0) {
      this.keyStart = scan.fieldStart
      this.keyEnd = scan.end
    } else if (this.keyEnd === scan.fieldStart && this.keyBytes === scan.bytes) {
      this.keyEnd = scan.end
    } else {
      let gathered = this.#gathered
      if (gathered === undefined) {
        this.#gathered = gathered = new GrowingBytes()
        gathered.add(this.keyBytes, this.keyStart, this.keyEnd)
      }
      gathered.add(scan.bytes, scan.fieldStart, scan.end)
      this.keyBytes = gathered.bytes
      this.keyStart = 0
      this.keyEnd = gathered.length
    }
  }
}

/** Attribute field number of a type's points. */
export function attributeField(dataField: number): number {
  return attributeTags[dataField] >>> 3
}
