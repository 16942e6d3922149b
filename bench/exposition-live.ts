/**
 * The page of a real gateway: series pushed by OTLP/HTTP, then scraped over HTTP by this process, while a third process
 * probes how the gateway responds and the gateway itself measures how late its event loop is. Another gateway, where PEER
 * names one, gets the same series by the same configuration, but for what it does not know.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePorts } from '../test/kit/gateway-process.ts'
import { PodRequest } from '../test/kit/pod-request.ts'
import type { LoopReport } from './loop-watch.ts'
import type { ProbeReport } from './latency-probe.ts'
import {
  cpuSeconds,
  listening,
  nextLine,
  peerCommand,
  rssMb,
  rssPeakMb,
  start,
  stop,
} from './processes.ts'

const here = import.meta.dirname
const [http, health, page] = await freePorts(3)
const ports = { http, health, page }
const gatewayCore = 0
const loadCore = 1
const shape = { counters: 11, gauges: 8, histograms: 1, routes: 50 }

interface LiveOptions {
  readonly seriesCount: number
  readonly rounds: number
  readonly nodeFlags: readonly string[]
}

interface Reading {
  readonly name: string
  readonly cpuMicroseconds: number
  readonly wallMs: number
  readonly byteLength: number
  readonly lineCount: number
  /** A peer has no event loop to ask. */
  readonly loop: LoopReport | undefined
  readonly probe: ProbeReport
}

const formats = {
  text: 'text/plain',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
  protobuf:
    'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
} as const

const agent = new Agent({ keepAlive: true })

export async function measureLive(options: LiveOptions): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), 'penstock-bench-')), 'gateway.yaml')
  writeFileSync(file, gatewayYaml(ownKeys(options)))
  const own = start(gatewayCore, command(file, options), { hasChannel: true })
  await measureStarted(options, { gateway: own, isPeer: false })
  const peer = peerCommand(file, ports)
  if (peer === undefined) return
  writeFileSync(file, gatewayYaml(noKeys))
  await measureStarted(options, { gateway: start(gatewayCore, peer), isPeer: true })
}

async function measureStarted(
  options: LiveOptions,
  { gateway, isPeer }: { gateway: ChildProcess; isPeer: boolean },
): Promise<void> {
  const pid = gateway.pid ?? 0
  await listening(ports.http)
  await listening(ports.page)
  const probe = start(loadCore, [
    process.execPath,
    join(here, 'latency-probe.ts'),
    String(ports.http),
    isPeer ? '' : String(ports.health),
  ])
  const watch = { gateway, probe, pid, isPeer }
  try {
    await report(watch)
    const pod = new PodRequest(shape)
    const podCount = Math.ceil(options.seriesCount / pod.pointCount)
    const seriesCount = podCount * pod.pointCount
    if (!isPeer) await askLoop(gateway, 'collect')
    const emptyMb = rssMb(pid)
    for (let round = 0; round <= Math.min(2, options.rounds); round++) {
      const name = round === 0 ? 'first points' : 'known series'
      show(await reading(watch, name, () => push(pod, podCount, round)), seriesCount)
    }
    const memory = isPeer ? undefined : (await askLoop(gateway, 'collect')).memory
    const perSeries = ((rssMb(pid) - emptyMb) * 1024 * 1024) / seriesCount
    const parts =
      memory === undefined
        ? ''
        : `; heap ${(memory.heapUsed / seriesCount).toFixed(0)}, ` +
          `buffers ${(memory.arrayBuffers / seriesCount).toFixed(0)}`
    process.stdout.write(
      `${isPeer ? 'peer: ' : ''}${seriesCount} series: ${perSeries.toFixed(0)} bytes of RSS each${parts}\n`,
    )
    await scrapes(watch, options, seriesCount)
    process.stdout.write(`RSS ${rssMb(pid).toFixed(0)} MB, peak ${rssPeakMb(pid).toFixed(0)} MB\n`)
  } finally {
    agent.destroy()
    await stop(probe)
    await stop(gateway)
  }
}

interface Watched {
  readonly gateway: ChildProcess
  readonly probe: ChildProcess
  readonly pid: number
  readonly isPeer: boolean
}

async function scrapes(
  watch: Watched,
  { rounds }: LiveOptions,
  seriesCount: number,
): Promise<void> {
  for (const [kind, accept] of Object.entries(formats)) {
    for (const encoding of ['identity', 'gzip']) {
      const readings: Reading[] = []
      for (let round = 0; round < rounds; round++) {
        readings.push(await reading(watch, `${kind} ${encoding}`, () => scrape(accept, encoding)))
      }
      const sorted = readings.toSorted((a, b) => a.cpuMicroseconds - b.cpuMicroseconds)
      show(sorted[Math.floor(rounds / 2)], seriesCount)
      if (watch.isPeer) continue
      const worst = Math.max(...readings.map(({ loop }) => loop!.delayMsMax))
      process.stdout.write(`  longest delay of ${rounds}: ${worst.toFixed(0)} ms\n`)
    }
  }
}

interface Transferred {
  readonly byteLength: number
  readonly lineCount: number
}

async function reading(
  watch: Watched,
  name: string,
  work: () => Promise<Transferred>,
): Promise<Reading> {
  await report(watch)
  const cpuBefore = cpuSeconds(watch.pid)
  const startedMs = performance.now()
  const transferred = await work()
  const wallMs = performance.now() - startedMs
  const cpuMicroseconds = (cpuSeconds(watch.pid) - cpuBefore) * 1e6
  return { name, cpuMicroseconds, wallMs, ...transferred, ...(await report(watch)) }
}

function show(one: Reading, seriesCount: number): void {
  const perSeries = (one.cpuMicroseconds / seriesCount).toFixed(2)
  const perLine =
    one.lineCount > 0 ? `, ${(one.cpuMicroseconds / one.lineCount).toFixed(2)} us a line` : ''
  const { loop, probe } = one
  process.stdout.write(
    `${one.name.padEnd(22)} ${perSeries} us CPU a series${perLine}; ${one.wallMs.toFixed(0)} ms, ` +
      `${(one.byteLength / 1e6).toFixed(0)} MB; ${loop === undefined ? '' : lateness(loop)}` +
      `push ${probe.pushMsMax.toFixed(0)} ms, health ${probe.healthMsMax.toFixed(0)} ms` +
      `${probe.failures > 0 ? `, ${probe.failures} FAILURES` : ''}\n`,
  )
}

function lateness({ delayMsMax, delayMsP99, gcMsMax, gcMs }: LoopReport): string {
  return (
    `loop late ${delayMsMax.toFixed(0)} ms (p99 ${delayMsP99.toFixed(0)}), ` +
    `gc ${gcMsMax.toFixed(0)} of ${gcMs.toFixed(0)} ms; `
  )
}

async function report({
  gateway,
  probe,
  isPeer,
}: Watched): Promise<Pick<Reading, 'loop' | 'probe'>> {
  const line = nextLine(probe)
  probe.stdin?.write('report\n')
  return {
    loop: isPeer ? undefined : await askLoop(gateway, 'report'),
    probe: JSON.parse(await line) as ProbeReport,
  }
}

function askLoop(gateway: ChildProcess, wish: 'collect' | 'report'): Promise<LoopReport> {
  return new Promise((done) => {
    gateway.once('message', (message) => done(message as unknown as LoopReport))
    gateway.send(wish)
  })
}

async function push(pod: PodRequest, podCount: number, round: number): Promise<Transferred> {
  let byteLength = 0
  const timeNanos = BigInt(Date.now()) * 1_000_000n
  for (let index = 0; index < podCount; index++) {
    const body = pod.make(index, timeNanos, index + round * 1.37)
    byteLength += body.length
    await exchange(ports.http, { method: 'POST', path: '/v1/metrics' }, body)
  }
  return { byteLength, lineCount: 0 }
}

async function scrape(accept: string, encoding: string): Promise<Transferred> {
  const headers = { accept, 'accept-encoding': encoding }
  let lineCount = 0
  const byteLength = await exchange(
    ports.page,
    { method: 'GET', path: '/metrics', headers },
    undefined,
    (chunk) => {
      if (encoding !== 'identity' || accept === formats.protobuf) return
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lineCount++
    },
  )
  return { byteLength, lineCount }
}

interface Call {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
}

function exchange(
  port: number,
  { method, path, headers }: Call,
  body: Buffer | undefined,
  look: (chunk: Buffer) => void = () => {},
): Promise<number> {
  return new Promise((done, failed) => {
    const all = body === undefined ? headers : { 'content-type': 'application/x-protobuf' }
    const call = request({ host: '127.0.0.1', port, path, method, agent, headers: all ?? {} })
    call.on('error', failed)
    call.on('response', (response) => {
      let byteLength = 0
      if (response.statusCode !== 200) failed(new Error(`${path}: ${response.statusCode}`))
      response.on('error', failed)
      response.on('data', (chunk: Buffer) => {
        byteLength += chunk.length
        look(chunk)
      })
      response.on('end', () => done(byteLength))
    })
    call.end(body)
  })
}

function command(file: string, { nodeFlags }: LiveOptions): string[] {
  const watch = ['--expose-gc', '--import', join(here, 'loop-watch.ts')]
  const bin = resolve(here, '../dist/bin/penstock.js')
  return [process.execPath, ...nodeFlags, ...watch, bin, 'run', '--config', file]
}

/** Lines of the configuration that not every gateway knows. */
interface OwnKeys {
  readonly extensions: string
  readonly service: string
  readonly exporter: string
}

const noKeys: OwnKeys = { extensions: '', service: '', exporter: '' }

function ownKeys({ seriesCount }: LiveOptions): OwnKeys {
  return {
    extensions: `extensions: { health_check: { endpoint: "127.0.0.1:${ports.health}" } }`,
    service: 'extensions: [health_check]',
    exporter: `max_series: ${seriesCount * 2}`,
  }
}

function gatewayYaml({ extensions, service, exporter }: OwnKeys): string {
  return `
${extensions}
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${ports.http}" }
exporters:
  prometheus:
    endpoint: "127.0.0.1:${ports.page}"
    enable_open_metrics: true
    metric_expiration: 1h
    ${exporter}
service:
  ${service}
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus] }
  telemetry: { logs: { level: warn }, metrics: { level: none } }
`
}
