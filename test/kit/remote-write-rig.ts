/** The remote write exporter with a peer to write to. */
import { prometheusRemoteWrite } from '../../src/components/exporters/prometheus-remote-write/index.ts'
import type { Exporter } from '../../src/pipeline/component.ts'
import { metricsBatch } from './metrics-request.ts'
import type { PlainMessage } from './oracle.ts'
import { type RemoteWritePeer, startRemoteWritePeer } from './remote-write-peer.ts'
import { type TestHost, testHost } from './test-host.ts'
import { until } from './until.ts'

/** What tests count milliseconds from. */
export const baseMs = Date.UTC(2026, 0, 1)
export const v2 = { protobuf_message: 'io.prometheus.write.v2.Request' }

/** The time of a point, in milliseconds since baseMs, down to a thousandth. */
export function at(ms: number) {
  return { timeUnixNano: BigInt(Math.round((baseMs + ms) * 1000)) * 1000n }
}

/** Its start, likewise. */
export function from(ms: number) {
  return { startTimeUnixNano: at(ms).timeUnixNano }
}

export interface Rig {
  readonly peer: RemoteWritePeer
  readonly host: TestHost
  readonly exporter: Exporter
  /** Sends these and waits until every batch is dealt with. */
  readonly push: (...metrics: PlainMessage[]) => Promise<void>
  /** Waits until every batch is dealt with. */
  readonly settled: () => Promise<void>
  readonly value: (name: string, labels?: Record<string, string>) => number | undefined
}

const closing: (() => Promise<unknown>)[] = []
/** To be called after each test. */
export async function closeRemoteWrites(): Promise<void> {
  for (const close of closing.splice(0).toReversed()) await close()
}

/** Sends at once and has no target_info, unless the settings say otherwise. */
export async function startRemoteWrite(settings: Record<string, unknown> = {}): Promise<Rig> {
  const peer = await startRemoteWritePeer()
  const host = testHost({ signals: ['metrics'] })
  const { remote_write_queue, ...rest } = settings
  const config = prometheusRemoteWrite.config.parse({
    endpoint: peer.url,
    target_info: { enabled: false },
    remote_write_queue: { min_size: 0, ...(remote_write_queue as object) },
    ...rest,
  })
  const exporter = prometheusRemoteWrite.create(config, host)
  await exporter.start?.()
  closing.push(
    () => peer.close(),
    async () => exporter.stop?.(AbortSignal.abort()),
  )
  const value = (name: string, labels = {}) =>
    host.meter.value(name, { exporter: 'test', ...labels })
  const settled = () =>
    until(() => value('otelcol_exporter_queue_size', { data_type: 'metrics' }) === 0)
  return {
    peer,
    host,
    exporter,
    value,
    settled,
    push: async (...metrics) => {
      await exporter.consume(metricsBatch(metrics, { resource: { 'service.name': 'shop' } }))
      await settled()
    },
  }
}
