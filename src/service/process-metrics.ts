import heap from 'prom-client/lib/metrics/heapSizeAndUsed.js'
import heapSpaces from 'prom-client/lib/metrics/heapSpacesSizeAndUsed.js'
import memory from 'prom-client/lib/metrics/osMemoryHeap.js'
import cpu from 'prom-client/lib/metrics/processCpuTotal.js'
import handles from 'prom-client/lib/metrics/processHandles.js'
import fileLimit from 'prom-client/lib/metrics/processMaxFileDescriptors.js'
import files from 'prom-client/lib/metrics/processOpenFileDescriptors.js'
import requests from 'prom-client/lib/metrics/processRequests.js'
import resources from 'prom-client/lib/metrics/processResources.js'
import started from 'prom-client/lib/metrics/processStartTime.js'
import version from 'prom-client/lib/metrics/version.js'
import type { MemoryLedger } from '../pipeline/host.ts'
import type { Clock, Platform, ProcessUsage } from '../platform/platform.ts'
import type { CheckedTelemetry } from './checked-config.ts'
import type { OwnMetrics } from './own-metrics.ts'
import { processMetrics } from './service-metrics.ts'

/** Gauges of prom-client that end in `_total`, which promtool rightly calls wrong; the same counts by type remain. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

/**
 * prom-client's default metrics but two, which it gives no way to end: its watch of the event loop wakes the process a
 * hundred times a second, and its observer of collections outlives the registry.
 */
const nodeMetrics = [
  cpu,
  started,
  memory,
  files,
  fileLimit,
  resources,
  handles,
  requests,
  heap,
  heapSpaces,
  version,
]

const loopPeriodMs = 100
const loopDelayBounds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
const collectionBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

/**
 * The process's own figures under the Collector's names, and Node's under prom-client's. What it gives ends the watching.
 */
export function describeProcess(
  metrics: OwnMetrics,
  options: {
    platform: Platform
    memory: MemoryLedger
    version: string
    resource: CheckedTelemetry['resource']
  },
): () => void {
  const { clock, usage } = options.platform
  const startedMs = clock.monotonicMs()
  const { uptime, rss, reserved, held, kept, keptMax, build } = processMetrics
  const uptimeSeconds = () => (clock.monotonicMs() - startedMs) / 1000
  metrics.observeCounter(uptime.name, uptime.help, uptimeSeconds, 'seconds')
  metrics.observeCounter(processMetrics.cpu.name, processMetrics.cpu.help, () => usage.cpuSeconds())
  metrics.observe(rss.name, rss.help, {}, () => options.memory.rssBytes)
  metrics.observe(processMetrics.heap.name, processMetrics.heap.help, {}, () =>
    usage.heapUsedBytes(),
  )
  metrics.observe(reserved.name, reserved.help, {}, () => usage.reservedBytes())
  metrics.observe(held.name, held.help, {}, () => options.memory.heldBytes)
  metrics.observe(kept.name, kept.help, {}, () => options.memory.keptBytes)
  metrics.observe(keptMax.name, keptMax.help, {}, () => options.memory.keptBytesMax)
  metrics.gauge(build.name, build.help, { version: options.version }).set(1)
  metrics.gauge('target_info', 'Target metadata.', targetLabels(options)).set(1)
  for (const describe of nodeMetrics) describe(metrics.registry)
  for (const name of misnamed) metrics.registry.removeSingleMetric(name)
  const watches = [watchLoop(metrics, clock), watchCollections(metrics, usage)]
  return () => watches.forEach((end) => end())
}

function watchLoop(metrics: OwnMetrics, clock: Clock): () => void {
  const { name, help } = processMetrics.loopDelay
  const delays = metrics.histogram(name, help, loopDelayBounds)
  let dueMs = clock.monotonicMs() + loopPeriodMs
  const timer = clock.every(loopPeriodMs, () => {
    const nowMs = clock.monotonicMs()
    delays.record(Math.max(0, nowMs - dueMs) / 1000)
    dueMs = nowMs + loopPeriodMs
  })
  return () => timer.cancel()
}

function watchCollections(metrics: OwnMetrics, usage: ProcessUsage): () => void {
  // The name and the labels that prom-client gives it.
  const name = 'nodejs_gc_duration_seconds'
  const help = 'Garbage collection duration by kind, one of major, minor, incremental or weakcb.'
  return usage.watchCollections((kind, seconds) => {
    metrics.histogram(name, help, collectionBounds, { kind }).record(seconds)
  })
}

/** The gateway's own resource as labels: the Collector's three automatic attributes unless set otherwise or null. */
function targetLabels(options: {
  platform: Platform
  version: string
  resource: CheckedTelemetry['resource']
}): Record<string, string> {
  const attributes = {
    'service.name': 'penstock',
    'service.version': options.version,
    'service.instance.id': randomUuid(options.platform),
    ...options.resource,
  }
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) labels[key.replace(/[^a-zA-Z0-9_]/g, '_')] = value
  }
  return labels
}

/** Version 4 of RFC 9562. */
function randomUuid(platform: Platform): string {
  const bytes = platform.random.bytes(16)
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
