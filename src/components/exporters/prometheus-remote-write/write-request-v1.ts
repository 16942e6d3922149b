/** prometheus.WriteRequest: every series carries its labels, which lie encoded in its row. */
import { varintLength } from '../../../wire/varint.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { encodeHistogram } from './native-histogram.ts'
import { RequestBuffer, sampleLength } from './request-buffer.ts'
import type { Family } from './row.ts'
import type { RowExemplar, SampleList } from './sample-list.ts'
import { type BuildRequest, chainRows, nextSerial, type WriteCounts } from './write-request.ts'

export function requestBuilderV1(): BuildRequest {
  const buffer = new RequestBuffer()
  return (list, indices, { metadataBeforeMs }) => {
    buffer.clear()
    const counts = { samples: 0, histograms: 0, exemplars: 0 }
    const { heads, next } = chainRows(list, indices, nextSerial())
    const chain: number[] = []
    for (const head of heads) {
      chain.length = 0
      for (let place = head; place !== -1; place = next[place]) chain.push(indices[place])
      writeSeries(buffer, list, chain, counts)
    }
    const described =
      metadataBeforeMs === undefined
        ? []
        : writeMetadata(
            buffer,
            list,
            heads.map((head) => indices[head]),
            metadataBeforeMs,
          )
    return { body: buffer.bytes, counts, described }
  }
}

function writeSeries(
  buffer: RequestBuffer,
  list: SampleList,
  chain: readonly number[],
  counts: WriteCounts,
): void {
  const { bytes, start, end } = list.rows[chain[0]].labels
  // All but few series have one plain sample.
  if (chain.length === 1 && list.details[chain[0]] === undefined) {
    const byteLength = sampleLength(list.timesMs[chain[0]], 0)
    buffer.header(0x0a, end - start + 2 + byteLength)
    buffer.copy(bytes, start, end)
    buffer.header(0x12, byteLength)
    buffer.sample(list, chain[0], 0)
    counts.samples++
    return
  }
  const details = chain.map((index) => encodeDetail(list, index, counts))
  let bodyLength = end - start
  for (const [at, index] of chain.entries()) {
    const { exemplars, histogram } = details[at]
    bodyLength += exemplars.length + histogram.length
    if (histogram.length === 0) bodyLength += 2 + sampleLength(list.timesMs[index], 0)
  }
  buffer.header(0x0a, bodyLength)
  buffer.copy(bytes, start, end)
  for (const [at, index] of chain.entries()) {
    const { exemplars, histogram } = details[at]
    if (histogram.length === 0) {
      buffer.header(0x12, sampleLength(list.timesMs[index], 0))
      buffer.sample(list, index, 0)
      counts.samples++
    }
    buffer.copy(histogram, 0, histogram.length)
    buffer.copy(exemplars, 0, exemplars.length)
  }
}

const noBytes = new Uint8Array(0)
const nothing = { exemplars: noBytes, histogram: noBytes }
const writer = new WireWriter(512)

/** Exemplars and the native histogram of a sample as whole fields. */
function encodeDetail(list: SampleList, index: number, counts: WriteCounts) {
  const detail = list.details[index]
  if (detail === undefined) return nothing
  for (const exemplar of detail.exemplars) writer.message(3, () => writeExemplar(exemplar))
  counts.exemplars += detail.exemplars.length
  const exemplars = writer.finish()
  if (detail.histogram === undefined) return { exemplars, histogram: noBytes }
  const body = encodeHistogram(detail.histogram, list.timesMs[index], 0)
  const histogram = new Uint8Array(1 + varintLength(body.length) + body.length)
  writer.bytes(4, body)
  histogram.set(writer.finish())
  counts.histograms++
  return { exemplars, histogram }
}

function writeExemplar({ labels, value, timeMs }: RowExemplar): void {
  for (const label of labels) {
    writer.message(1, () => {
      writer.string(1, label.name)
      writer.string(2, label.value)
    })
  }
  writer.double(2, value)
  writer.uint(3, timeMs)
}

/** Metadata of each family that was not described since then. */
function writeMetadata(
  buffer: RequestBuffer,
  list: SampleList,
  indices: readonly number[],
  beforeMs: number,
): Family[] {
  const families = new Set<Family>()
  for (const index of indices) {
    const { family } = list.rows[index]
    if (family.metadataMs <= beforeMs) families.add(family)
  }
  for (const { name, type, help, unit } of families) {
    writer.message(3, () => {
      writer.uint(1, type)
      writer.string(2, name)
      if (help !== '') writer.string(4, help)
      if (unit !== '') writer.string(5, unit)
    })
  }
  const encoded = writer.finish()
  buffer.copy(encoded, 0, encoded.length)
  return [...families]
}
