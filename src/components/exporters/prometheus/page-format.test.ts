import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptsGzip, negotiate } from './page-format.ts'

const proto =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited'
const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,' +
  'application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;' +
  'escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const text4 = 'text/plain; version=0.0.4; charset=utf-8'
const open1 = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

const rows: readonly (readonly [rule: string, accept: string, open: boolean, type: string])[] = [
  ['nothing asked gets text', '', true, `${text4}; escaping=underscores`],
  ['anything gets text', '*/*', true, `${text4}; escaping=underscores`],
  ['nothing known gets text', 'image/png', true, `${text4}; escaping=underscores`],
  ['text without a version is 0.0.4', 'text/plain', true, `${text4}; escaping=underscores`],
  [
    'text 1.0.0',
    'text/plain;version=1.0.0;escaping=dots',
    true,
    'text/plain; version=1.0.0; charset=utf-8; escaping=dots',
  ],
  [
    'an unknown version does not match',
    'text/plain;version=9',
    true,
    `${text4}; escaping=underscores`,
  ],
  ['Prometheus 3 prefers OpenMetrics', prometheus3, true, `${open1}; escaping=allow-utf-8`],
  [
    'OpenMetrics switched off leaves text',
    prometheus3,
    false,
    'text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8',
  ],
  [
    'escaping of an entry that does not match stays',
    'application/openmetrics-text;escaping=values,text/plain;version=0.0.4',
    false,
    `${text4}; escaping=values`,
  ],
  [
    'OpenMetrics without a version is 0.0.1',
    'application/openmetrics-text',
    true,
    'application/openmetrics-text; version=0.0.1; charset=utf-8; escaping=underscores',
  ],
  [
    'weight goes before order',
    'text/plain;q=0.5,application/openmetrics-text;version=1.0.0',
    true,
    `${open1}; escaping=underscores`,
  ],
  [
    'weight 0 is a refusal',
    'application/openmetrics-text;q=0,text/plain',
    true,
    `${text4}; escaping=underscores`,
  ],
  [
    'protobuf needs message and framing',
    `${proto};escaping=allow-utf-8`,
    false,
    'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited; escaping=allow-utf-8',
  ],
  [
    'protobuf of something else does not match',
    'application/vnd.google.protobuf',
    true,
    `${text4}; escaping=underscores`,
  ],
  [
    'an unknown scheme is the default',
    'text/plain;escaping=none',
    true,
    `${text4}; escaping=underscores`,
  ],
]

test('the format follows the Accept header by the rule that each row names', () => {
  for (const [rule, accept, hasOpenMetrics, type] of rows) {
    assert.equal(negotiate(accept, hasOpenMetrics).contentType, type, rule)
  }
  assert.equal(negotiate(undefined, true).kind, 'text')
})

test('gzip is for those who accept it', () => {
  assert.equal(acceptsGzip(undefined), false)
  assert.equal(acceptsGzip('gzip'), true)
  assert.equal(acceptsGzip('br, GZIP;q=0.5'), true)
  assert.equal(acceptsGzip('*'), true)
  assert.equal(acceptsGzip('gzip;q=0, br'), false)
  assert.equal(acceptsGzip('identity'), false)
  // RFC 9110, 12.5.3: `*` is of the codings that are not named.
  assert.equal(acceptsGzip('gzip;q=0, *'), false)
  assert.equal(acceptsGzip('*, gzip;q=0.000'), false)
  assert.equal(acceptsGzip('*;q=0, gzip'), true)
  assert.equal(acceptsGzip('br, *;q=0'), false)
})
