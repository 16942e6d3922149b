/** prometheus.WriteRequest: every series carries its labels, which lie encoded in its row. */
import { varintLength } from '../../../wire/varint.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import type { LabelPool } from './label-pool.ts'
import { encodeHistogram } from './native-histogram.ts'
import { sampleLength } from './request-buffer.ts'
import type { Family } from './row.ts'
import type { RowExemplar, SampleList } from './sample-list.ts'
import { sampleHeaderBytes, type SeriesWriter } from './series-writer.ts'
import { type BuildRequest, SeriesChains, type WriteCounts } from './write-request.ts'

export function requestBuilderV1(pool: LabelPool, writer: SeriesWriter): BuildRequest {
  const chains = new SeriesChains()
  return (list, indices, { metadataBeforeMs }) => {
    writer.begin()
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    chains.link(list, indices, pool.sets)
    const { next, isContinued } = chains
    for (let place = 0; place < indices.length; place++) {
      if (isContinued[place] === 1) continue
      const index = indices[place]
      // All but few series have one plain sample.
      if (next[place] === -1 && list.detail(index) === undefined) {
        writer.plainSeries(list.sets[index], list, index)
        counts.samples++
      } else writeSeries(writer, list, chains.at(place, indices), counts)
    }
    const described =
      metadataBeforeMs === undefined ? [] : writeMetadata(writer, list, indices, metadataBeforeMs)
    return { body: writer.finish(), isCompressed: writer.isCompressed, counts, described }
  }
}

function writeSeries(
  writer: SeriesWriter,
  list: SampleList,
  chain: readonly number[],
  counts: WriteCounts,
): void {
  const details = chain.map((index) => encodeDetail(list, index, counts))
  let restLength = 0
  for (const [at, index] of chain.entries()) {
    const { exemplars, histogram } = details[at]
    restLength += exemplars.length + histogram.length
    if (histogram.length === 0)
      restLength += sampleHeaderBytes + sampleLength(list.timesMs[index], 0)
  }
  writer.openSeries(list.sets[chain[0]], restLength)
  for (const [at, index] of chain.entries()) {
    const { exemplars, histogram } = details[at]
    if (histogram.length === 0) {
      writer.sample(list, index)
      counts.samples++
    }
    writer.bytes(histogram)
    writer.bytes(exemplars)
  }
}

const noBytes = new Uint8Array(0)
const nothing = { exemplars: noBytes, histogram: noBytes }
const encoder = new WireWriter(512)

/** Exemplars and the native histogram of a sample as whole fields. */
function encodeDetail(list: SampleList, index: number, counts: WriteCounts) {
  const detail = list.detail(index)
  if (detail === undefined) return nothing
  for (const exemplar of detail.exemplars) encoder.message(3, () => writeExemplar(exemplar))
  counts.exemplars += detail.exemplars.length
  const exemplars = encoder.finish()
  if (detail.histogram === undefined) return { exemplars, histogram: noBytes }
  const body = encodeHistogram(detail.histogram, list.timesMs[index], 0)
  const histogram = new Uint8Array(1 + varintLength(body.length) + body.length)
  encoder.bytes(4, body)
  histogram.set(encoder.finish())
  counts.histograms++
  return { exemplars, histogram }
}

function writeExemplar({ labels, value, timeMs }: RowExemplar): void {
  for (const label of labels) {
    encoder.message(1, () => {
      encoder.string(1, label.name)
      encoder.string(2, label.value)
    })
  }
  encoder.double(2, value)
  encoder.uint(3, timeMs)
}

/** Metadata of each family that was not described since then. */
function writeMetadata(
  writer: SeriesWriter,
  list: SampleList,
  indices: Uint32Array,
  beforeMs: number,
): Family[] {
  const families = new Set<Family>()
  for (const index of indices) {
    const { family } = list.row(index)
    if (family.metadataMs <= beforeMs) families.add(family)
  }
  for (const { name, type, help, unit } of families) {
    encoder.message(3, () => {
      encoder.uint(1, type)
      encoder.string(2, name)
      if (help !== '') encoder.string(4, help)
      if (unit !== '') encoder.string(5, unit)
    })
  }
  writer.bytes(encoder.finish())
  return [...families]
}
