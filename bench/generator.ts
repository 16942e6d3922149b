/**
 * Replays one payload's bytes over a few connections, by HTTP or gRPC, at a fixed rate or as fast as answers come.
 * Arguments: one JSON object (LoadPlan). Prints one JSON object (LoadResult) when it is done.
 */
import { readFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { AdvancingPayload } from './advancing-payload.ts'

export interface LoadPlan {
  readonly protocol: 'http' | 'grpc'
  readonly port: number
  readonly payload: string
  readonly signal: 'traces' | 'metrics'
  readonly gzip: boolean
  readonly connections: number
  /** Requests a second over all connections; 0 means as fast as answers come. */
  readonly rate: number
  readonly seconds: number
  /** Send the payload's series so many times over, each as if by other pods, with the time of sending. */
  readonly copies?: number
}

export interface LoadResult {
  readonly sent: number
  readonly answered: number
  readonly refused: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const plan = JSON.parse(process.argv[2]) as LoadPlan
const raw = readFileSync(plan.payload)
const payload = plan.gzip ? gzipSync(raw, { level: 1 }) : raw
const latenciesMs: number[] = []
let [sent, answered, refused] = [0, 0, 0]

/** Sends one request; calls back with whether it was taken. */
type Lane = (done: (ok: boolean) => void) => void

const lanes = await Promise.all(
  Array.from({ length: plan.connections }, (_, index) =>
    plan.protocol === 'http' ? httpLane(bodiesOf(index)) : grpcLane(),
  ),
)
const idle = [...lanes]
const startedMs = performance.now()
const endMs = startedMs + plan.seconds * 1000
/** What is not answered by then is given up; many new series may keep a gateway busy for a while. */
const graceMs = plan.copies === undefined ? 5000 : 30_000
let inFlight = 0

if (plan.rate === 0) {
  for (const lane of idle.splice(0)) fire(lane, performance.now())
} else {
  await openLoop()
}
const hasEnded = () => inFlight === 0 || performance.now() > endMs + graceMs
while (!hasEnded()) await pause(5)
report()

function fire(lane: Lane, dueMs: number): void {
  sent++
  inFlight++
  lane((ok) => {
    inFlight--
    latenciesMs.push(performance.now() - dueMs)
    if (ok) answered++
    else refused++
    if (plan.rate === 0 && performance.now() < endMs) fire(lane, performance.now())
    else idle.push(lane)
  })
}

/** Sends by schedule whether or not answers have come: a slow gateway shows as latency, not as a lower rate. */
async function openLoop(): Promise<void> {
  const backlog: number[] = []
  const total = Math.round(plan.rate * plan.seconds)
  for (let next = 0; next < total || backlog.length > 0;) {
    const nowMs = performance.now()
    while (next < total && startedMs + (next * 1000) / plan.rate <= nowMs) {
      backlog.push(startedMs + (next * 1000) / plan.rate)
      next++
    }
    while (backlog.length > 0 && idle.length > 0) fire(idle.pop()!, backlog.shift()!)
    if (nowMs > endMs + graceMs) break
    await pause(1)
  }
}

function report(): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  const result: LoadResult = {
    sent,
    answered,
    refused,
    seconds: (performance.now() - startedMs) / 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
  process.exit(0)
}

/** What a connection sends, one body after the other. A series always comes over the same connection, in order. */
function bodiesOf(lane: number): () => Uint8Array {
  const { copies, connections } = plan
  if (copies === undefined) return () => payload
  const body = new AdvancingPayload(raw)
  let copy = lane
  let timeMs = 0
  return () => {
    // A series has one point a millisecond at most.
    timeMs = Math.max(Date.now(), timeMs + 1)
    const bytes = body.at(copy, timeMs)
    copy += connections
    if (copy >= copies) copy = lane
    return bytes
  }
}

function httpLane(nextBody: () => Uint8Array): Promise<Lane> {
  const head = Buffer.from(
    `POST /v1/${plan.signal} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n` +
      `${plan.gzip ? 'Content-Encoding: gzip\r\n' : ''}Content-Length: ${payload.length}\r\n\r\n`,
  )
  const socket = connect(plan.port, '127.0.0.1')
  socket.setNoDelay(true)
  let waiting: ((ok: boolean) => void) | undefined
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1')
    const end = answer.indexOf('\r\n\r\n')
    if (end < 0) return
    const bodyLength = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0)
    if (answer.length < end + 4 + bodyLength) return
    const ok = answer.startsWith('HTTP/1.1 200')
    answer = ''
    const done = waiting
    waiting = undefined
    done?.(ok)
  })
  socket.on('close', () => waiting?.(false))
  socket.on('error', () => {})
  const lane: Lane = (done) => {
    waiting = done
    socket.cork()
    socket.write(head)
    socket.write(nextBody())
    socket.uncork()
  }
  return new Promise((ready) => socket.once('connect', () => ready(lane)))
}

function grpcLane(): Promise<Lane> {
  const service = plan.signal === 'traces' ? 'trace.v1.TraceService' : 'metrics.v1.MetricsService'
  const frame = Buffer.alloc(5 + payload.length)
  frame[0] = plan.gzip ? 1 : 0
  frame.writeUInt32BE(payload.length, 1)
  payload.copy(frame, 5)
  const session = connectHttp2(`http://127.0.0.1:${plan.port}`)
  const headers = {
    ':method': 'POST',
    ':path': `/opentelemetry.proto.collector.${service}/Export`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...(plan.gzip ? { 'grpc-encoding': 'gzip' } : {}),
  }
  const lane: Lane = (done) => {
    const stream = session.request(headers)
    let status: string | undefined
    const note = (fields: Readonly<Record<string, unknown>>) => {
      status = (fields['grpc-status'] as string | undefined) ?? status
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('error', () => {})
    stream.on('close', () => done(status === '0'))
    stream.resume()
    stream.end(frame)
  }
  return new Promise((ready) => session.once('connect', () => ready(lane)))
}

function pause(delayMs: number): Promise<void> {
  return new Promise((done) => setTimeout(done, delayMs))
}
