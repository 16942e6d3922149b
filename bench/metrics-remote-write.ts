/**
 * OTLP/HTTP in, remote write out: `node bench/metrics-remote-write.ts [--only TEXT] [--rounds N] [--seconds N] [--warm N]
 * [--rate POINTS-A-SECOND] [--no-baseline] [--profile]`. M500 at 100k points a second unless told otherwise, from so many
 * pods that there are as many series as the case says. The baseline of a case is the same load passed on as OTLP. Memory
 * is what the gateway keeps after a collection.
 * PEER='otelcol --config {config}' runs another gateway beside it, with the same configuration.
 */
import { type ChildProcess, execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { LoadPlan } from './generator.ts'
import { askSink, drained, load, startSink } from './load.ts'
import {
  cpuSeconds,
  listening,
  nextLine,
  peerCommand,
  rssPeakMb,
  start,
  stop,
} from './processes.ts'

const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-'))
const ports = { http: 24418, sink: 25418 }
const pointsPerRequest = 500
/** While all series are new. */
const newPointsPerSecond = 50_000

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    warm: { type: 'string', default: '15' },
    rate: { type: 'string', default: '100000' },
    'no-baseline': { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    'node-flags': {
      type: 'string',
      default: '--initial-old-space-size=96 --max-semi-space-size=2 --single-threaded-gc',
    },
  },
})

interface Case {
  readonly name: string
  readonly seriesCount: number
  readonly message: string | undefined
}

const v1 = 'prometheus.WriteRequest'
const v2 = 'io.prometheus.write.v2.Request'

const cases: readonly Case[] = [
  { name: 'otlp-100k-series', seriesCount: 100_000, message: undefined },
  { name: 'rw1-4k-series', seriesCount: 4_000, message: v1 },
  { name: 'rw1-100k-series', seriesCount: 100_000, message: v1 },
  { name: 'rw2-100k-series', seriesCount: 100_000, message: v2 },
  { name: 'rw1-1m-series', seriesCount: 1_000_000, message: v1 },
]

/** What bench/watch-loop.ts prints. */
interface LoopDelay {
  readonly longestMs: number
  readonly p99Ms: number
  readonly heapMb: number
  readonly externalMb: number
}

/** Of a peer. */
const unknownDelay: LoopDelay = { longestMs: NaN, p99Ms: NaN, heapMb: NaN, externalMb: NaN }

interface Measured {
  readonly microsecondsPerPoint: number
  readonly microsecondsPerNewPoint: number
  readonly bytesPerPoint: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssPeakMb: number
  readonly bytesPerSeries: number
  /** While the series were new, and then. */
  readonly longestNewMs: number
  readonly longestMs: number
}

// What is measured is what is shipped: the compiled form, not types stripped at start.
if (!options['no-build']) {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: join(here, '..'), stdio: 'inherit' })
}

const configFile = join(folder, 'gateway.yaml')
const peer = peerCommand(configFile, ports)
const header = ['us/point', 'us/new', 'bytes/pt', 'p50 ms', 'p99 ms', 'RSS MB', 'B/series']
print(['case', ...header, 'loop new', 'loop ms', 'ratio'])
let baseline = 0
for (const one of cases) {
  const isBaseline = one.message === undefined
  const isWanted = isBaseline ? !options['no-baseline'] : one.name.includes(options.only)
  if (!isWanted) continue
  writeFileSync(configFile, gatewayYaml(one))
  const median = await medianOfRounds(one, command())
  if (isBaseline) baseline = median.microsecondsPerPoint
  print([one.name, ...cells(median), (median.microsecondsPerPoint / baseline).toFixed(2)])
  if (peer === undefined) continue
  const other = await medianOfRounds(one, peer)
  print(['  peer', ...cells(other), (other.microsecondsPerPoint / baseline).toFixed(2)])
}

async function medianOfRounds(one: Case, gateway: readonly string[]): Promise<Measured> {
  const rounds: Measured[] = []
  for (let round = 0; round < Number(options.rounds); round++) {
    rounds.push(await measure(one, gateway))
  }
  rounds.sort((a, b) => a.microsecondsPerPoint - b.microsecondsPerPoint)
  return rounds[Math.floor(rounds.length / 2)]
}

async function measure(one: Case, gatewayCommand: readonly string[]): Promise<Measured> {
  const sink = await startSink(ports.sink)
  const gateway = start(0, gatewayCommand)
  try {
    await listening(ports.http)
    return await measureStarted(one, { gateway, sink, isPeer: gatewayCommand === peer })
  } finally {
    await stop(gateway)
    await stop(sink)
  }
}

interface Started {
  readonly gateway: ChildProcess
  readonly sink: ChildProcess
  /** It has no event loop to ask. */
  readonly isPeer: boolean
}

async function measureStarted(one: Case, { gateway, sink, isPeer }: Started): Promise<Measured> {
  const pid = gateway.pid ?? 0
  const copies = Math.ceil(one.seriesCount / pointsPerRequest)
  const plan: LoadPlan = {
    protocol: 'http',
    port: ports.http,
    payload: join(here, 'payloads/collector-m500.pb'),
    signal: 'metrics',
    gzip: false,
    connections: 8,
    rate: Number(options.rate) / pointsPerRequest,
    seconds: Number(options.seconds),
    copies,
  }
  const loopDelay = async () => {
    if (isPeer) return unknownDelay
    const line = nextLine(gateway)
    gateway.kill('SIGUSR2')
    return JSON.parse(await line) as LoopDelay
  }
  // First a few series, so that not all code is new; then every series once; then a while of all of them, so that
  // compilation is not what is measured.
  const firstCopies = plan.connections
  const first = await load({ ...plan, copies: firstCopies, seconds: 2 })
  await drained(sink, first.answered * pointsPerRequest)
  const empty = await loopDelay()
  const newSeries = (copies - firstCopies) * pointsPerRequest
  const cpuFirst = cpuSeconds(pid)
  const seconds = Math.max(2, one.seriesCount / newPointsPerSecond)
  const fresh = await load({ ...plan, rate: newPointsPerSecond / pointsPerRequest, seconds })
  await drained(sink, (first.answered + fresh.answered) * pointsPerRequest)
  const cpuNew = cpuSeconds(pid) - cpuFirst
  const full = await loopDelay()
  const warm = await load({ ...plan, seconds: Number(options.warm) })
  await drained(sink, (first.answered + fresh.answered + warm.answered) * pointsPerRequest)
  await loopDelay()
  const [before, cpuBefore] = [await askSink(sink), cpuSeconds(pid)]
  const result = await load(plan)
  const expected = result.answered * pointsPerRequest
  const after = await drained(sink, before.items + expected)
  const cpu = cpuSeconds(pid) - cpuBefore
  const peakMb = rssPeakMb(pid)
  const steady = await loopDelay()
  const arrived = after.items - before.items
  const unanswered = [first, fresh, warm, result].map(({ sent, answered }) => sent - answered)
  if (arrived !== expected || unanswered.some((count) => count > 0)) {
    throw new Error(
      `${one.name}: ${expected} points were acknowledged, ${arrived} arrived; ` +
        `requests refused or not answered in the four phases: ${unanswered.join(', ')}`,
    )
  }
  const grown = full.heapMb + full.externalMb - empty.heapMb - empty.externalMb
  return {
    microsecondsPerPoint: (cpu * 1e6) / arrived,
    microsecondsPerNewPoint: (cpuNew * 1e6) / (fresh.answered * pointsPerRequest),
    bytesPerPoint: (after.bytes - before.bytes) / arrived,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    rssPeakMb: peakMb,
    bytesPerSeries: (grown * 1e6) / newSeries,
    longestNewMs: full.longestMs,
    longestMs: steady.longestMs,
  }
}

function command(): string[] {
  const profiling = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(here, 'results')}`] : []
  const watch = ['--expose-gc', '--import', join(here, 'watch-loop.ts')]
  const bin = resolve(here, '../dist/bin/penstock.js')
  const flags = options['node-flags'].split(' ').filter(Boolean)
  return [process.execPath, ...flags, ...watch, ...profiling, bin, 'run', '--config', configFile]
}

/** One label more than the payload gives, as one has for a cluster: eight in all. */
function gatewayYaml({ message }: Case): string {
  const sink = `http://127.0.0.1:${ports.sink}`
  const exporter =
    message === undefined
      ? `otlp_http: { endpoint: "${sink}", compression: none }`
      : `prometheus_remote_write: { endpoint: "${sink}/api/v1/write", ` +
        `protobuf_message: ${message}, external_labels: { cluster: eu-west-1 } }`
  return `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${ports.http}" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 8192 }
  batch: { send_batch_size: 8192, timeout: 200ms }
exporters:
  ${exporter}
service:
  pipelines:
    metrics:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [${message === undefined ? 'otlp_http' : 'prometheus_remote_write'}]
  telemetry: { logs: { level: warn }, metrics: { level: none } }
`
}

function cells(median: Measured): string[] {
  return [
    median.microsecondsPerPoint.toFixed(3),
    median.microsecondsPerNewPoint.toFixed(3),
    median.bytesPerPoint.toFixed(1),
    median.p50Ms.toFixed(2),
    median.p99Ms.toFixed(2),
    median.rssPeakMb.toFixed(0),
    median.bytesPerSeries.toFixed(0),
    median.longestNewMs.toFixed(0),
    median.longestMs.toFixed(0),
  ]
}

function print(row: readonly string[]): void {
  const known = row.map((cell) => (/^(NaN|Infinity)$/.test(cell) ? '-' : cell))
  const text = known.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(8)))
  process.stdout.write(`${text.join(' ')}\n`)
}
