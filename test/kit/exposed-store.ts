/** The prometheus exporter without its server. */
import protobuf from 'protobufjs'
import { PieceBuffers } from '../../src/components/exporters/prometheus/page-writer.ts'
import { negotiate } from '../../src/components/exporters/prometheus/page-format.ts'
import { renderProtobuf } from '../../src/components/exporters/prometheus/render-protobuf.ts'
import { renderText } from '../../src/components/exporters/prometheus/render-text.ts'
import { SeriesStore } from '../../src/components/exporters/prometheus/series-store.ts'
import {
  labelRules,
  settings as schema,
} from '../../src/components/exporters/prometheus/settings.ts'
import type { EscapingScheme } from '../../src/kit/prometheus/escaping.ts'
import { strategyOf } from '../../src/kit/prometheus/translation-rules.ts'
import { parseExposition } from './exposition.ts'
import { metricsBatch, type Source } from './metrics-request.ts'
import { decodeMessage, type PlainMessage } from './oracle.ts'
import { testHost } from './test-host.ts'

export const protobufType =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'

/** A store as the prometheus exporter makes one, with the pages it would show. */
export function exposed(config: object = {}) {
  const host = testHost({ signals: ['metrics'] })
  const settings = schema.parse({ endpoint: 'localhost:0', ...config })
  const store = new SeriesStore(
    {
      naming: { strategy: strategyOf(settings), namespace: settings.namespace },
      rules: labelRules(settings),
      expirationMs: settings.metric_expiration,
      seriesMax: settings.max_series,
      deltas: settings.delta_to_cumulative,
      keepsExemplars: settings.enable_open_metrics,
    },
    host,
  )
  const optionsFor = (accept: string) => {
    const format = negotiate(accept, true)
    const { send_timestamps: sendTimestamps, without_created: withoutCreated } = settings
    return { format, sendTimestamps, withoutCreated, buffers: new PieceBuffers() }
  }
  const page = (accept: string) => {
    const options = optionsFor(accept)
    const text = Buffer.concat([...renderText(store, options)]).toString('utf8')
    // Every page of every test must be one that a strict reader takes.
    parseExposition(text, options.format.kind === 'openmetrics' ? 'openmetrics' : 'text')
    return text
  }
  /** Messages of the protobuf page. */
  const families = (scheme: EscapingScheme = 'underscores'): PlainMessage[] =>
    decodeFamilies(
      Buffer.concat([...renderProtobuf(store, optionsFor(`${protobufType};escaping=${scheme}`))]),
    )
  const take = (metrics: readonly PlainMessage[], source: Source = {}) =>
    store.consume(metricsBatch(metrics, source))
  const openMetrics = (scheme: EscapingScheme = 'underscores') =>
    page(`application/openmetrics-text;version=1.0.0;escaping=${scheme}`)
  const text = (scheme: EscapingScheme = 'underscores') =>
    page(`text/plain;version=1.0.0;escaping=${scheme}`)
  const drops = () => Object.fromEntries(host.drops.map((drop) => [drop.cause, drop.itemCount]))
  const own = (name: string, labels = {}) =>
    host.meter.value(name, { exporter: host.id, ...labels })
  return { host, store, take, page, text, openMetrics, families, drops, own }
}

const second = 1_000_000_000n
export const at = (seconds: number | bigint) => ({ timeUnixNano: BigInt(seconds) * second })
export const during = (start: number, end: number) => ({
  startTimeUnixNano: BigInt(start) * second,
  timeUnixNano: BigInt(end) * second,
})

function decodeFamilies(page: Uint8Array): PlainMessage[] {
  const reader = protobuf.Reader.create(page)
  const found: PlainMessage[] = []
  while (reader.pos < reader.len) {
    const length = reader.uint32()
    const bytes = page.subarray(reader.pos, reader.pos + length)
    found.push(decodeMessage('io.prometheus.client.MetricFamily', bytes))
    reader.skip(length)
  }
  return found
}
