/**
 * A remote write 1.0 receiver that checks every sample of the soak in flat memory. A pod's n-th request carries n plus
 * the position of each series in the request, so a sample says which one it is. It reads with the gateway's own code,
 * which is fast, and one request in so many is read by snappyjs and protobufjs too. Arguments: most pods there will be.
 * Prints its port, then one JSON object (ReceiverReport) for every line it reads.
 */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { uncompressSnappy } from '../../src/kit/compression/snappy.ts'
import { FieldReader } from '../../src/wire/field-reader.ts'
import { seriesIndex, seriesOfPod } from './soak-series.ts'
import { judgeReading } from './write-judge.ts'

export interface ReceiverReport {
  readonly samples: number
  readonly requests: number
  /** Samples that came again, that came before one that is still missing, and whose labels say nothing known. */
  readonly repeated: number
  readonly skipped: number
  readonly strange: number
  /** Requests that snappyjs and protobufjs have read too, how long that took, and those they read otherwise. */
  readonly judged: number
  readonly judgingMs: number
  readonly misread: number
  readonly rssBytes: number
  /** Of each pod: the oldest and the newest last sample of its series. */
  readonly pods: readonly (readonly [oldest: number, newest: number])[]
  readonly complaints: readonly string[]
}

/** Few enough to cost next to nothing; prime, so that each shard has its turn. */
const requestsAJudgement = 503

const podsMax = Number(process.argv[2])
/** Last sample of every series. */
const last = new Uint16Array(podsMax * seriesOfPod)
const lastMs = new Float64Array(podsMax * seriesOfPod)
const complaints: string[] = []
let [samples, requests, repeated, skipped, strange] = [0, 0, 0, 0, 0]
let [judged, judgingMs, misread] = [0, 0, 0]
/** What is read of a request that will be judged. */
let reading: number[] | undefined

const series = new FieldReader(new Uint8Array(0))
const field = new FieldReader(new Uint8Array(0))
const sample = new FieldReader(new Uint8Array(0))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const bytes = uncompressSnappy(body, 64 << 20)
    reading = ++requests % requestsAJudgement === 1 ? [] : undefined
    readRequest(bytes)
    if (reading !== undefined) judge(body, bytes, reading)
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

function judge(body: Buffer, bytes: Uint8Array, read: readonly number[]): void {
  const startedMs = performance.now()
  judged++
  try {
    judgeReading(body, { bytes, samples: read })
  } catch (error) {
    misread++
    complain(`request ${requests}: ${(error as Error).message}`)
  }
  judgingMs += performance.now() - startedMs
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
    reading?.push(index, value, timeMs)
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
  const judgement = { judged, judgingMs, misread }
  return { samples, requests, repeated, skipped, strange, ...judgement, rssBytes, pods, complaints }
}
