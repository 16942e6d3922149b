import type { MetricReader } from './metric-reader.ts'

/** What tells the metrics of a scope apart, as bytes that the next one overwrites. */
export class MetricKey {
  bytes = new Uint8Array(1024)
  length = 0

  /** Type, temporality, name and unit. */
  set(reader: MetricReader): void {
    const { bytes, nameStart, nameEnd, unitStart, unitEnd } = reader
    const byteLength = 4 + nameEnd - nameStart + unitEnd - unitStart
    if (byteLength > this.bytes.length) this.bytes = new Uint8Array(byteLength * 2)
    const key = this.bytes
    key[0] = reader.dataField
    key[1] = reader.temporality
    key[2] = reader.isMonotonic ? 1 : 0
    let at = 3
    for (let index = nameStart; index < nameEnd; index++) key[at++] = bytes[index]!
    // Not a byte of UTF-8, so name and unit cannot run into each other.
    key[at++] = 0xff
    for (let index = unitStart; index < unitEnd; index++) key[at++] = bytes[index]!
    this.length = at
  }
}
