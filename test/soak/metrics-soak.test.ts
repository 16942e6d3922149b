/**
 * Metrics for minutes: 200,000 series, updated every second, half of them replaced every 30 seconds, through a real
 * gateway to its page and by remote write. SOAK_SECONDS makes it longer.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { eventually, freePorts, GatewayProcess, seriesValue } from '../kit/gateway-process.ts'
import { Fleet } from './fleet.ts'
import { checkPage } from './page-check.ts'
import { seriesOfPod } from './soak-series.ts'
import type { ReceiverReport } from './write-receiver.ts'

const podCount = 200
const replacementSeconds = 30
const scrapeSeconds = 15
const expirationSeconds = 20
/**
 * A replaced series stays for up to two rounds of forgetting and its place for one more, while the next half is already
 * replaced: no period before the fifth has all that overlaps, and what it leaves in the allocator. What the end of that
 * one has is the plateau.
 */
const periodsToPlateau = 5
/** Of a period, its last seconds: what the replacement took for a while has been given back. */
const settledSeconds = 10
/** A replaced half that was kept would add more than twice that in each period. */
const growthRatioMax = 1.05
const secondsMin = (periodsToPlateau + 1) * replacementSeconds
const seconds = Number(process.env.SOAK_SECONDS ?? secondsMin)
assert(seconds >= secondsMin, `SOAK_SECONDS must be ${secondsMin} or more; got ${seconds}`)
/** Of the rate asked for; with less the machine was too busy for the soak to say anything. */
const rateShareMin = 0.9
const flags = ['--initial-old-space-size=96', '--max-semi-space-size=2', '--single-threaded-gc']

function yaml(ports: { http: number; page: number; own: number; write: number }): string {
  return `
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${ports.http}" }
exporters:
  prometheus:
    endpoint: "127.0.0.1:${ports.page}"
    metric_expiration: ${expirationSeconds}s
  prometheus_remote_write:
    endpoint: http://127.0.0.1:${ports.write}/api/v1/write
    metric_expiration: ${expirationSeconds}s
    target_info: { enabled: false }
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus, prometheus_remote_write] }
  telemetry: { logs: { level: warn }, metrics: { address: "127.0.0.1:${ports.own}" } }
`
}

test(
  `200,000 series for ${seconds} s, half of them replaced every ${replacementSeconds} s`,
  { timeout: (seconds * 2 + 60) * 1000 },
  async (context) => {
    const podsMax = podCount + (Math.ceil(seconds / replacementSeconds) * podCount) / 2
    const receiver = await startReceiver(podsMax)
    const [http, page, own] = await freePorts(3)
    const config = yaml({ http, page, own, write: receiver.port })
    const gateway = new GatewayProcess(config, { nodeArguments: flags })
    await eventually(() => answers(own), 'the gateway')
    const fleet = new Fleet(http, podCount)
    try {
      const { rss, rate } = await run({ fleet, gateway, page })
      const floors = floorsOf(rss)
      context.diagnostic(`RSS, MB: ${rss.map((bytes) => Math.round(bytes / 1e6)).join(' ')}`)
      context.diagnostic(
        `${Math.round(rate)} points/s; at the end of each period: ${floors.join(' ')} MB`,
      )
      const written = await checkWritten(receiver, fleet)
      const { rssBytes, judged, requests, judgingMs } = written
      context.diagnostic(
        `receiver: ${Math.round(rssBytes / 1e6)} MB; snappyjs and protobufjs have read ${judged} of ${requests} requests in ${Math.round(judgingMs)} ms`,
      )
      await checkCounts(own, fleet)
      const [plateau, ...later] = floors.slice(periodsToPlateau - 1)
      const grown = later.at(-1)! / plateau
      assert(grown <= growthRatioMax, `RSS went from ${plateau} to ${later.at(-1)} MB`)
      const wanted = podCount * seriesOfPod
      assert(rate >= wanted * rateShareMin, `only ${Math.round(rate)} points/s could be offered`)
    } finally {
      fleet.close()
      const code = await gateway.stop()
      receiver.child.kill()
      context.diagnostic(`gateway: exit code ${code}, log ${gateway.log.slice(0, 2000)}`)
    }
    assert.equal(gateway.log, '')
  },
)

/** Resident bytes of the gateway, once a second, and the points a second that it took. */
async function run(parts: {
  fleet: Fleet
  gateway: GatewayProcess
  page: number
}): Promise<{ rss: number[]; rate: number }> {
  const { fleet, gateway, page } = parts
  const rss: number[] = []
  // New series cost more than known ones: what it takes to open them all is not part of the rate.
  await fleet.push(Date.now() - 1000)
  const startedMs = Date.now()
  for (let second = 0; second < seconds; second++) {
    if (second > 0 && second % replacementSeconds === 0) fleet.replaceHalf()
    // Late is made up for: the rate over all of it is what is asked.
    await setTimeout(Math.max(0, startedMs + second * 1000 - Date.now()))
    await fleet.push(startedMs + second * 1000)
    rss.push(gateway.rssBytes)
    if (second % scrapeSeconds !== scrapeSeconds - 1) continue
    const ending = fleet.endedSince(Date.now() - (expirationSeconds + 1) * 1000)
    await checkPage(page, { living: fleet.steps, ending })
  }
  const tookSeconds = Math.max(seconds, (Date.now() - startedMs) / 1000)
  const rate = (seconds * podCount * seriesOfPod) / tookSeconds
  return { rss, rate }
}

/** Every series has all of its samples, once and in order. */
async function checkWritten(receiver: Receiver, fleet: Fleet): Promise<ReceiverReport> {
  const delivered = async () => {
    const report = await receiver.report()
    return report.samples >= fleet.pointsSent ? report : undefined
  }
  const report = await eventually(delivered, 'all samples at the receiver', 30_000)
  const { samples, repeated, skipped, strange, misread, complaints } = report
  assert.deepEqual(
    { samples, repeated, skipped, strange, misread, complaints },
    { samples: fleet.pointsSent, repeated: 0, skipped: 0, strange: 0, misread: 0, complaints: [] },
  )
  assert(report.judged > 0, 'no request was read by snappyjs and protobufjs')
  const steps = new Map([...fleet.endedSince(0), ...fleet.steps])
  for (const [pod, step] of steps) {
    assert.deepEqual(report.pods[pod], [step, step], `pod ${pod}`)
  }
  return report
}

/** What the gateway says of itself: received is sent, by both exporters, and what ended is forgotten. */
async function checkCounts(own: number, fleet: Fleet): Promise<void> {
  const page = await (await fetch(`http://127.0.0.1:${own}/metrics`)).text()
  const total = (name: string) =>
    page
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  const sent = (exporter: string) =>
    seriesValue(page, `otelcol_exporter_sent_metric_points{exporter="${exporter}"}`)
  assert.deepEqual(
    {
      accepted: total('otelcol_receiver_accepted_metric_points'),
      shown: sent('prometheus'),
      written: sent('prometheus_remote_write'),
      failed: total('otelcol_exporter_send_failed_metric_points'),
      dropped: total('penstock_dropped_items'),
    },
    {
      accepted: fleet.pointsSent,
      shown: fleet.pointsSent,
      written: fleet.pointsSent,
      failed: 0,
      dropped: 0,
    },
  )
  // What has ended goes within two rounds of forgetting, each as long as the expiration.
  const ending = fleet.endedSince(Date.now() - 3 * expirationSeconds * 1000)
  const kept = total('penstock_exporter_prometheus_series') / seriesOfPod
  assert(kept >= fleet.steps.size, `${kept} pods are kept`)
  assert(kept <= fleet.steps.size + ending.size, `${kept} pods are kept`)
}

interface Receiver {
  readonly child: ChildProcess
  readonly port: number
  report(): Promise<ReceiverReport>
}

async function startReceiver(podsMax: number): Promise<Receiver> {
  const script = join(import.meta.dirname, 'write-receiver.ts')
  const child = spawn(process.execPath, [script, String(podsMax)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const port = Number(await nextLine(child))
  const report = async () => {
    const line = nextLine(child)
    child.stdin.write('report\n')
    return JSON.parse(await line) as ReceiverReport
  }
  return { child, port, report }
}

function nextLine(child: ChildProcess): Promise<string> {
  return new Promise((done) => {
    let text = ''
    const look = (chunk: Buffer) => {
      text += chunk.toString()
      if (!text.includes('\n')) return
      child.stdout?.off('data', look)
      done(text.slice(0, text.indexOf('\n')))
    }
    child.stdout?.on('data', look)
  })
}

/** The least of the settled seconds of each period from one replacement to the next, in MB. */
function floorsOf(values: readonly number[]): number[] {
  const count = Math.floor(values.length / replacementSeconds)
  return Array.from({ length: count }, (_, period) => {
    const end = (period + 1) * replacementSeconds
    return Math.round(Math.min(...values.slice(end - settledSeconds, end)) / 1e6)
  })
}

async function answers(port: number): Promise<true | undefined> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => undefined)
  await answer?.text()
  return answer?.ok === true ? true : undefined
}
