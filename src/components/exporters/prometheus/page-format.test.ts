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

/** RFC 9110, 12.5.3. */
const codings: readonly (readonly [rule: string, header: string | undefined, gzip: boolean])[] = [
  ['without a header any coding would do, but not every scraper means that', undefined, false],
  ['an empty list is of what is not encoded', '', false],
  ['gzip by its name', 'gzip', true],
  ['by its old name', 'x-gzip', true],
  ['codings have no case, and weights above 0 allow', 'br, GZIP;q=0.5', true],
  ['blanks around the weight', 'gzip ; q=0.001', true],
  ['any coding', '*', true],
  ['any coding, with a weight', 'br;q=1, *;q=0.1', true],
  ['another coding', 'br', false],
  ['what is not encoded', 'identity', false],
  ['weight 0 is "not acceptable"', 'gzip;q=0', false],
  ['however it is written', 'gzip;Q=0.000', false],
  ['* is of codings that are not named', 'gzip;q=0, *', false],
  ['in any order', '*, gzip;q=0.000', false],
  ['* refused, gzip named', '*;q=0, gzip', true],
  ['* refused', '*;q=0', false],
  ['* refused, another named', 'br, *;q=0', false],
  ['identity refused, gzip named', 'identity;q=0, gzip;q=0.1', true],
  ['identity refused, any allowed', 'identity;q=0, *', true],
  ['identity refused alone allows nothing: sent as it is', 'identity;q=0', false],
  ['all refused: sent as it is', 'identity;q=0, gzip;q=0, *;q=0', false],
  ['identity wanted more', 'identity, gzip;q=0.5', false],
  ['identity wanted less', 'identity;q=0.5, gzip', true],
  ['both wanted alike', 'gzip, identity', true],
  ['what browsers send', 'gzip, deflate, br, zstd', true],
  ['a weight that is none', 'gzip;q=high', true],
]

test('gzip is for those who accept it, by the rule that each row names', () => {
  for (const [rule, header, gzip] of codings) assert.equal(acceptsGzip(header), gzip, rule)
})
