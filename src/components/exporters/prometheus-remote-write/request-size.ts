/** What samples take in a request before compression, at most, so that no request grows beyond its limit. */
import { CustomHistogram } from '../../../kit/prometheus/custom-buckets.ts'
import { type Buckets, nativeCount } from '../../../kit/prometheus/exponential-reader.ts'
import type { Count } from '../../../kit/prometheus/count.ts'
import { fieldLength, varintLength } from '../../../wire/varint.ts'
import type { LabelPool } from './label-pool.ts'
import type { Family } from './row.ts'
import type { RowExemplar, SampleDetail, SampleList } from './sample-list.ts'

export interface RequestForm {
  readonly isV2: boolean
  /** As in BuildOptions. */
  readonly metadataBeforeMs: number | undefined
}

/** Of a TimeSeries beside its labels: tags and lengths, one sample, references and metadata of 2.0. */
const seriesBytes = 48
/** What references of 2.0 take beyond the tags and lengths that a label of 1.0 has. */
const labelRefBytes = 4
/** Tags, lengths, value and time; and of each label, in either version. */
const exemplarBytes = 32
const exemplarLabelBytes = 16
/** All fields of fixed length, with tags and lengths, and the first span of either side; and of each further one. */
const histogramBytes = 128
const spanFixedBytes = 5
/** Metadata's tags, lengths and type in 1.0. */
const metadataBytes = 16

/** To be used for one request: what its samples share is counted once. */
export class RequestSize {
  readonly #pool: LabelPool
  readonly #form: RequestForm
  readonly #describes: boolean
  readonly #families = new Set<Family>()
  /** Samples of one family mostly come together. */
  #family: Family | undefined
  byteLength = 2

  constructor(pool: LabelPool, form: RequestForm) {
    this.#pool = pool
    this.#form = form
    this.#describes = form.isV2 || form.metadataBeforeMs !== undefined
  }

  add(list: SampleList, index: number): void {
    const set = list.sets[index]
    let byteLength = this.#pool.encodedLength(set) + seriesBytes
    if (this.#form.isV2) byteLength += this.#pool.labelCount(set) * labelRefBytes
    const detail = list.detail(index)
    if (detail !== undefined) byteLength += detailLength(detail)
    if (this.#describes) byteLength += this.#metadataLength(list.row(index).family)
    this.byteLength += byteLength
  }

  #metadataLength(family: Family): number {
    if (family === this.#family || this.#families.has(family)) return 0
    this.#family = family
    this.#families.add(family)
    const { name, help, unit, metadataMs } = family
    const texts = fieldLength(4, Buffer.byteLength(help)) + fieldLength(5, Buffer.byteLength(unit))
    const { isV2, metadataBeforeMs } = this.#form
    if (isV2) return texts
    return metadataMs <= metadataBeforeMs!
      ? metadataBytes + fieldLength(2, Buffer.byteLength(name)) + texts
      : 0
  }
}

function detailLength({ exemplars, histogram }: SampleDetail): number {
  let byteLength = 0
  for (const exemplar of exemplars) byteLength += exemplarLength(exemplar)
  if (histogram === undefined) return byteLength
  byteLength += histogramBytes
  if (histogram === 'stale') return byteLength
  if (histogram instanceof CustomHistogram) {
    const { count, counts, bounds } = histogram
    return byteLength + counts.length * deltaLength(count) + bounds.values.length * 8
  }
  const deltaBytes = deltaLength(nativeCount(histogram))
  const { positive, negative } = histogram
  return byteLength + sideLength(positive, deltaBytes) + sideLength(negative, deltaBytes)
}

function exemplarLength({ labels }: RowExemplar): number {
  let byteLength = exemplarBytes
  for (const { name, value } of labels) {
    byteLength += exemplarLabelBytes + Buffer.byteLength(name) + Buffer.byteLength(value)
  }
  return byteLength
}

/** Of the difference between two buckets of a histogram that counts so much. */
function deltaLength(total: Count): number {
  const zigzagMax = Number(total) * 2
  return zigzagMax < Number.MAX_SAFE_INTEGER ? varintLength(zigzagMax) : 10
}

/** Of spans and deltas, which are as nativeBuckets makes them. */
function sideLength({ counts }: Buckets, deltaBytes: number): number {
  const spanBytes = spanFixedBytes + varintLength(counts.length)
  let byteLength = 0
  let behind = 0
  for (let index = 0; index < counts.length; index++) {
    if (counts[index] === 0) continue
    const gap = index - behind
    byteLength += gap > 2 ? spanBytes + varintLength(gap * 2) : gap * deltaBytes
    byteLength += deltaBytes
    behind = index + 1
  }
  return byteLength
}
