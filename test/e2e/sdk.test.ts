/** The official JS SDK sends to a gateway, which adds an attribute and sends on to a second one, which writes files. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Attributes, SeverityNumber, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { OTLPLogExporter as LogsGrpc } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as LogsProto } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as MetricsGrpc } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as MetricsProto } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as TracesGrpc } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as TracesProto } from '@opentelemetry/exporter-trace-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchLogRecordProcessor,
  InMemoryLogRecordExporter,
  LoggerProvider,
} from '@opentelemetry/sdk-logs'
import {
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, InMemorySpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Signal } from '../../src/otlp/signal.ts'
import { flatten, lengthPrefixed, withResourceAttribute } from '../kit/flatten.ts'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'

const [httpPort, grpcPort, farPort] = await freePorts(3)

const gatewayYaml = `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpcPort}" }
      http: { endpoint: "127.0.0.1:${httpPort}" }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 512 }
  resource:
    attributes:
      - { key: k8s.cluster.name, value: east-1, action: upsert }
  batch: { timeout: 50ms }
exporters:
  otlp: { endpoint: "127.0.0.1:${farPort}", tls: { insecure: true } }
service:
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter, resource, batch], exporters: [otlp] }
    metrics: { receivers: [otlp], processors: [memory_limiter, resource, batch], exporters: [otlp] }
    logs: { receivers: [otlp], processors: [memory_limiter, resource, batch], exporters: [otlp] }
  telemetry: { logs: { encoding: json }, metrics: { level: none } }
`

const fileExporter = (signal: Signal) =>
  `file/${signal}: { path: "{folder}/${signal}.pb", format: proto, flush_interval: 20ms }`

const farYaml = `
receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${farPort}" } } }
exporters:
  ${fileExporter('traces')}
  ${fileExporter('metrics')}
  ${fileExporter('logs')}
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [file/traces] }
    metrics: { receivers: [otlp], exporters: [file/metrics] }
    logs: { receivers: [otlp], exporters: [file/logs] }
  telemetry: { metrics: { level: none } }
`

let gateway: GatewayProcess
let farEnd: GatewayProcess

before(async () => {
  farEnd = await GatewayProcess.start(farYaml)
  gateway = await GatewayProcess.start(gatewayYaml)
})

after(async () => {
  assert.deepEqual([await gateway.stop(), await farEnd.stop()], [0, 0])
})

test('a warning about the configuration is a line of the log like any other', () => {
  const lines = gateway.log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const warnings = lines.filter(({ level }) => level === 'warn')
  assert.equal(warnings.length, 1)
  const message = '"otlp" alias is deprecated; use "otlp_grpc" instead'
  assert.equal(warnings[0]['msg'], `exporters.otlp has a type whose ${message}`)
  assert.equal(warnings[0]['line'], 14)
})

const everyKindOfAttribute: Attributes = {
  text: 'päth/to\n"x"',
  empty: '',
  whole: 42,
  negative: -7,
  fraction: 0.1,
  yes: true,
  texts: ['a', 'b'],
  numbers: [1, 2.5],
}

const forms = {
  'http/protobuf': (path: string) => ({ url: `http://127.0.0.1:${httpPort}/v1/${path}` }),
  'http/json': (path: string) => ({ url: `http://127.0.0.1:${httpPort}/v1/${path}` }),
  grpc: () => ({ url: `http://127.0.0.1:${grpcPort}` }),
}

const cases = (['http/protobuf', 'http/json', 'grpc'] as const).flatMap((form) =>
  [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP].map((compression) => ({
    form,
    compression,
  })),
)

for (const { form, compression } of cases) {
  const resource = resourceFromAttributes({
    'service.name': `sdk ${form} ${compression}`,
    ...everyKindOfAttribute,
  })
  const pick = <T>(exporters: Record<keyof typeof forms, T>): T => exporters[form]
  type MetricExporterClass = new (options: object) => PushMetricExporter
  const options = (path: string) => ({ ...forms[form](path), compression })

  test(`traces by ${form} with compression ${compression} arrive as they were sent`, async () => {
    const Exporter = pick({
      'http/protobuf': TracesProto,
      'http/json': TracesJson,
      grpc: TracesGrpc,
    })
    const kept = new InMemorySpanExporter()
    const provider = new TracerProvider({
      resource,
      spanProcessors: [
        new BatchSpanProcessor({ exporter: new Exporter(options('traces')) }),
        new BatchSpanProcessor({ exporter: kept }),
      ],
    })
    const tracer = provider.getTracer('test', '1.2.3')
    for (let number = 0; number < 50; number++) {
      const parent = tracer.startSpan(`parent ${number}`, {
        kind: SpanKind.SERVER,
        attributes: everyKindOfAttribute,
      })
      parent.addEvent('happened', { number })
      parent.setStatus({ code: SpanStatusCode.ERROR, message: 'broken' })
      const child = tracer.startSpan(`child ${number}`, {
        links: [{ context: parent.spanContext() }],
      })
      child.end()
      parent.end()
    }
    await provider.forceFlush()
    const sent = [ProtobufTraceSerializer.serializeRequest(kept.getFinishedSpans()) as Uint8Array]
    await provider.shutdown()
    await compare('traces', sent, `sdk ${form} ${compression}`)
  })

  test(`metrics by ${form} with compression ${compression} arrive as they were sent`, async () => {
    const Exporter = pick<MetricExporterClass>({
      'http/protobuf': MetricsProto,
      'http/json': MetricsJson,
      grpc: MetricsGrpc,
    })
    const exporter = new Exporter(options('metrics'))
    const sent: Uint8Array[] = []
    const send = exporter.export.bind(exporter)
    exporter.export = (metrics, done) => {
      sent.push(ProtobufMetricsSerializer.serializeRequest(metrics) as Uint8Array)
      send(metrics, done)
    }
    const provider = new MeterProvider({
      resource,
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 })],
    })
    const meter = provider.getMeter('test')
    meter.createCounter('requests', { unit: '1' }).add(3, { path: '/' })
    meter.createHistogram('duration', { unit: 'ms' }).record(12.5, { path: '/' })
    meter.createUpDownCounter('open').add(-2)
    meter.createObservableGauge('level').addCallback((result) => result.observe(0.25))
    await provider.shutdown()
    await compare('metrics', sent, `sdk ${form} ${compression}`)
  })

  test(`logs by ${form} with compression ${compression} arrive as they were sent`, async () => {
    const Exporter = pick({ 'http/protobuf': LogsProto, 'http/json': LogsJson, grpc: LogsGrpc })
    const kept = new InMemoryLogRecordExporter()
    const provider = new LoggerProvider({
      resource,
      processors: [
        new BatchLogRecordProcessor({ exporter: kept }),
        new BatchLogRecordProcessor({ exporter: new Exporter(options('logs')) }),
      ],
    })
    const logger = provider.getLogger('test')
    for (let number = 0; number < 50; number++) {
      logger.emit({
        body: { nested: { number, text: 'x' } },
        severityNumber: SeverityNumber.WARN,
        severityText: 'WARN',
        attributes: everyKindOfAttribute,
        eventName: 'event',
      })
    }
    await provider.forceFlush()
    const sent = [
      ProtobufLogsSerializer.serializeRequest(kept.getFinishedLogRecords()) as Uint8Array,
    ]
    await provider.shutdown()
    await compare('logs', sent, `sdk ${form} ${compression}`)
  })
}

/** What the far end wrote under this service name must be what was sent plus the gateway's attribute. */
async function compare(signal: Signal, sent: Uint8Array[], serviceName: string): Promise<void> {
  const expected = withResourceAttribute(flatten(signal, sent), 'k8s.cluster.name', 'east-1')
  assert.ok(expected.length > 0)
  const arrived = await eventually(() => {
    const all = flatten(signal, lengthPrefixed(farEnd.read(`${signal}.pb`)))
    const own = all.filter(({ resource }) => comparable(resource).includes(`"${serviceName}"`))
    return own.length >= expected.length ? own : undefined
  }, `arrival of ${expected.length} ${signal} of ${serviceName}`)
  assert.deepEqual(
    arrived.map((item) => comparable(item)),
    expected.map((item) => comparable(item)),
  )
}

function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one))
}
