/**
 * Keeps encoded labels: fields of a 1.0 TimeSeries, one after the other. They lie in shared slabs, since a typed array
 * of its own costs more than most label sets; a slab goes when its last row has gone.
 */
import type { Label } from '../../../kit/prometheus/labels.ts'
import { FieldReader } from '../../../wire/field-reader.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'

export interface LabelSlice {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

// Small, so that one long-lived row keeps little of what its neighbours left.
const slabBytes = 16 * 1024

export class LabelSlab {
  readonly #writer = new WireWriter(1024)
  #slab = new Uint8Array(0)
  #used = 0

  /** The labels must be sorted by name. */
  add(labels: readonly Label[]): LabelSlice {
    const writer = this.#writer
    for (const { name, value } of labels) {
      writer.message(1, () => {
        writer.string(1, name)
        writer.string(2, value)
      })
    }
    const encoded = writer.finish()
    if (encoded.length > slabBytes / 4) return { bytes: encoded, start: 0, end: encoded.length }
    if (this.#used + encoded.length > this.#slab.length) {
      this.#slab = new Uint8Array(slabBytes)
      this.#used = 0
    }
    const start = this.#used
    this.#slab.set(encoded, start)
    this.#used = start + encoded.length
    return { bytes: this.#slab, start, end: this.#used }
  }
}

export function readLabels({ bytes, start, end }: LabelSlice): Label[] {
  const labels: Label[] = []
  const list = new FieldReader(bytes, start, end)
  while (list.next()) {
    const label = new FieldReader(bytes, list.start, list.end)
    label.next()
    const name = label.string()
    label.next()
    labels.push({ name, value: label.string() })
  }
  return labels
}

/** For people: `name{label="value"}`. */
export function describeLabels(slice: LabelSlice): string {
  const labels = readLabels(slice)
  const name = labels.find((label) => label.name === '__name__')?.value ?? ''
  const rest = labels.filter((label) => label.name !== '__name__')
  return `${name}{${rest.map((label) => `${label.name}=${JSON.stringify(label.value)}`).join(',')}}`
}
