import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import protobuf from 'protobufjs'

import { arbitraryMessage } from '../../test/kit/arbitraries.ts'
import { decodeMessage, hexText, type Plain, type PlainMessage } from '../../test/kit/oracle.ts'
import { type Attribute, type AttributeValue, readValue } from './attributes.ts'
import { LogRecordView } from './log-view.ts'
import { MetricView } from './metric-view.ts'
import {
  type ExemplarView,
  type ExponentialBuckets,
  ExponentialHistogramPointView,
  HistogramPointView,
  NumberPointView,
  type PointView,
  SummaryPointView,
} from './point-views.ts'
import { Refusal } from './refusal.ts'
import { ResourceView, ScopeView } from './resource-view.ts'
import { type SpanEventView, type SpanLinkView, SpanView } from './span-view.ts'

// Each view is written out as the plain data that protobufjs decodes, with defaults left out, and must equal that.

function withoutDefaults(message: Readonly<Record<string, Plain | undefined>>): PlainMessage {
  const plain: Record<string, Plain> = {}
  for (const [name, value] of Object.entries(message)) {
    if (value === undefined || value === '' || value === 'hex:' || value === false) continue
    if (value === 0n || Object.is(value, 0) || (Array.isArray(value) && value.length === 0))
      continue
    plain[name] = value
  }
  return plain
}

/** The oracle's decoding, with attributes as readAttributes gives them: the first of each key. */
function decodeFirstKeys(type: string, bytes: Uint8Array): PlainMessage {
  return firstKeys(decodeMessage(type, bytes)) as PlainMessage
}

function firstKeys(value: Plain): Plain {
  if (Array.isArray(value)) return (value as Plain[]).map(firstKeys)
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, part]): [string, Plain] => {
    if (!attributeLists.has(name)) return [name, firstKeys(part)]
    const seen = new Set<Plain>()
    const list = part as readonly PlainMessage[]
    return [name, list.filter(({ key = '' }) => !seen.has(key) && seen.add(key))]
  })
  return Object.fromEntries(entries)
}

const attributeLists = new Set(['attributes', 'filteredAttributes', 'metadata'])

function plainAttributes(attributes: readonly Attribute[]): Plain[] {
  return attributes.map(({ bytes }) =>
    decodeMessage('opentelemetry.proto.common.v1.KeyValue', bytes),
  )
}

function plainResource(view: ResourceView): PlainMessage {
  return withoutDefaults({
    attributes: plainAttributes(view.attributes),
    droppedAttributesCount: view.droppedAttributesCount,
    entityRefs: view.entityRefs.map(({ schemaUrl, type, idKeys, descriptionKeys }) =>
      withoutDefaults({ schemaUrl, type, idKeys, descriptionKeys }),
    ),
  })
}

function plainScope(view: ScopeView): PlainMessage {
  const { name, version, droppedAttributesCount } = view
  const attributes = plainAttributes(view.attributes)
  return withoutDefaults({ name, version, attributes, droppedAttributesCount })
}

function plainEvent(view: SpanEventView): PlainMessage {
  const { timeUnixNano, name, droppedAttributesCount } = view
  const attributes = plainAttributes(view.attributes)
  return withoutDefaults({ timeUnixNano, name, attributes, droppedAttributesCount })
}

function plainLink(view: SpanLinkView): PlainMessage {
  const { traceState, droppedAttributesCount, flags } = view
  return withoutDefaults({
    traceId: `hex:${view.traceId}`,
    spanId: `hex:${view.spanId}`,
    traceState,
    attributes: plainAttributes(view.attributes),
    droppedAttributesCount,
    flags,
  })
}

function plainSpan(view: SpanView): PlainMessage {
  assert.equal(hexText(view.traceIdBytes), `hex:${view.traceId}`)
  const { traceState, name, kind, startTimeUnixNano, endTimeUnixNano, flags } = view
  const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } = view
  return withoutDefaults({
    traceId: `hex:${view.traceId}`,
    spanId: `hex:${view.spanId}`,
    traceState,
    parentSpanId: `hex:${view.parentSpanId}`,
    name,
    kind,
    startTimeUnixNano,
    endTimeUnixNano,
    attributes: plainAttributes(view.attributes),
    droppedAttributesCount,
    events: view.events.map(plainEvent),
    droppedEventsCount,
    links: view.links.map(plainLink),
    droppedLinksCount,
    status: withoutDefaults({ ...view.status }),
    flags,
  })
}

function plainLog(view: LogRecordView): PlainMessage {
  const { timeUnixNano, severityNumber, severityText, droppedAttributesCount, flags } = view
  return withoutDefaults({
    timeUnixNano,
    severityNumber,
    severityText,
    attributes: plainAttributes(view.attributes),
    droppedAttributesCount,
    flags,
    traceId: `hex:${view.traceId}`,
    spanId: `hex:${view.spanId}`,
    observedTimeUnixNano: view.observedTimeUnixNano,
    eventName: view.eventName,
  })
}

function plainNumber(value: number | bigint | undefined): Record<string, Plain> {
  if (value === undefined) return {}
  return typeof value === 'bigint' ? { asInt: value } : { asDouble: value }
}

function plainExemplar(view: ExemplarView): PlainMessage {
  const plain = withoutDefaults({
    filteredAttributes: plainAttributes(view.filteredAttributes),
    timeUnixNano: view.timeUnixNano,
    spanId: `hex:${view.spanId}`,
    traceId: `hex:${view.traceId}`,
  })
  return { ...plain, ...plainNumber(view.value) }
}

function plainPoint(view: PointView): PlainMessage {
  assert.equal(view.hasNoRecordedValue, view.flags % 2 === 1)
  const { startTimeUnixNano, timeUnixNano, flags } = view
  const attributes = plainAttributes(view.attributes)
  return withoutDefaults({ attributes, startTimeUnixNano, timeUnixNano, flags })
}

/** Presence counts, so that 0 stays. */
function present(values: Readonly<Record<string, number | undefined>>): PlainMessage {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as PlainMessage
}

function plainBuckets(buckets: ExponentialBuckets | undefined): PlainMessage | undefined {
  return buckets && withoutDefaults({ ...buckets })
}

function plainPointOfKind(view: PointView): PlainMessage {
  const plain = plainPoint(view)
  if (view instanceof NumberPointView) {
    const exemplars = view.exemplars.map(plainExemplar)
    return { ...plain, ...withoutDefaults({ exemplars }), ...plainNumber(view.value) }
  }
  if (view instanceof SummaryPointView) {
    const quantileValues = view.quantileValues.map((pair) => withoutDefaults({ ...pair }))
    return { ...plain, ...withoutDefaults({ count: view.count, sum: view.sum, quantileValues }) }
  }
  if (view instanceof HistogramPointView) {
    const { count, sum, min, max, bucketCounts, explicitBounds } = view
    const exemplars = view.exemplars.map(plainExemplar)
    const rest = withoutDefaults({ count, bucketCounts, explicitBounds, exemplars })
    return { ...plain, ...rest, ...present({ sum, min, max }) }
  }
  assert.ok(view instanceof ExponentialHistogramPointView)
  const { count, sum, min, max, scale, zeroCount, zeroThreshold } = view
  const rest = withoutDefaults({
    count,
    scale,
    zeroCount,
    zeroThreshold,
    positive: plainBuckets(view.positive),
    negative: plainBuckets(view.negative),
    exemplars: view.exemplars.map(plainExemplar),
  })
  return { ...plain, ...rest, ...present({ sum, min, max }) }
}

function plainMetric(view: MetricView): PlainMessage {
  const { name, description, unit, data } = view
  const metadata = plainAttributes(view.metadata)
  const plain = withoutDefaults({ name, description, unit, metadata })
  assert.equal(view.kind, data?.kind)
  if (data === undefined) return plain
  const member = withoutDefaults({
    dataPoints: data.points.map(plainPointOfKind),
    ...('temporality' in data && { aggregationTemporality: data.temporality }),
    ...('isMonotonic' in data && { isMonotonic: data.isMonotonic }),
  })
  return { ...plain, [data.kind]: member }
}

const common = 'opentelemetry.proto.common.v1'

function compare(type: string, plainOf: (bytes: Uint8Array) => PlainMessage): void {
  fc.assert(
    fc.property(arbitraryMessage(type), ({ bytes }) => {
      assert.deepStrictEqual(plainOf(bytes), decodeFirstKeys(type, bytes))
    }),
    { numRuns: 150 },
  )
}

test('a resource view shows what protobufjs decodes', () => {
  compare('opentelemetry.proto.resource.v1.Resource', (b) => plainResource(new ResourceView(b)))
})

test('a scope view shows what protobufjs decodes', () => {
  compare(`${common}.InstrumentationScope`, (bytes) => plainScope(new ScopeView(bytes)))
})

test('views of absent messages are empty', () => {
  assert.deepStrictEqual(plainResource(new ResourceView()), {})
  assert.deepStrictEqual(plainScope(new ScopeView()), {})
})

test('a span view shows what protobufjs decodes', () => {
  const type = 'opentelemetry.proto.trace.v1.Span'
  fc.assert(
    fc.property(arbitraryMessage(type), ({ bytes }) => {
      // An absent status and an empty one look alike.
      const { status, ...rest } = decodeFirstKeys(type, bytes)
      const meant = { ...rest, status: status ?? {} }
      assert.deepStrictEqual(plainSpan(new SpanView(bytes)), meant)
    }),
    { numRuns: 150 },
  )
})

test('a log record view shows what protobufjs decodes', () => {
  const type = 'opentelemetry.proto.logs.v1.LogRecord'
  fc.assert(
    fc.property(arbitraryMessage(type), ({ bytes }) => {
      const { body, ...rest } = decodeFirstKeys(type, bytes)
      const view = new LogRecordView(bytes)
      assert.deepStrictEqual(plainLog(view), rest)
      assert.deepStrictEqual(view.body, attributeValue(body as PlainMessage | undefined))
    }),
    { numRuns: 150 },
  )
})

test('a value nested without end is refused, not overflowed', () => {
  let bytes = new Uint8Array(0)
  for (let level = 0; level < 3000; level++) {
    for (const tag of [0x0a, 0x2a]) {
      const header = protobuf.Writer.create().uint32(tag).uint32(bytes.length).finish()
      bytes = new Uint8Array(Buffer.concat([header, bytes]))
    }
  }
  assert.throws(() => readValue(bytes), { name: 'Refusal', code: 'invalid' })
})

test('a metric view shows what protobufjs decodes', () => {
  compare('opentelemetry.proto.metrics.v1.Metric', (bytes) => plainMetric(new MetricView(bytes)))
})

test('views of damaged bytes show something or refuse, and nothing else happens', () => {
  const shown: readonly (readonly [type: string, show: (bytes: Uint8Array) => unknown])[] = [
    ['opentelemetry.proto.trace.v1.Span', (bytes) => showAll(new SpanView(bytes))],
    ['opentelemetry.proto.metrics.v1.Metric', (bytes) => showAll(new MetricView(bytes))],
    ['opentelemetry.proto.logs.v1.LogRecord', (bytes) => showAll(new LogRecordView(bytes))],
  ]
  for (const [type, show] of shown) {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(arbitraryMessage(type), damage, ({ bytes }, hits) => {
        for (const [position, byte] of hits)
          if (bytes.length > 0) bytes[position % bytes.length] = byte
        show(bytes)
      }),
      { numRuns: 80 },
    )
  }
})

/** Reads every property of a view and of the views in it. */
function showAll(view: object): void {
  for (let at = view; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Object.getOwnPropertyNames(at)) {
      const value = readOrRefusal(view, name)
      const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
      for (const part of parts)
        if (typeof part === 'object' && part !== null && 'bytes' in part) showAll(part)
      if (typeof value === 'object' && value !== null && 'points' in value)
        for (const point of value.points as object[]) showAll(point)
    }
  }
}

function readOrRefusal(view: object, name: string): unknown {
  try {
    return Reflect.get(view, name)
  } catch (error) {
    assert.ok(error instanceof Refusal && error.code === 'invalid', String(error))
    return undefined
  }
}

/** What readValue makes of an AnyValue, from the oracle's. */
function attributeValue(value: PlainMessage | undefined): AttributeValue {
  if (value === undefined) return null
  const [[kind, held] = ['', '']] = Object.entries(value)
  switch (kind) {
    case '':
      return null
    case 'bytesValue':
      return Uint8Array.from(Buffer.from((held as string).slice('hex:'.length), 'hex'))
    case 'arrayValue':
      return (((held as PlainMessage).values ?? []) as PlainMessage[]).map(attributeValue)
    case 'kvlistValue': {
      const pairs = ((held as PlainMessage).values ?? []) as PlainMessage[]
      // The first of each key, so that it must be set last.
      return new Map(
        pairs
          .toReversed()
          .map(({ key, value: inner }) => [
            (key ?? '') as string,
            attributeValue(inner as PlainMessage | undefined),
          ]),
      )
    }
    default:
      return held as string | boolean | bigint | number
  }
}
