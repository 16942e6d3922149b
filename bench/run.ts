/**
 * The whole gateway under replayed load: `npm run bench -- [--only TEXT] [--rounds N] [--seconds N] [--warm N]
 * [--no-nginx] [--profile]`. PEER='otelcol --config {config}' runs another gateway beside it, with the same configuration.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Case, cases } from './cases.ts'
import type { LoadPlan } from './generator.ts'
import { askSink, drained, load, startSink } from './load.ts'
import { cpuSeconds, listening, peerCommand, rssPeakMb, start, stop } from './processes.ts'

const here = import.meta.dirname
const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-'))
const ports = { http: 24318, grpc: 24317, sink: 25318 }
const gatewayCore = 0

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
    warm: { type: 'string', default: '10' },
    'no-nginx': { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    'node-flags': {
      type: 'string',
      default: '--initial-old-space-size=96 --max-semi-space-size=2 --single-threaded-gc',
    },
  },
})

interface Measured {
  readonly microsecondsPerItem: number
  readonly itemsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly rssPeakMb: number
  readonly startMs: number
  readonly refused: number
}

// What is measured is what is shipped: the compiled form, not types stripped at start.
execFileSync('npm', ['run', '--silent', 'build'], { cwd: join(here, '..'), stdio: 'inherit' })

const gateways: [name: string, command: (one: Case) => string[]][] = [['penstock', penstock]]
const configFile = join(folder, 'gateway.yaml')
const peer = peerCommand(configFile, ports)
if (peer !== undefined) gateways.push(['peer', () => peer])
else if (!options['no-nginx']) gateways.push(['nginx', nginx])

const header = ['case', 'gateway', 'us/item', 'items/s', 'p50 ms', 'p99 ms', 'RSS MB', 'start ms']
print([...header, 'refused'])
for (const one of cases.filter(({ name }) => name.includes(options.only))) {
  const medians: number[] = []
  for (const [name, command] of gateways) {
    // nginx passes HTTP on; for gRPC the HTTP row of the same payload is its floor.
    if (name === 'nginx' && one.protocol === 'grpc') continue
    const rounds: Measured[] = []
    for (let round = 0; round < Number(options.rounds); round++) {
      rounds.push(await measure(one, command(one)))
    }
    const median = medianOf(rounds)
    medians.push(median.microsecondsPerItem)
    print([one.name, name, ...cells(median)])
  }
  if (medians.length === 2) print([one.name, 'ratio', (medians[0] / medians[1]).toFixed(2)])
}

async function measure(one: Case, command: readonly string[]): Promise<Measured> {
  writeFileSync(configFile, gatewayYaml(one))
  const sink = await startSink(ports.sink)
  const gateway = start(gatewayCore, command)
  const startMs = await listening(one.protocol === 'http' ? ports.http : ports.grpc)
  const pid = gateway.pid ?? 0
  const plan: LoadPlan = {
    protocol: one.protocol,
    port: ports[one.protocol],
    payload: join(here, 'payloads', one.payload),
    signal: one.signal,
    gzip: one.gzip,
    connections: one.connections,
    rate: one.itemsPerSecond / one.itemsPerRequest,
    seconds: Number(options.seconds),
  }
  // A warm-up of the same shape, so that compilation is not what is measured: at few requests a second it takes long.
  const warm = await load({ ...plan, seconds: Number(options.warm) })
  await drained(sink, warm.answered * one.itemsPerRequest)
  const [before, cpuBefore] = [await askSink(sink), cpuSeconds(pid)]
  const result = await load(plan)
  const expected = result.answered * one.itemsPerRequest
  const after = await drained(sink, before.items + expected)
  const cpu = cpuSeconds(pid) - cpuBefore
  const peakMb = rssPeakMb(pid)
  await stop(gateway)
  await stop(sink)
  const itemsAtSink = after.items - before.items
  if (itemsAtSink !== expected) {
    throw new Error(`${one.name}: ${expected} items were acknowledged, ${itemsAtSink} arrived`)
  }
  return {
    microsecondsPerItem: (cpu * 1e6) / itemsAtSink,
    itemsPerSecond: itemsAtSink / result.seconds,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    rssPeakMb: peakMb,
    startMs,
    refused: result.refused,
  }
}

function penstock(): string[] {
  const profiling = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(here, 'results')}`] : []
  const bin = resolve(here, '../dist/bin/penstock.js')
  const flags = options['node-flags'].split(' ').filter(Boolean)
  return [process.execPath, ...flags, ...profiling, bin, 'run', '--config', configFile]
}

/** The pipeline of the performance goals: memory limiter, two resource attributes, batches of 8192, OTLP/HTTP out. */
function gatewayYaml(one: Case): string {
  const compression = one.gzip ? 'gzip' : 'none'
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${ports.grpc}", max_recv_msg_size_mib: 16 }
      http: { endpoint: "127.0.0.1:${ports.http}" }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 1024 }
  resource:
    attributes:
      - { key: k8s.cluster.name, value: bench, action: upsert }
      - { key: deployment.environment.name, value: bench, action: upsert }
  batch: { send_batch_size: 8192, timeout: 200ms }
exporters:
  otlp_http: { endpoint: "http://127.0.0.1:${ports.sink}", compression: ${compression} }
service:
  pipelines:
    ${one.signal}:
      receivers: [otlp]
      processors: [memory_limiter, resource, batch]
      exporters: [otlp_http]
  telemetry: { logs: { level: warn }, metrics: { level: none } }
`
}

function nginx(): string[] {
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log stderr error;
events { worker_connections 256; }
http {
  access_log off; client_max_body_size 64m; client_body_buffer_size 1m;
  client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder};
  uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  upstream sink { server 127.0.0.1:${ports.sink}; keepalive 32; }
  server {
    listen 127.0.0.1:${ports.http};
    location / {
      proxy_pass http://sink; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off;
    }
  }
}
`,
  )
  return ['nginx', '-c', file, '-p', folder]
}

function medianOf(rounds: readonly Measured[]): Measured {
  const sorted = rounds.toSorted((a, b) => a.microsecondsPerItem - b.microsecondsPerItem)
  return sorted[Math.floor(sorted.length / 2)]
}

function cells(median: Measured): string[] {
  return [
    median.microsecondsPerItem.toFixed(3),
    Math.round(median.itemsPerSecond).toLocaleString('en'),
    median.p50Ms.toFixed(2),
    median.p99Ms.toFixed(2),
    median.rssPeakMb.toFixed(0),
    median.startMs.toFixed(0),
    String(median.refused),
  ]
}

function print(row: readonly string[]): void {
  const widths = [18, 9, 9, 12, 8, 8, 8, 9, 8]
  const text = row.map((cell, index) =>
    index < 2 ? cell.padEnd(widths[index]) : cell.padStart(widths[index]),
  )
  process.stdout.write(`${text.join(' ')}\n`)
}
