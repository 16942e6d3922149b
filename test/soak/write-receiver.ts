/**
 * A remote write 1.0 receiver that checks every sample of the soak in flat memory. A pod's n-th request carries n plus
 * the position of each series in the request, so a sample says which one it is. Arguments: most pods there will be.
 * Prints its port, then one JSON object (ReceiverReport) for every line it reads.
 */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { uncompressSnappy } from '../../src/kit/compression/snappy.ts'
import { FieldReader } from '../../src/wire/field-reader.ts'
import { seriesIndex, seriesOfPod } from './soak-series.ts'

export interface ReceiverReport {
  readonly samples: number
  readonly requests: number
  /** Samples that came again, that came before one that is still missing, and whose labels say nothing known. */
  readonly repeated: number
  readonly skipped: number
  readonly strange: number
  readonly rssBytes: number
  /** Of each pod: the oldest and the newest last sample of its series. */
  readonly pods: readonly (readonly [oldest: number, newest: number])[]
  readonly complaints: readonly string[]
}

const podsMax = Number(process.argv[2])
/** Last sample of every series. */
const last = new Uint16Array(podsMax * seriesOfPod)
const lastMs = new Float64Array(podsMax * seriesOfPod)
const complaints: string[] = []
let [samples, requests, repeated, skipped, strange] = [0, 0, 0, 0, 0]

const series = new FieldReader(new Uint8Array(0))
const field = new FieldReader(new Uint8Array(0))
const sample = new FieldReader(new Uint8Array(0))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    requests++
    readRequest(uncompressSnappy(Buffer.concat(chunks), 64 << 20))
    response.writeHead(204).end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as { port: number }).port}\n`)
})

const lines = createInterface({ input: process.stdin })
lines.on('line', () => process.stdout.write(`${JSON.stringify(report())}\n`))
lines.on('close', () => process.exit(0))

function readRequest(bytes: Uint8Array): void {
  series.reset(bytes, 0, bytes.length)
  while (series.next()) if (series.field === 1) readSeries(bytes, series.start, series.end)
}

function readSeries(bytes: Uint8Array, start: number, end: number): void {
  const index = seriesIndex(bytes, start, end)
  if (index < 0 || index >= last.length) {
    strange++
    complain(`unknown labels: ${Buffer.from(bytes.subarray(start, end)).toString('latin1')}`)
    return
  }
  field.reset(bytes, start, end)
  while (field.next()) {
    if (field.field !== 2) continue
    let value = 0
    let timeMs = 0
    sample.reset(bytes, field.start, field.end)
    while (sample.next()) {
      if (sample.field === 1) value = sample.double()
      else if (sample.field === 2) timeMs = sample.int64Nearest()
    }
    readSample(index, value - (index % seriesOfPod), timeMs)
  }
}

function readSample(index: number, step: number, timeMs: number): void {
  samples++
  const before = last[index]
  if (step <= before) {
    repeated++
    complain(`series ${index}: ${step} after ${before}`)
    return
  }
  if (step !== before + 1 || timeMs <= lastMs[index]) {
    skipped++
    complain(`series ${index}: ${step} at ${timeMs} after ${before} at ${lastMs[index]}`)
  }
  last[index] = step
  lastMs[index] = timeMs
}

function complain(text: string): void {
  if (complaints.length < 10) complaints.push(text)
}

function report(): ReceiverReport {
  const pods = Array.from({ length: podsMax }, (_, pod): [number, number] => {
    const steps = last.subarray(pod * seriesOfPod, (pod + 1) * seriesOfPod)
    return [Math.min(...steps), Math.max(...steps)]
  })
  const rssBytes = process.memoryUsage.rss()
  return { samples, requests, repeated, skipped, strange, rssBytes, pods, complaints }
}
