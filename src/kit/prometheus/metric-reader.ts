/**
 * Reads metrics where they lie. A reader is used again for every metric and every point: it holds positions and
 * numbers, so a point of a known series costs no object.
 */
import { readTextAttributes } from './attribute-text.ts'
import { FieldReader } from '../../wire/field-reader.ts'
import { tagOf } from './field-tag.ts'
import { GrowingBytes } from './growing-bytes.ts'

export const temporality = { unspecified: 0, delta: 1, cumulative: 2 } as const

/** What identifies a metric within its scope, and where its points are. */
export class MetricReader {
  readonly #scan = new FieldReader(noBytes)
  readonly #data = new FieldReader(noBytes)
  bytes: Uint8Array = new Uint8Array(0)
  nameStart = 0
  nameEnd = 0
  unitStart = 0
  unitEnd = 0
  helpStart = 0
  helpEnd = 0
  /** 0 when no member is set. */
  dataField = 0
  data: Uint8Array = this.bytes
  dataStart = 0
  dataEnd = 0
  temporality: number = 0
  isMonotonic = false
  #pieces: GrowingBytes | undefined
  #metadata: GrowingBytes | undefined

  /** The metadata's `prometheus.type`; empty when it has none. */
  originalType(): string {
    if (this.#metadata === undefined) return ''
    const { bytes, length } = this.#metadata
    const found = readTextAttributes(bytes.subarray(0, length), 12)
    return found.find(({ key }) => key === 'prometheus.type')?.text ?? ''
  }

  pointCount(): number {
    const scan = this.#data
    scan.reset(this.data, this.dataStart, this.dataEnd)
    let count = 0
    while (scan.next()) if (tagOf(scan) === 0x0a) count++
    return count
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const scan = this.#scan
    scan.reset(bytes, start, end)
    this.bytes = bytes
    this.nameStart = this.nameEnd = this.unitStart = this.unitEnd = 0
    this.helpStart = this.helpEnd = this.dataField = this.dataStart = this.dataEnd = 0
    this.data = bytes
    this.#pieces = this.#metadata = undefined
    while (scan.next()) this.#field(scan)
    if (this.dataField !== 0) this.#readData()
  }

  #field(scan: FieldReader): void {
    switch (tagOf(scan)) {
      case 0x0a:
        this.nameStart = scan.start
        this.nameEnd = scan.end
        break
      case 0x12:
        this.helpStart = scan.start
        this.helpEnd = scan.end
        break
      case 0x1a:
        this.unitStart = scan.start
        this.unitEnd = scan.end
        break
      case 0x62:
        this.#metadata ??= new GrowingBytes()
        this.#metadata.add(scan.bytes, scan.fieldStart, scan.end)
        break
      case 0x2a:
      case 0x3a:
      case 0x4a:
      case 0x52:
      case 0x5a:
        this.#dataPiece(scan)
        break
      default:
    }
  }

  /** Of two members the last wins; two pieces of one member are one message. */
  #dataPiece(scan: FieldReader): void {
    const field = scan.field
    if (field !== this.dataField) {
      this.dataField = field
      this.#pieces = undefined
      this.data = scan.bytes
      this.dataStart = scan.start
      this.dataEnd = scan.end
      return
    }
    let pieces = this.#pieces
    if (pieces === undefined) {
      this.#pieces = pieces = new GrowingBytes()
      pieces.add(this.data, this.dataStart, this.dataEnd)
    }
    pieces.add(scan.bytes, scan.start, scan.end)
    this.data = pieces.bytes
    this.dataStart = 0
    this.dataEnd = pieces.length
  }

  #readData(): void {
    this.temporality = 0
    this.isMonotonic = false
    const scan = this.#data
    scan.reset(this.data, this.dataStart, this.dataEnd)
    while (scan.next()) {
      if (tagOf(scan) === 0x10) this.temporality = scan.uint32()
      else if (tagOf(scan) === 0x18) this.isMonotonic = scan.uint32() !== 0
    }
  }
}

const noBytes = new Uint8Array(0)
