/**
 * Prometheus 3 translates OTLP itself: what the gateway writes to it by remote write must be what it makes of the same
 * points when the gateway passes them on as OTLP, under each strategy.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  translationStrategies,
  type TranslationStrategy,
} from '../../src/kit/prometheus/metric-name.ts'
import { freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { attributes, cumulative, gauge, point, sum } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'
import {
  type NativeHistogram,
  modernPrograms,
  type PrometheusProgram,
  PrometheusServer,
  seriesText,
} from '../kit/prometheus-server.ts'
import { pushMetrics, untilSent } from '../kit/push-metrics.ts'
import { assertClassic, assertCustom, assertExactNumbers } from './assert-stored.ts'
import { classicMetric, exactNumbersMetric, exponentialMetric } from './metric-cases.ts'

interface Variant {
  readonly strategy: TranslationStrategy
  /** Of the exporter and of the server, where both have a setting for it. */
  readonly more: readonly string[]
}

const gatewayYaml = (
  options: Variant & { http: number; own: number; written: string; otlp: string },
) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${options.http}" } } }
exporters:
  prometheus_remote_write:
    endpoint: ${options.written}
    protobuf_message: io.prometheus.write.v2.Request
    translation_strategy: ${options.strategy}
    ${options.more.join('\n    ')}
    remote_write_queue: { min_size: 0 }
  otlp_http:
    endpoint: ${options.otlp}/api/v1/otlp
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus_remote_write, otlp_http] }
  telemetry: { metrics: { address: "127.0.0.1:${options.own}" } }
`

// Its defaults differ from the Collector's in these two.
const serverYaml = ({ strategy, more }: Variant) => `
global: {}
otlp:
  translation_strategy: ${strategy}
  ${more.join('\n  ')}
  label_name_underscore_sanitization: false
  promote_scope_metadata: true
`

const names = [
  'http.server.requests',
  'http.server.request.duration',
  'a',
  'a__b_',
  '_a.b',
  '9lives',
  'rät.größe',
  'cpu utilization',
  'disk.total',
  'total.disk',
  'bytes.sent',
  'sent_bytes',
  'queue.ratio',
  'ratio.of.things',
  'requests_per_second',
  'jobs:rate5m',
  'ends.with.dot.',
  '日本.x語',
]

const units = (
  ',1,s,ms,us,ns,min,h,d,By,KiBy,MiBy,GiBy,TiBy,KBy,MBy,GBy,TBy,kBy,m,V,A,J,W,g,Cel,Hz,%,{order},' +
  '1/s,By/s,1/min,{order}/s,By/m,s/{order},By/y,x/z,m/s/s, s ,né'
).split(',')

const labelSets: Readonly<Record<string, string>>[] = [
  { 'http.route': '/a', plain: 'b' },
  { 'a.b': '1', a_b: '2', 'a-b': '3' },
  { '9th': 'x', _under: 'y', __double: 'z', __both__: 'w' },
  { ütf: 'ü', 'with space': 'y', 'a:b': 'colon' },
  { 'three...dots': '1', 'ends.': '2' },
  { empty: '', 'a.c': '', a_c: '2' },
  { job: 'mine', instance: 'mine' },
]

function namedMetrics(times: Readonly<Record<string, bigint>>): PlainMessage[] {
  let index = 0
  const one = () => [point({ index: String(index++) }, { ...times, asDouble: index })]
  return names.flatMap((name) =>
    units.flatMap((unit) => [
      sum(name, one(), { metric: { unit } }),
      gauge(name, one(), { unit }),
      sum(name, one(), { metric: { unit }, sum: { isMonotonic: false } }),
    ]),
  )
}

const variants: Variant[] = [
  ...translationStrategies.map((strategy) => ({ strategy, more: [] })),
  {
    strategy: 'UnderscoreEscapingWithSuffixes',
    more: ['convert_histograms_to_nhcb: true', 'keep_identifying_resource_attributes: true'],
  },
]

const programs = modernPrograms('translation')
for (const program of programs) {
  for (const variant of variants) {
    const title = [variant.strategy, ...variant.more].join(', ')
    describe(`${program.title} translates by ${title}`, () => suite(program, variant))
  }
}

function suite(program: PrometheusProgram, variant: Variant): void {
  const { strategy, more } = variant
  const timeMs = Date.now() - 10_000
  const times = {
    startTimeUnixNano: BigInt(timeMs - 5000) * 1_000_000n,
    timeUnixNano: BigInt(timeMs) * 1_000_000n,
  }
  let gateway: GatewayProcess
  let written: PrometheusServer
  let ingested: PrometheusServer

  before(async () => {
    const config = serverYaml(variant)
    ;[written, ingested] = await Promise.all([
      PrometheusServer.start(program, { config }),
      PrometheusServer.start(program, { config }),
    ])
    const [http, own] = await freePorts(2)
    const options = { ...variant, http, own, written: written.writeUrl, otlp: ingested.url }
    gateway = await GatewayProcess.start(gatewayYaml(options))
    await pushMetrics(http, [
      exactNumbersMetric('exact', times),
      classicMetric('lag', times),
      exponentialMetric('wait', times),
    ])
    await pushMetrics(http, namedMetrics(times))
    await pushMetrics(
      http,
      labelSets.map((labels, index) =>
        gauge(`labels${index}`, [point(labels, { ...times, asDouble: 1 })]),
      ),
    )
    await pushMetrics(
      http,
      [
        sum('typed', [
          {
            attributes: [
              ...attributes({ yes: true, whole: 12n, real: 1e21, small: 1e-7 }),
              {
                key: 'list',
                value: { arrayValue: { values: [{ intValue: 1n }, { stringValue: 'a' }] } },
              },
              { key: 'bytes', value: { bytesValue: 'hex:00ff' } },
            ],
            ...times,
            asInt: 3n,
          },
        ]),
        {
          name: 'spent.time',
          unit: 'ms',
          summary: {
            dataPoints: [
              {
                ...times,
                count: 3n,
                sum: 1.5,
                quantileValues: [
                  { quantile: 0, value: 0.1 },
                  { quantile: 0.999, value: 1e9 },
                ],
              },
            ],
          },
        },
        {
          name: 'finer.than.known',
          exponentialHistogram: {
            ...cumulative,
            dataPoints: [
              {
                ...times,
                count: 6n,
                sum: 6,
                scale: 10,
                positive: { offset: 4, bucketCounts: [1n, 2n, 3n] },
              },
            ],
          },
        },
      ],
      {
        resource: { 'service.name': 'other', 'host.name': 'h1', 'a.b': '1', a_b: '2' },
        scope: {
          name: 'shop.meter',
          version: '1.2',
          attributes: attributes({ 'team.name': 'red', name: 'not the name', whole: 3n }),
        },
        schemaUrl: 'https://example.com/schema',
      },
    )
    await untilSent(own)
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await Promise.all([written.stop(), ingested.stop()])
  })

  test('what is written is what the server makes of the same points', async () => {
    const all = async (server: PrometheusServer) =>
      new Map(
        (await server.query('{__name__=~".+"}', timeMs)).map(({ metric, value, histogram }) => [
          seriesText(metric),
          value ?? inEffect(histogram!),
        ]),
      )
    const [ours, theirs] = await Promise.all([all(written), all(ingested)])
    assert.ok(theirs.size > names.length * units.length * 2, `only ${theirs.size} series`)
    const differences = [
      ...[...theirs.keys()].filter((key) => !ours.has(key)).map((key) => `missing ${key}`),
      ...[...ours.keys()].filter((key) => !theirs.has(key)).map((key) => `invented ${key}`),
    ]
    assert.deepEqual(differences.sort(), [])
    for (const [key, value] of theirs) assert.deepEqual(ours.get(key), value, key)
  })

  test('what was passed on as OTLP has the exact values', async () => {
    const only = 'case!=""'
    const unit = strategy.endsWith('WithSuffixes') ? '_seconds' : ''
    await assertExactNumbers(ingested, 'exact', only)
    if (more.length === 0) await assertClassic(ingested, `lag${unit}`, only)
    else await assertCustom(ingested, `lag${unit}`, only)
  })
}

/** The server writes the same zero threshold for all. */
function inEffect(histogram: NativeHistogram): NativeHistogram {
  const buckets = (histogram.buckets ?? []).map((bucket) => {
    const [kind, from, to, count] = bucket
    return Number(from) < 0 && Number(to) > 0 ? ([kind, '', '', count] as const) : bucket
  })
  return { ...histogram, buckets }
}
