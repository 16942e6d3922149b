import { collectDefaultMetrics } from 'prom-client'
import type { MemoryLedger } from '../pipeline/host.ts'
import type { Platform } from '../platform/platform.ts'
import type { CheckedTelemetry } from './checked-config.ts'
import type { OwnMetrics } from './own-metrics.ts'
import { processMetrics } from './service-metrics.ts'

/** Gauges of prom-client that end in `_total`, which promtool rightly calls wrong; the same counts by type remain. */
const misnamed = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`)

/** The process's own figures under the Collector's names, and Node's under prom-client's. */
export function describeProcess(
  metrics: OwnMetrics,
  options: {
    platform: Platform
    memory: MemoryLedger
    version: string
    resource: CheckedTelemetry['resource']
  },
): void {
  const { clock, usage } = options.platform
  const startedMs = clock.monotonicMs()
  const { uptime, cpu, rss, heap, reserved, held, build } = processMetrics
  const uptimeSeconds = () => (clock.monotonicMs() - startedMs) / 1000
  metrics.observeCounter(uptime.name, uptime.help, uptimeSeconds, 'seconds')
  metrics.observeCounter(cpu.name, cpu.help, () => usage.cpuSeconds())
  metrics.observe(rss.name, rss.help, {}, () => options.memory.rssBytes)
  metrics.observe(heap.name, heap.help, {}, () => usage.heapUsedBytes())
  metrics.observe(reserved.name, reserved.help, {}, () => usage.reservedBytes())
  metrics.observe(held.name, held.help, {}, () => options.memory.heldBytes)
  metrics.gauge(build.name, build.help, { version: options.version }).set(1)
  metrics.gauge('target_info', 'Target metadata.', targetLabels(options)).set(1)
  collectDefaultMetrics({ register: metrics.registry })
  for (const name of misnamed) metrics.registry.removeSingleMetric(name)
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
