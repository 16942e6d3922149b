/**
 * The metrics request of one pod, encoded once and patched for every other pod, time and value: load as cheap to make
 * as a copy. Every pod has the same series; what tells pods apart is their number, seven digits wherever it stands.
 */
import { WireWriter } from '../../src/wire/wire-writer.ts'

export interface PodShape {
  readonly counters: number
  readonly gauges: number
  readonly histograms: number
  /** Series of each metric. */
  readonly routes: number
}

const timeMark = Buffer.from('f1e2d3c4b5a69788', 'hex')
const podMark = '@@@@@@@'
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const startNanos = 1_700_000_000_000_000_000n

export class PodRequest {
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #podAt: readonly number[]
  readonly #timeAt: readonly number[]

  constructor(shape: PodShape) {
    this.#bytes = Buffer.from(encode(shape))
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length)
    this.#podAt = positions(this.#bytes, podMark)
    this.#timeAt = positions(this.#bytes, timeMark)
  }

  get pointCount(): number {
    return this.#timeAt.length
  }

  /** For pod `pod`: counters and gauges have `value` and their position; histograms `value` observations. */
  make(pod: number, timeNanos: bigint, value: number): Buffer {
    const id = podText(pod)
    for (const at of this.#podAt) this.#bytes.write(id, at, 'latin1')
    const low = Number(timeNanos & 0xffffffffn)
    const high = Number(timeNanos >> 32n)
    for (let index = 0; index < this.#timeAt.length; index++) {
      const at = this.#timeAt[index]
      this.#view.setUint32(at, low, true)
      this.#view.setUint32(at + 4, high, true)
      // Field 4 follows: as_double of number points, count (fixed64) of histograms.
      if (this.#bytes[at + 17] === histogramMark) {
        this.#view.setUint32(at + 9, value, true)
        this.#view.setUint32(at + 13, 0, true)
      } else this.#view.setFloat64(at + 9, value + index, true)
    }
    return Buffer.from(this.#bytes)
  }
}

/** As it stands in `service.instance.id`, behind `pod-`. */
export function podText(pod: number): string {
  return String(pod).padStart(7, '0')
}

/** Tag of a histogram's sum, which stands behind its count. */
const histogramMark = 0x29

function encode(shape: PodShape): Uint8Array {
  const writer = new WireWriter(1 << 20)
  writer.message(1, () => {
    writer.message(1, () => {
      attribute(writer, 1, 'service.name', 'checkout')
      attribute(writer, 1, 'service.namespace', 'shop')
      attribute(writer, 1, 'service.instance.id', `pod-${podMark}`)
      attribute(writer, 1, 'k8s.pod.name', `checkout-${podMark}`)
      attribute(writer, 1, 'k8s.namespace.name', 'shop')
      attribute(writer, 1, 'k8s.node.name', 'node-12')
    })
    writer.message(2, () => {
      writer.message(1, () => {
        writer.string(1, 'io.opentelemetry.http-server')
        writer.string(2, '2.9.0')
      })
      metrics(writer, shape)
    })
  })
  return writer.finish()
}

function metrics(writer: WireWriter, { counters, gauges, histograms, routes }: PodShape): void {
  const head = (name: string, unit: string) => {
    writer.string(1, name)
    writer.string(2, `What ${name} says of one route.`)
    writer.string(3, unit)
  }
  const points = (field: number, attributeField: number, rest: (route: number) => void) => {
    for (let route = 0; route < routes; route++) {
      writer.message(field, () => {
        pointAttributes(writer, attributeField, route)
        writer.fixed64(2, startNanos)
        writer.fixed64(3, timeMark.readBigUInt64LE())
        rest(route)
      })
    }
  }
  for (let index = 0; index < counters; index++) {
    writer.message(2, () => {
      head(`http.server.requests.${index}`, '{request}')
      writer.message(7, () => {
        points(1, 7, () => writer.double(4, 0))
        writer.uint(2, 2)
        writer.bool(3, true)
      })
    })
  }
  for (let index = 0; index < gauges; index++) {
    writer.message(2, () => {
      head(`http.server.active.${index}`, '{request}')
      writer.message(5, () => points(1, 7, () => writer.double(4, 0)))
    })
  }
  for (let index = 0; index < histograms; index++) {
    writer.message(2, () => {
      head(`http.server.duration.${index}`, 's')
      writer.message(9, () => {
        points(1, 9, (route) => histogramValue(writer, route))
        writer.uint(2, 2)
      })
    })
  }
}

function histogramValue(writer: WireWriter, route: number): void {
  writer.fixed64(4, 0n)
  writer.double(5, route * 1.37)
  writer.packedFixed64(
    6,
    Array.from({ length: bounds.length + 1 }, (_, bucket) => BigInt(bucket * route)),
  )
  writer.packedDoubles(7, bounds)
}

function pointAttributes(writer: WireWriter, field: number, route: number): void {
  attribute(writer, field, 'http.request.method', 'GET')
  attribute(writer, field, 'http.route', `/api/v1/orders/${String(route).padStart(5, '0')}`)
  attribute(writer, field, 'http.response.status_code', 200n)
  attribute(writer, field, 'network.protocol.version', '1.1')
  attribute(writer, field, 'server.address', 'shop.example.com')
}

function attribute(writer: WireWriter, field: number, key: string, value: string | bigint): void {
  writer.message(field, () => {
    writer.string(1, key)
    writer.message(2, () => {
      if (typeof value === 'string') writer.string(1, value)
      else writer.int64(3, value)
    })
  })
}

function positions(bytes: Buffer, mark: string | Buffer): number[] {
  const found: number[] = []
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) found.push(at)
  return found
}
