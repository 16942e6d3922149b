import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { encodeRequest, type Plain } from '../../../../test/kit/oracle.ts'
import { countedSpans } from '../../../../test/kit/spans.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import type { Signal } from '../../../otlp/signal.ts'
import { debugExporter } from './debug-exporter.ts'
import { debugSettings, verbosityOf } from './settings.ts'

function start(settings: object) {
  const host = testHost({ id: 'debug' })
  return { host, exporter: debugExporter(debugSettings.parse(settings), host) }
}

/** What is printed for one request, the line of counts first. */
async function printed(signal: Signal, message: object, verbosity: string) {
  const { host, exporter } = start({ verbosity })
  await exporter.consume(
    indexRequest(signal, encodeRequest(signal, message as Record<string, Plain>)),
  )
  return host.lines
}

const second = 1_000_000_000n
const attributes = [
  { key: 'text', value: { stringValue: 'x' } },
  { key: 'whole', value: { intValue: -3n } },
  { key: 'part', value: { doubleValue: 1.5 } },
  { key: 'yes', value: { boolValue: true } },
  { key: 'none', value: {} },
  { key: 'list', value: { arrayValue: { values: [{ intValue: 1n }, { stringValue: 'a' }] } } },
]
const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
const scope = { name: 'lib', version: '1.2' }

const span = {
  traceId: 'hex:0102030405060708090a0b0c0d0e0f10',
  spanId: 'hex:0102030405060708',
  parentSpanId: 'hex:1112131415161718',
  traceState: 'a=b',
  name: 'GET /',
  kind: 2,
  startTimeUnixNano: 1_769_904_000n * second,
  endTimeUnixNano: 1_769_904_000n * second + 120_000_021n,
  attributes,
  events: [{ timeUnixNano: second, name: 'retry', attributes: attributes.slice(0, 1) }],
  links: [{ traceId: 'hex:ff02030405060708090a0b0c0d0e0f10', spanId: 'hex:ff02030405060708' }],
  status: { code: 2, message: 'broken' },
}
const traces = {
  resourceSpans: [
    { resource, scopeSpans: [{ scope, spans: [span], schemaUrl: 'urn:s' }], schemaUrl: 'urn:r' },
  ],
}

const metrics = {
  resourceMetrics: [
    {
      resource,
      scopeMetrics: [
        {
          scope,
          metrics: [
            {
              name: 'requests',
              description: 'All of them.',
              unit: '1',
              sum: {
                aggregationTemporality: 2,
                isMonotonic: true,
                dataPoints: [
                  {
                    attributes: attributes.slice(0, 2),
                    timeUnixNano: second,
                    asInt: 7n,
                    exemplars: [
                      {
                        timeUnixNano: second,
                        asDouble: 0.5,
                        spanId: 'hex:0102030405060708',
                        traceId: 'hex:0102030405060708090a0b0c0d0e0f10',
                      },
                    ],
                  },
                ],
              },
            },
            { name: 'level', gauge: { dataPoints: [{ timeUnixNano: second, asDouble: 2.5 }] } },
            {
              name: 'latency',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  { count: 3n, sum: 4, bucketCounts: [1n, 2n], explicitBounds: [0.5], min: 0 },
                ],
              },
            },
            {
              name: 'sizes',
              exponentialHistogram: {
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    count: 4n,
                    scale: 0,
                    zeroCount: 1n,
                    positive: { offset: 0, bucketCounts: [2n] },
                    negative: { offset: 1, bucketCounts: [1n] },
                  },
                ],
              },
            },
            {
              name: 'old',
              summary: {
                dataPoints: [{ count: 2n, sum: 3, quantileValues: [{ quantile: 0.5, value: 1 }] }],
              },
            },
          ],
        },
      ],
    },
  ],
}

const logs = {
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          logRecords: [
            {
              timeUnixNano: second / 2n,
              severityNumber: 9,
              severityText: 'INFO',
              body: { stringValue: 'hello' },
              attributes: attributes.slice(0, 2),
              traceId: 'hex:0102030405060708090a0b0c0d0e0f10',
              flags: 1,
            },
          ],
        },
      ],
    },
  ],
}

describe('debug exporter', () => {
  it('prints counts', async () => {
    assert.deepEqual(await printed('traces', traces, 'basic'), [
      { level: 'info', fields: { 'resource spans': 1, spans: 1 }, message: 'Traces' },
    ])
    const [ofMetrics] = await printed('metrics', metrics, 'basic')
    assert.equal(ofMetrics.message, 'Metrics')
    assert.deepEqual(ofMetrics.fields, { 'resource metrics': 1, metrics: 5, 'data points': 5 })
    const [ofLogs] = await printed('logs', logs, 'basic')
    assert.deepEqual(ofLogs.fields, { 'resource logs': 1, 'log records': 1 })
  })

  it('prints a line an item with normal', async () => {
    const [counts, text] = await printed('traces', traces, 'normal')
    assert.deepEqual(counts.fields, { 'resource spans': 1, spans: 1 })
    assert.equal(
      text.message,
      [
        'ResourceTraces #0 [urn:r] service.name=shop',
        'ScopeTraces #0 lib@1.2 [urn:s]',
        'GET / 0102030405060708090a0b0c0d0e0f10 0102030405060708 ' +
          'text=x whole=-3 part=1.5 yes=true none= list=[1,"a"]',
        '',
      ].join('\n'),
    )
    const ofMetrics = (await printed('metrics', metrics, 'normal'))[1].message.split('\n')
    assert.deepEqual(ofMetrics.slice(2), [
      'requests{text=x,whole=-3} 7',
      'level{} 2.5',
      'latency{} count=3 sum=4 min=0 le0.5=1 2',
      'sizes{} count=4 le2=1 le1=2 zero_count0=1',
      'old{} count=2 sum=3.000000 q0.5=1',
      '',
    ])
    const ofLogs = (await printed('logs', logs, 'normal'))[1].message.split('\n')
    assert.equal(ofLogs[2], 'hello text=x whole=-3')
  })

  it('prints every field of a span with detailed, as the Collector does', async () => {
    const [, text] = await printed('traces', traces, 'detailed')
    assert.equal(
      text.message,
      `ResourceSpans #0
Resource SchemaURL: urn:r
Resource attributes:
     -> service.name: Str(shop)
ScopeSpans #0
ScopeSpans SchemaURL: urn:s
InstrumentationScope lib 1.2
Span #0
    Trace ID       : 0102030405060708090a0b0c0d0e0f10
    Parent ID      : 1112131415161718
    ID             : 0102030405060708
    Name           : GET /
    Kind           : Server
    TraceState     : a=b
    Start time     : 2026-02-01 00:00:00 +0000 UTC
    End time       : 2026-02-01 00:00:00.120000021 +0000 UTC
    Status code    : Error
    Status message : broken
Attributes:
     -> text: Str(x)
     -> whole: Int(-3)
     -> part: Double(1.5)
     -> yes: Bool(true)
     -> none: Empty()
     -> list: Slice([1,"a"])
Events:
SpanEvent #0
     -> Name: retry
     -> Timestamp: 1970-01-01 00:00:01 +0000 UTC
     -> DroppedAttributesCount: 0
     -> Attributes::
          -> text: Str(x)
Links:
SpanLink #0
     -> Trace ID: ff02030405060708090a0b0c0d0e0f10
     -> ID: ff02030405060708
     -> TraceState: \n     -> DroppedAttributesCount: 0
`,
    )
  })

  it('prints every field of metrics with detailed', async () => {
    const [, text] = await printed('metrics', metrics, 'detailed')
    assert.equal(
      text.message,
      `ResourceMetrics #0
Resource SchemaURL: \nResource attributes:
     -> service.name: Str(shop)
ScopeMetrics #0
ScopeMetrics SchemaURL: \nInstrumentationScope lib 1.2
Metric #0
Descriptor:
     -> Name: requests
     -> Description: All of them.
     -> Unit: 1
     -> DataType: Sum
     -> IsMonotonic: true
     -> AggregationTemporality: Cumulative
NumberDataPoints #0
Data point attributes:
     -> text: Str(x)
     -> whole: Int(-3)
StartTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:01 +0000 UTC
Value: 7
Exemplars:
Exemplar #0
     -> Trace ID: 0102030405060708090a0b0c0d0e0f10
     -> Span ID: 0102030405060708
     -> Timestamp: 1970-01-01 00:00:01 +0000 UTC
     -> Value: 0.500000
Metric #1
Descriptor:
     -> Name: level
     -> Description: \n     -> Unit: \n     -> DataType: Gauge
NumberDataPoints #0
StartTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:01 +0000 UTC
Value: 2.500000
Metric #2
Descriptor:
     -> Name: latency
     -> Description: \n     -> Unit: \n     -> DataType: Histogram
     -> AggregationTemporality: Delta
HistogramDataPoints #0
StartTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:00 +0000 UTC
Count: 3
Sum: 4.000000
Min: 0.000000
ExplicitBounds #0: 0.500000
Buckets #0, Count: 1
Buckets #1, Count: 2
Metric #3
Descriptor:
     -> Name: sizes
     -> Description: \n     -> Unit: \n     -> DataType: ExponentialHistogram
     -> AggregationTemporality: Cumulative
ExponentialHistogramDataPoints #0
StartTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:00 +0000 UTC
Count: 4
Bucket [-4.000000, -2.000000), Count: 1
Bucket [0, 0], Count: 1
Bucket (1.000000, 2.000000], Count: 2
Metric #4
Descriptor:
     -> Name: old
     -> Description: \n     -> Unit: \n     -> DataType: Summary
SummaryDataPoints #0
StartTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:00 +0000 UTC
Count: 2
Sum: 3.000000
QuantileValue #0: Quantile 0.500000, Value 1.000000
`,
    )
  })

  it('prints every field of a log record with detailed', async () => {
    const [, text] = await printed('logs', logs, 'detailed')
    assert.deepEqual(text.message.split('\n').slice(7), [
      'LogRecord #0',
      'ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC',
      'Timestamp: 1970-01-01 00:00:00.5 +0000 UTC',
      'SeverityText: INFO',
      'SeverityNumber: Info(9)',
      'Body: Str(hello)',
      'Attributes:',
      '     -> text: Str(x)',
      '     -> whole: Int(-3)',
      'Trace ID: 0102030405060708090a0b0c0d0e0f10',
      'Span ID: ',
      'Flags: 1',
      '',
    ])
  })

  it('prints a mebibyte of a huge batch and says that there was more', async () => {
    const { host, exporter } = start({ verbosity: 'detailed' })
    await exporter.consume(countedSpans(20_000))
    const text = host.lines[1].message
    assert.ok(text.length > 1_000_000 && text.length < 1_100_000)
    assert.ok(text.endsWith('... (the rest is left out)\n'))
  })

  it('prints the first of each second and then every so many', async () => {
    const { host, exporter } = start({ sampling_initial: 2, sampling_thereafter: 3 })
    const sendTen = async () => {
      for (let round = 0; round < 10; round++) await exporter.consume(countedSpans(round + 1))
      return host.lines.splice(0).map((line) => (line.fields as { spans: number }).spans)
    }
    assert.deepEqual(await sendTen(), [1, 2, 5, 8])
    await host.clock.advance(1000)
    assert.deepEqual(await sendTen(), [1, 2, 5, 8])
    const value = host.meter.value('otelcol_exporter_sent_spans', { exporter: 'debug' })
    assert.equal(value, 110)
  })

  it('prints plain text to files when told not to use the log', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-debug-'))
    const path = join(folder, 'out.txt')
    const { host, exporter } = start({
      verbosity: 'normal',
      use_internal_logger: false,
      output_paths: [path],
    })
    await exporter.start!()
    await exporter.consume(countedSpans(2))
    await exporter.stop!(new AbortController().signal)
    assert.deepEqual(host.lines, [])
    const lines = readFileSync(path, 'utf8').split('\n')
    assert.equal(lines[0], 'Traces {"resource spans":1,"spans":2}')
    assert.equal(lines.length, 6)
    rmSync(folder, { recursive: true })
  })
})

describe('debug settings', () => {
  const meant: [settings: object, verbosity: string][] = [
    [{}, 'basic'],
    [{ verbosity: 'normal' }, 'normal'],
    [{ loglevel: 'debug' }, 'detailed'],
    [{ loglevel: 'info' }, 'normal'],
    [{ loglevel: 'warn' }, 'basic'],
    [{ loglevel: 'error' }, 'basic'],
    [{ loglevel: 'debug', verbosity: 'basic' }, 'basic'],
  ]
  for (const [settings, verbosity] of meant) {
    it(`mean ${verbosity} by ${JSON.stringify(settings)}`, () =>
      assert.equal(verbosityOf(debugSettings.parse(settings)), verbosity))
  }
})
