/** One recorded metrics request as many pods would send it again and again: other instances, the time of now. */
import { FieldReader } from '../src/wire/field-reader.ts'

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

export class AdvancingPayload {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  /** Where the points' times, values and the resources' instance ids lie. */
  readonly #times: number[] = []
  readonly #values: number[] = []
  readonly #instances: number[] = []
  #round = 0

  /** Reads requests of number points whose values are doubles, and whose instance ids are UUIDs. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice()
    this.#view = new DataView(this.#bytes.buffer)
    const path = [1, 2, 2, 7, 1]
    this.#visit(path, 0, this.#bytes.length)
    for (const { index } of Buffer.from(bytes).toString('latin1').matchAll(uuid)) {
      this.#instances.push(index)
    }
  }

  /** The bytes of copy number `copy` at that time; they hold until the next call. */
  at(copy: number, timeMs: number): Uint8Array {
    const nanos = BigInt(timeMs) * 1_000_000n
    const low = Number(nanos & 0xffffffffn)
    const high = Number(nanos >> 32n)
    for (const at of this.#times) {
      this.#view.setUint32(at, low, true)
      this.#view.setUint32(at + 4, high, true)
    }
    this.#round++
    for (const [index, at] of this.#values.entries()) {
      this.#view.setFloat64(at, this.#round * 1.37 + index * 0.11, true)
    }
    for (const [index, at] of this.#instances.entries()) {
      const id = Math.imul(copy * this.#instances.length + index + 1, 0x9e3779b1) >>> 0
      const digits = id.toString(16).padStart(8, '0')
      for (let digit = 0; digit < 8; digit++) this.#bytes[at + digit] = digits.charCodeAt(digit)
    }
    return this.#bytes
  }

  #visit(path: readonly number[], start: number, end: number): void {
    const scan = new FieldReader(this.#bytes, start, end)
    while (scan.next()) {
      if (path.length > 0 && scan.is(path[0])) this.#visit(path.slice(1), scan.start, scan.end)
      if (path.length > 0) continue
      if (scan.field === 3) this.#times.push(scan.start)
      if (scan.field === 4) this.#values.push(scan.start)
    }
  }
}
