import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'

import {
  decodeMessage,
  encodeMessage,
  hexBytes,
  type PlainMessage,
  responseType,
} from '../../test/kit/oracle.ts'
import {
  decodePartialSuccess,
  decodeStatus,
  encodeExportResponse,
  encodeStatus,
  type RpcStatus,
} from './responses.ts'
import { type Signal, signalNames } from './signal.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytesOf = (json: string) => new TextEncoder().encode(json)

const rejectedKeys: Record<Signal, string> = {
  traces: 'rejectedSpans',
  metrics: 'rejectedDataPoints',
  logs: 'rejectedLogRecords',
}

const retryInfoUrl = 'type.googleapis.com/google.rpc.RetryInfo'

function statusWithRetry(retryDelay: PlainMessage | undefined, typeUrl = retryInfoUrl): Uint8Array {
  const info = encodeMessage('google.rpc.RetryInfo', retryDelay === undefined ? {} : { retryDelay })
  const details = [{ type_url: typeUrl, value: `hex:${hex(info)}` }]
  return encodeMessage('google.rpc.Status', { code: 8, message: 'full', details })
}

describe('export responses', () => {
  for (const signal of signalNames) {
    test(`full success of ${signal} leaves partial_success unset`, () => {
      assert.equal(encodeExportResponse(signal, 'proto').length, 0)
      assert.equal(text(encodeExportResponse(signal, 'json')), '{}')
    })

    test(`partial success of ${signal} reads the same to protobufjs and to us`, () => {
      const partial = { rejectedItemCount: 2, message: 'bad' }
      const proto = encodeExportResponse(signal, 'proto', partial)
      assert.equal(hex(proto), '0a0708021203626164')
      assert.deepStrictEqual(decodeMessage(responseType(signal), proto), {
        partialSuccess: { [rejectedKeys[signal]]: 2n, errorMessage: 'bad' },
      })
      assert.deepStrictEqual(decodePartialSuccess(signal, proto, 'proto'), partial)

      const json = encodeExportResponse(signal, 'json', partial)
      const key = rejectedKeys[signal]
      assert.equal(text(json), `{"partialSuccess":{"${key}":"2","errorMessage":"bad"}}`)
      assert.deepStrictEqual(decodePartialSuccess(signal, json, 'json'), partial)
    })
  }

  test('an empty partial success, as the Collector answers, is full success', () => {
    assert.equal(decodePartialSuccess('traces', hexBytes('0a00'), 'proto'), undefined)
    assert.equal(
      decodePartialSuccess('traces', bytesOf('{"partialSuccess":{}}'), 'json'),
      undefined,
    )
    assert.equal(decodePartialSuccess('traces', new Uint8Array(0), 'json'), undefined)
  })

  test('a message without rejected items is a warning', () => {
    const warning = { rejectedItemCount: 0, message: 'careful' }
    const proto = encodeExportResponse('logs', 'proto', warning)
    assert.deepStrictEqual(decodePartialSuccess('logs', proto, 'proto'), warning)
    const json = bytesOf('{"partial_success":{"error_message":"careful"}}')
    assert.deepStrictEqual(decodePartialSuccess('logs', json, 'json'), warning)
  })

  test('counts beyond what a number holds exactly are capped, negative ones are none', () => {
    const reject = (rejectedSpans: bigint) =>
      encodeMessage(responseType('traces'), {
        partialSuccess: { rejectedSpans, errorMessage: 'm' },
      })
    const count = (bytes: Uint8Array) =>
      decodePartialSuccess('traces', bytes, 'proto')?.rejectedItemCount
    assert.equal(count(reject(2n ** 63n - 1n)), Number.MAX_SAFE_INTEGER)
    assert.equal(count(reject(-1n)), 0)
    const json = bytesOf('{"partialSuccess":{"rejectedSpans":"9223372036854775807"}}')
    const capped = decodePartialSuccess('traces', json, 'json')
    assert.equal(capped?.rejectedItemCount, Number.MAX_SAFE_INTEGER)
  })

  test('a number in place of the 64-bit text counts as well', () => {
    const json = bytesOf('{"partialSuccess":{"rejectedSpans":3}}')
    assert.equal(decodePartialSuccess('traces', json, 'json')?.rejectedItemCount, 3)
  })
})

describe('statuses', () => {
  const cases: readonly RpcStatus[] = [
    { code: 0, message: '' },
    { code: 14, message: 'später' },
    { code: 8, message: 'full', retryDelayMs: 1500 },
    { code: 8, message: 'full', retryDelayMs: 0 },
    { code: 8, message: 'full', retryDelayMs: 30_000 },
  ]
  for (const status of cases) {
    test(`${JSON.stringify(status)} comes back from both forms`, () => {
      assert.deepStrictEqual(decodeStatus(encodeStatus('proto', status)), status)
      assert.deepStrictEqual(decodeStatus(encodeStatus('json', status), 'json'), status)
    })
  }

  test('protobufjs finds the RetryInfo in what we write', () => {
    const bytes = encodeStatus('proto', { code: 8, message: 'full', retryDelayMs: 1500 })
    const decoded = decodeMessage('google.rpc.Status', bytes)
    const [detail] = decoded.details as { type_url: string; value: string }[]
    assert.equal(detail?.type_url, retryInfoUrl)
    const info = decodeMessage('google.rpc.RetryInfo', hexBytes(detail?.value.slice(4) ?? ''))
    assert.deepStrictEqual(info, { retryDelay: { seconds: 1n, nanos: 500_000_000 } })
  })

  test('JSON details are written as protobuf maps an Any', () => {
    const json = encodeStatus('json', { code: 8, message: 'full', retryDelayMs: 1050 })
    const details = `[{"@type":"${retryInfoUrl}","retryDelay":"1.050s"}]`
    assert.equal(text(json), `{"code":8,"message":"full","details":${details}}`)
  })

  test('a RetryInfo without a delay is told from no RetryInfo', () => {
    assert.equal(decodeStatus(statusWithRetry(undefined))?.retryDelayMs, 0)
    const other = statusWithRetry({ seconds: 1n }, 'type.googleapis.com/google.rpc.ErrorInfo')
    assert.deepStrictEqual(decodeStatus(other), { code: 8, message: 'full' })
  })

  test('delays are rounded up to milliseconds and never negative or endless', () => {
    assert.equal(decodeStatus(statusWithRetry({ nanos: 1 }))?.retryDelayMs, 1)
    assert.equal(decodeStatus(statusWithRetry({ seconds: -5n }))?.retryDelayMs, 0)
    const endless = decodeStatus(statusWithRetry({ seconds: 2n ** 62n }))
    assert.equal(endless?.retryDelayMs, 365 * 24 * 3600 * 1000)
  })

  test('a proxy page is no status', () => {
    assert.equal(decodeStatus(bytesOf('<html>Bad Gateway</html>'), 'json'), undefined)
    assert.equal(decodeStatus(bytesOf('<html>Bad Gateway</html>'), 'proto'), undefined)
  })
})

describe('hostile answers', () => {
  test('any bytes decode to something or nothing, and never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        decodeStatus(bytes)
        decodeStatus(bytes, 'json')
        decodePartialSuccess('traces', bytes, 'proto')
        decodePartialSuccess('metrics', bytes, 'json')
      }),
      { numRuns: 300 },
    )
  })

  test('any JSON decodes to something or nothing, and never throws', () => {
    const keys = [
      'toString',
      'rejectedLogRecords',
      'code',
      'message',
      'details',
      '@type',
      'retryDelay',
      'partialSuccess',
    ]
    const value = fc.anything({ key: fc.constantFrom(...keys), withNullPrototype: false })
    fc.assert(
      fc.property(value, (any) => {
        const json = bytesOf(safeJson(any))
        decodeStatus(json, 'json')
        decodePartialSuccess('logs', json, 'json')
      }),
    )
  })

  test('long messages are cut, and long answers not looked at', () => {
    const long = encodeStatus('proto', { code: 2, message: 'x'.repeat(5000) })
    assert.equal(decodeStatus(long)?.message.length, 1024)
    const huge = encodeStatus('json', { code: 2, message: 'x'.repeat(70_000) })
    assert.equal(decodeStatus(huge, 'json'), undefined)
  })
})

function safeJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? 1 : part)) ?? '1'
  )
}
