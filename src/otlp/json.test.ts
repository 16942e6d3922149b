import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import * as fc from 'fast-check'

import { arbitraryRequest } from '../../test/kit/arbitraries.ts'
import {
  decodeRequest,
  encodeRequest,
  hexBytes,
  type PlainMessage,
  requestType,
} from '../../test/kit/oracle.ts'
import { otlpJson } from '../../test/kit/otlp-json.ts'
import { decodeJson } from './decode-json.ts'
import { encodeJson } from './encode-json.ts'
import { indexRequest } from './index-request.ts'
import { Refusal } from './refusal.ts'
import { type Signal, signalNames } from './signal.ts'

function fromJson(signal: Signal, text: string | Uint8Array): PlainMessage {
  return decodeRequest(signal, decodeJson(signal, text))
}

function toJson(signal: Signal, bytes: Uint8Array): string {
  return encodeJson(indexRequest(signal, bytes))
}

/** The first span of a document that holds `members` in one. */
function spanOf(members: string): PlainMessage {
  const request = fromJson('traces', spanDocument(members))
  return dig(request, 'resourceSpans', 'scopeSpans', 'spans')
}

function spanDocument(members: string): string {
  return `{"resourceSpans":[{"scopeSpans":[{"spans":[{${members}}]}]}]}`
}

function valueOf(value: string): PlainMessage {
  return dig(spanOf(`"attributes":[{"key":"k","value":${value}}]`), 'attributes')
    .value as PlainMessage
}

function dig(message: PlainMessage, ...names: readonly string[]): PlainMessage {
  let found = message
  for (const name of names) [found] = found[name] as PlainMessage[] as [PlainMessage]
  return found
}

function refusalOf(signal: Signal, text: string | Uint8Array): string {
  try {
    decodeJson(signal, text)
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    assert.equal(error.code, 'invalid')
    return error.message
  }
  return assert.fail('was taken')
}

/** Arrays within arrays, so that the innermost value is the given number of messages deep. */
function nestedDocument(messageDepth: number): string {
  // A log's body is the fifth message; each array adds an ArrayValue and an AnyValue.
  const arrays = (messageDepth - 5) / 2
  const body = `${'{"arrayValue":{"values":['.repeat(arrays)}{}${']}}'.repeat(arrays)}`
  return `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":${body}}]}]}]}`
}

for (const signal of signalNames) {
  describe(`JSON of ${signal}`, () => {
    test('what protobufjs decodes survives the way through JSON and back', () => {
      fc.assert(
        fc.property(arbitraryRequest(signal), ({ bytes }) => {
          const back = decodeJson(signal, toJson(signal, bytes))
          assert.deepStrictEqual(decodeRequest(signal, back), decodeRequest(signal, bytes))
        }),
        { numRuns: 60 },
      )
    })

    test('every spelling a receiver must take is read as it was meant', () => {
      const whims = fc.array(fc.nat(1), { minLength: 7, maxLength: 31 })
      fc.assert(
        fc.property(arbitraryRequest(signal), whims, ({ plain }, choices) => {
          const text = otlpJson(requestType(signal), plain, choices)
          const meant = decodeRequest(signal, encodeRequest(signal, plain))
          assert.deepStrictEqual(fromJson(signal, text), meant)
          assert.deepStrictEqual(fromJson(signal, new TextEncoder().encode(text)), meant)
        }),
        { numRuns: 60 },
      )
    })

    test('a damaged document is refused or read, and nothing else happens', () => {
      const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })
      fc.assert(
        fc.property(arbitraryRequest(signal), damage, ({ bytes }, hits) => {
          const text = new TextEncoder().encode(toJson(signal, bytes))
          for (const [position, byte] of hits) text[position % text.length] = byte
          readOrRefuse(signal, text)
        }),
        { numRuns: 60 },
      )
    })
  })
}

function readOrRefuse(signal: Signal, text: string | Uint8Array): void {
  let bytes: Uint8Array
  try {
    bytes = decodeJson(signal, text)
  } catch (error) {
    assert.ok(error instanceof Refusal && error.code === 'invalid', String(error))
    return
  }
  indexRequest(signal, bytes)
  decodeRequest(signal, bytes)
}

describe('writing JSON', () => {
  test('a request is written as the specification says', () => {
    const bytes = hexBytes(
      '0a44124212400a100102030405060708090a0b0c0d0e0f10120801020304050607082a016e30023901000000000000004102000000000000007a0512016d1802850101010000',
    )
    assert.equal(
      toJson('traces', bytes),
      '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10",' +
        '"spanId":"0102030405060708","flags":257,"name":"n","kind":2,"startTimeUnixNano":"1",' +
        '"endTimeUnixNano":"2","status":{"message":"m","code":2}}]}]}]}',
    )
  })

  test('an optional 0 is written, a number beyond 2^53 keeps its digits, specials are words', () => {
    const point = {
      attributes: [{ key: 'b', value: { bytesValue: 'hex:fffe' } }],
      timeUnixNano: 2n ** 64n - 1n,
      sum: 0,
      bucketCounts: [2n ** 53n + 1n],
      explicitBounds: [NaN, Infinity, -Infinity, -0, 1e21],
    }
    const bytes = encodeRequest('metrics', {
      resourceMetrics: [{ scopeMetrics: [{ metrics: [{ histogram: { dataPoints: [point] } }] }] }],
    })
    assert.equal(
      toJson('metrics', bytes),
      '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[{' +
        '"attributes":[{"key":"b","value":{"bytesValue":"//4="}}],' +
        '"timeUnixNano":"18446744073709551615","sum":0,"bucketCounts":["9007199254740993"],' +
        '"explicitBounds":["NaN","Infinity","-Infinity",-0,1e+21]}]}}]}]}]}',
    )
  })

  test('a batch without groups is an empty object', () => {
    assert.equal(toJson('logs', new Uint8Array(0)), '{}')
  })

  test('text that is not UTF-8 is written with replacement characters', () => {
    // A span whose name is the byte ff.
    assert.match(toJson('traces', hexBytes('0a07120512032a01ff')), /"name":"\ufffd"/)
  })

  test('a value nested beyond the limit is refused', () => {
    let body = new Uint8Array(0)
    for (let level = 0; level < 60; level++) {
      const list = Uint8Array.from([0x0a, ...lengthOf(body), ...body])
      body = Uint8Array.from([0x2a, ...lengthOf(list), ...list])
    }
    for (const tag of [0x2a, 0x12, 0x12, 0x0a])
      body = Uint8Array.from([tag, ...lengthOf(body), ...body])
    assert.throws(() => toJson('logs', body), { name: 'Refusal', code: 'invalid' })
  })
})

function lengthOf(bytes: Uint8Array): number[] {
  return bytes.length < 128 ? [bytes.length] : [(bytes.length & 0x7f) | 0x80, bytes.length >> 7]
}

describe('reading JSON', () => {
  test('the OpenTelemetry SDK writes what we read as it meant it', () => {
    const exporter = new InMemorySpanExporter()
    const provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': 'shop', flag: true, list: [1, 2] }),
      spanProcessors: [new SimpleSpanProcessor({ exporter })],
    })
    const tracer = provider.getTracer('scope', '1.2')
    const parent = tracer.startSpan('buy', { kind: SpanKind.SERVER, startTime: 1_700_000_000_123 })
    parent.setAttributes({ count: 3, ratio: 0.5, text: 'ü', none: [] })
    parent.addEvent('paid', { amount: 9.75 }, 1_700_000_000_200)
    parent.setStatus({ code: SpanStatusCode.ERROR, message: 'too late' })
    parent.end(1_700_000_000_456)
    const spans = exporter.getFinishedSpans()
    const json = JsonTraceSerializer.serializeRequest(spans)
    assert.ok(json)
    const [sdkSpan] = spans
    assert.ok(sdkSpan)
    const request = fromJson('traces', json)
    assert.deepStrictEqual(dig(request, 'resourceSpans').resource, {
      attributes: [
        { key: 'service.name', value: { stringValue: 'shop' } },
        { key: 'flag', value: { boolValue: true } },
        { key: 'list', value: { arrayValue: { values: [{ intValue: 1n }, { intValue: 2n }] } } },
      ],
    })
    assert.deepStrictEqual(dig(request, 'resourceSpans', 'scopeSpans').scope, {
      name: 'scope',
      version: '1.2',
    })
    const span = dig(request, 'resourceSpans', 'scopeSpans', 'spans')
    assert.equal(span.traceId, `hex:${sdkSpan.spanContext().traceId}`)
    assert.equal(span.spanId, `hex:${sdkSpan.spanContext().spanId}`)
    assert.deepStrictEqual(span.attributes, [
      { key: 'count', value: { intValue: 3n } },
      { key: 'ratio', value: { doubleValue: 0.5 } },
      { key: 'text', value: { stringValue: 'ü' } },
      { key: 'none', value: { arrayValue: {} } },
    ])
    assert.equal(span.kind, 2)
    assert.equal(span.startTimeUnixNano, 1_700_000_000_123_000_000n)
    assert.deepStrictEqual(span.status, { message: 'too late', code: 2 })
    const [event] = span.events as PlainMessage[]
    assert.equal(event?.timeUnixNano, 1_700_000_000_200_000_000n)

    // And written by us, it means the same to JSON.parse, apart from defaults, which the SDK spells out.
    const ours = JSON.parse(toJson('traces', decodeJson('traces', json))) as unknown
    const theirs = JSON.parse(new TextDecoder().decode(json), (_key, value: unknown) =>
      value === 0 || (Array.isArray(value) && value.length === 0) ? undefined : value,
    ) as unknown
    assert.deepStrictEqual(withNumbersAsText(ours), withNumbersAsText(theirs))
  })

  test('null is absent, and an empty value in a list', () => {
    assert.deepStrictEqual(spanOf('"name":null,"status":null,"attributes":null,"kind":null'), {})
    assert.deepStrictEqual(valueOf('null'), undefined)
    assert.deepStrictEqual(valueOf('{"stringValue":null}'), {})
    const list = valueOf('{"arrayValue":{"values":[null,{"intValue":1}]}}')
    assert.deepStrictEqual(list, { arrayValue: { values: [{}, { intValue: 1n }] } })
  })

  test('a list of numbers may be of any length', () => {
    for (const length of [0, 1, 1023, 1024, 1025, 5000]) {
      const counts = Array.from({ length }, (_, index) => BigInt(index))
      const point = `{"bucketCounts":[${counts.join(',')}],"explicitBounds":[${counts.join(',')}]}`
      const data = `"scopeMetrics":[{"metrics":[{"histogram":{"dataPoints":[${point}]}}]}]`
      const request = fromJson('metrics', `{"resourceMetrics":[{${data}}]}`)
      const metric = dig(request, 'resourceMetrics', 'scopeMetrics', 'metrics')
      const { bucketCounts = [], explicitBounds = [] } = dig(
        metric.histogram as PlainMessage,
        'dataPoints',
      )
      assert.deepStrictEqual(bucketCounts, counts)
      assert.deepStrictEqual(explicitBounds, counts.map(Number))
    }
  })

  test('an empty string is told from an empty value', () => {
    assert.deepStrictEqual(valueOf('{"stringValue":""}'), { stringValue: '' })
    assert.deepStrictEqual(valueOf('{"intValue":0}'), { intValue: 0n })
    assert.deepStrictEqual(valueOf('{}'), {})
  })

  test('integers may be written with a fraction or an exponent that vanishes', () => {
    assert.deepStrictEqual(spanOf('"startTimeUnixNano":1.5e3,"droppedEventsCount":2.0'), {
      startTimeUnixNano: 1500n,
      droppedEventsCount: 2,
    })
  })

  test('a byte order mark and space around the document are passed over', () => {
    assert.deepStrictEqual(fromJson('logs', '\ufeff \r\n\t{ } \n'), {})
  })

  test('unknown keys are ignored, whatever they hold', () => {
    const unknown = '"x":{"a":[1,-2.5e-3,{"b":"\\"}]"},[[]],true,false,null,{}],"c":""}'
    assert.deepStrictEqual(spanOf(`${unknown},"name":"n",${unknown}`), { name: 'n' })
    const deep = `"x":${'[{"y":'.repeat(4000)}1${'}]'.repeat(4000)}`
    assert.deepStrictEqual(spanOf(`${deep},"name":"n"`), { name: 'n' })
  })

  test('keys of a prototype are unknown keys', () => {
    assert.deepStrictEqual(spanOf('"__proto__":1,"constructor":{},"toString":[]'), {})
  })

  const id = '0102030405060708090a0b0c0d0e0f10'
  const at = 'resourceSpans[0].scopeSpans[0].spans[0]'
  const refused: readonly (readonly [members: string, message: string])[] = [
    ['"traceId":"0102"', `${at}.traceId must be 32 hex digits or empty, got "0102"`],
    [
      '"traceId":"AQIDBAUGBwgJCgsMDQ4PEA=="',
      `${at}.traceId must be 32 hex digits or empty, got "AQIDBAUGBwgJCgsMDQ4PEA=="`,
    ],
    [`"spanId":"${id}"`, `${at}.spanId must be 16 hex digits or empty, got "${id}"`],
    ['"spanId":7', `${at}.spanId must be 16 hex digits or empty, got number`],
    ['"name":7', `${at}.name must be a string, got number`],
    ['"kind":"SERVER"', `${at}.kind must be a number or a known name, got "SERVER"`],
    ['"kind":2147483648', `${at}.kind must be within -2147483648 and 2147483647, got 2147483648`],
    ['"kind":true', `${at}.kind must be an integer, got boolean`],
    ['"flags":-1', `${at}.flags must be within 0 and 4294967295, got -1`],
    ['"flags":1.5', `${at}.flags must be an integer, got 1.5`],
    ['"flags":"1.5"', `${at}.flags must be an integer, got "1.5"`],
    [
      '"startTimeUnixNano":"18446744073709551616"',
      `${at}.startTimeUnixNano must be within 0 and 18446744073709551615, got "18446744073709551616"`,
    ],
    ['"startTimeUnixNano":""', `${at}.startTimeUnixNano must be an integer, got ""`],
    ['"startTimeUnixNano":"0x10"', `${at}.startTimeUnixNano must be an integer, got "0x10"`],
    ['"status":[]', `${at}.status must be an object, got array`],
    ['"events":{}', `${at}.events must be an array, got object`],
    ['"events":[1]', `${at}.events[0] must be an object, got number`],
    [
      '"attributes":[{},{"value":{"boolValue":"true"}}]',
      `${at}.attributes[1].value.boolValue must be a boolean, got string`,
    ],
    [
      '"attributes":[{"value":{"bytesValue":"a*=="}}]',
      `${at}.attributes[0].value.bytesValue must be base64, got "a*=="`,
    ],
    [
      '"attributes":[{"value":{"doubleValue":"nan"}}]',
      `${at}.attributes[0].value.doubleValue must be a number, "NaN", "Infinity" or "-Infinity", got "nan"`,
    ],
    [
      '"attributes":[{"value":{"doubleValue":1e999}}]',
      `${at}.attributes[0].value.doubleValue must be a number, "NaN", "Infinity" or "-Infinity", got 1e999`,
    ],
  ]
  for (const [members, message] of refused) {
    test(`${members} is refused`, () => {
      assert.equal(refusalOf('traces', spanDocument(members)), message)
    })
  }

  const broken: readonly (readonly [text: string, message: string])[] = [
    ['', 'not JSON at byte 0 (document): the body ends there'],
    ['[]', 'document must be an object, got array'],
    ['{}{}', 'not JSON at byte 2 (document): found "{"'],
    ['{"a":1,}', 'not JSON at byte 7 (a): found "}"'],
    ['{"a":01}', 'not JSON at byte 6 (a): found "1"'],
    ['{"a":-}', 'not JSON at byte 6 (a): found "}"'],
    ['{"a":1.}', 'not JSON at byte 7 (a): found "}"'],
    ['{"a":.5}', 'not JSON at byte 5 (a): found "."'],
    ['{"a":nul}', 'not JSON at byte 8 (a): found "}"'],
    ['{"a":tru', 'not JSON at byte 8 (a): the body ends there'],
    ['{"a":12', 'not JSON at byte 7 (a): the body ends there'],
    ['{"a":"b', 'not JSON at byte 7 (a): the body ends there'],
    ['{"a":"b\\', 'not JSON at byte 8 (a): the body ends there'],
    ['{"a":"\n"}', 'not JSON at byte 6 (a): found "\\n"'],
    ["{'a':1}", 'not JSON at byte 1 (document): found "\'"'],
    [
      '{"resourceLogs":[{"schemaUrl":"s"},{1}]}',
      'not JSON at byte 36 (resourceLogs[1]): found "1"',
    ],
    ['{"a" 1}', 'not JSON at byte 5 (document): found "1"'],
    ['{"a":[1 2]}', 'not JSON at byte 8 (a): found "2"'],
    [
      '{"resourceLogs":[{"schemaUrl":"\\x"}]}',
      'resourceLogs[0].schemaUrl has an escape that JSON does not know',
    ],
    ['{"resourceLogs":[', 'not JSON at byte 17 (resourceLogs[0]): the body ends there'],
  ]
  for (const [text, message] of broken) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.equal(refusalOf('logs', text), message)
    })
  }

  test('bytes that are not UTF-8 are refused', () => {
    const text = Buffer.from('{"resourceLogs":[{"schemaUrl":"\xff"}]}', 'latin1')
    assert.equal(refusalOf('logs', text), 'resourceLogs[0].schemaUrl is not UTF-8')
  })

  test('messages may nest 100 deep and no deeper', () => {
    const deepest = nestedDocument(99)
    assert.equal(toJson('logs', decodeJson('logs', deepest)), deepest)
    assert.match(refusalOf('logs', nestedDocument(101)), /nests deeper than 100 messages$/)
  })

  test('a document of nothing but brackets is refused at once', () => {
    assert.match(refusalOf('logs', `{"x":${'['.repeat(2_000_000)}`), /nests too deep$/)
    const values = '{"arrayValue":{"values":['.repeat(100_000)
    const text = `{"resourceLogs":[{"resource":{"attributes":[{"value":${values}`
    assert.match(refusalOf('logs', text), /nests deeper than 100 messages$/)
  })

  test('any JSON at all is read or refused', () => {
    const keys = [
      'resourceSpans',
      'scopeSpans',
      'spans',
      'attributes',
      'value',
      'arrayValue',
      'values',
      'traceId',
    ]
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'large', maxDepth: 8 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => readOrRefuse('traces', JSON.stringify(value))),
      { numRuns: 300 },
    )
  })
})

/** 64-bit numbers are text in ours, and numbers or text in the SDK's. */
function withNumbersAsText(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'number' ? String(part) : part,
    ),
  ) as unknown
}
