import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attributes, attributes } from '../../../test/kit/metrics-request.ts'
import { encodeMessage, type PlainMessage } from '../../../test/kit/oracle.ts'
import { readTextAttributes } from './attribute-text.ts'
import { fixedLabels, resourceLabels, scopeLabels, seriesLabels } from './labels.ts'
import { labelRules, type TranslationSettings } from './translation-rules.ts'

type Choices = Parameters<typeof labelRules>[1]

interface Given {
  readonly settings?: Partial<TranslationSettings>
  readonly choices?: Partial<Choices>
  readonly resource?: Attributes
  readonly scope?: { name?: string; version?: string; schemaUrl?: string; attributes?: Attributes }
  readonly point?: Attributes
  readonly reserved?: 'le' | 'quantile'
}

const utf8 = { translation_strategy: 'NoTranslation' } as const
const convert = {
  resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: false },
}
const shop = { 'service.name': 'shop' }
const promote = (included: string[] | undefined, excluded: string[] = []) => ({
  resource_constant_labels: { included, excluded },
})

function rulesOf({ settings, choices }: Given) {
  const all = {
    add_metric_suffixes: true,
    keep_identifying_resource_attributes: false,
    ...settings,
  }
  return labelRules(all, { constLabels: {}, scopeInfo: true, ...choices })
}

function bytesOf(values: Attributes = {}): Uint8Array {
  const type = 'opentelemetry.proto.resource.v1.Resource'
  return encodeMessage(type, { attributes: attributes(values) })
}

function labelsOf(given: Given): string {
  const rules = rulesOf(given)
  const { name = '', version = '', schemaUrl = '', attributes: more = {} } = given.scope ?? {}
  const resource = resourceLabels(rules, bytesOf(given.resource))
  const attributes = readTextAttributes(bytesOf(more), 1)
  const scope = scopeLabels(rules, { name, version, schemaUrl, attributes })
  return shown(
    seriesLabels(rules.naming, {
      point: readTextAttributes(bytesOf(given.point), 1),
      fixed: fixedLabels(rules, resource, scope),
      reserved: given.reserved,
    }),
  )
}

function shown(labels: readonly { name: string; value: string }[]): string {
  return labels.map(({ name, value }) => `${name}=${value}`).join(' ')
}

const rows: readonly (readonly [rule: string, given: Given, expected: string])[] = [
  // What identifies the target.
  ['job is the name of the service', { resource: shop }, 'job=shop'],
  [
    'its namespace stands before it',
    { resource: { ...shop, 'service.namespace': 'eu' } },
    'job=eu/shop',
  ],
  ['a namespace alone is no job', { resource: { 'service.namespace': 'eu' } }, ''],
  [
    'instance is the id of its instance',
    { resource: { 'service.instance.id': 'a' } },
    'instance=a',
  ],
  ['an empty name is no job', { resource: { 'service.name': '' } }, ''],
  ['names that are no text become text', { resource: { 'service.name': 7n } }, 'job=7'],
  ['job wins over an attribute of the point', { resource: shop, point: { job: 'p' } }, 'job=shop'],
  [
    'instance does too',
    { resource: { 'service.instance.id': 'a' }, point: { instance: 'p' } },
    'instance=a',
  ],
  [
    'without a target the attributes stay',
    { point: { job: 'p', instance: 'q' } },
    'instance=q job=p',
  ],
  [
    'job wins over a promoted attribute',
    { resource: { ...shop, job: 'r' }, settings: convert },
    'job=shop service_name=shop',
  ],

  // Attributes of the point.
  ['labels are sorted by name', { point: { b: '2', a: '1', B: '3' } }, 'B=3 a=1 b=2'],
  [
    'sorted by their bytes',
    { point: { '🙂': '2', '\uff5e': '1' }, settings: utf8 },
    '\uff5e=1 🙂=2',
  ],
  ['escaped as names are', { point: { 'http.method': 'GET' } }, 'http_method=GET'],
  ['kept where names are', { point: { 'http.method': 'GET' }, settings: utf8 }, 'http.method=GET'],
  [
    'kept with suffixes and UTF-8 too',
    { point: { 'a.b': '1' }, settings: { translation_strategy: 'NoUTF8EscapingWithSuffixes' } },
    'a.b=1',
  ],
  [
    'escaped without suffixes too',
    {
      point: { 'a.b': '1' },
      settings: { translation_strategy: 'UnderscoreEscapingWithoutSuffixes' },
    },
    'a_b=1',
  ],
  [
    'the deprecated key leaves them escaped',
    { point: { 'a.b': '1' }, settings: { add_metric_suffixes: false } },
    'a_b=1',
  ],
  ['an empty value is no label', { point: { a: '', b: '1' } }, 'b=1'],
  ['__name__ is not for attributes', { point: { __name__: 'x' } }, ''],
  ['nor where names are kept', { point: { __name__: 'x' }, settings: utf8 }, ''],
  ['keys that meet share a label', { point: { a_b: '2', 'a.b': '1' } }, 'a_b=1;2'],
  [
    'in the order of their keys as bytes',
    { point: { 'a-b': '1', a_b: '3', 'a.b': '2' } },
    'a_b=1;2;3',
  ],
  ['an earlier empty value counts as absent', { point: { 'a.b': '', a_b: '2' } }, 'a_b=2'],
  ['all of them empty is no label', { point: { 'a.b': '', a_b: '' } }, ''],
  ['equal values are joined as well', { point: { 'a.b': '1', a_b: '1' } }, 'a_b=1;1'],
  [
    'no meeting where names are kept',
    { point: { a_b: '2', 'a.b': '1' }, settings: utf8 },
    'a.b=1 a_b=2',
  ],
  ['a key of nothing but underscores is dropped', { point: { _: '1', a: '2' } }, 'a=2'],
  ['le is of the histogram itself', { point: { le: '1', a: '2' }, reserved: 'le' }, 'a=2'],
  [
    'quantile of the summary itself',
    { point: { quantile: '1', a: '2' }, reserved: 'quantile' },
    'a=2',
  ],
  ['le of anything else is a label', { point: { le: '1' } }, 'le=1'],
  [
    'quantile of a histogram is a label',
    { point: { quantile: '1' }, reserved: 'le' },
    'quantile=1',
  ],

  // Attributes of the resource.
  ['no attribute of the resource unless asked for', { resource: { zone: 'z' } }, ''],
  [
    'all of them by the conversion',
    { resource: { zone: 'z', ...shop }, settings: convert },
    'job=shop service_name=shop zone=z',
  ],
  [
    'but those of the service where told to',
    {
      resource: { zone: 'z', ...shop },
      settings: {
        resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: true },
      },
    },
    'job=shop zone=z',
  ],
  [
    'the point wins over the resource',
    { resource: { zone: 'r' }, point: { zone: 'p' }, settings: convert },
    'zone=p',
  ],
  [
    'by the label, not by the key',
    { resource: { 'a.b': 'r' }, point: { a_b: 'p' }, settings: convert },
    'a_b=p',
  ],
  [
    'attributes of the resource that meet are joined',
    { resource: { 'a.b': '1', a_b: '2' }, settings: convert },
    'a_b=1;2',
  ],
  [
    'some of them by patterns',
    {
      resource: { 'k8s.pod': 'p', 'k8s.uid': 'u', zone: 'z' },
      settings: promote(['k8s.*'], ['*.uid']),
    },
    'k8s_pod=p',
  ],
  ['all but some', { resource: { a: '1', b: '2' }, settings: promote(undefined, ['b']) }, 'a=1'],
  [
    'an empty list of included ones is none, as in the Collector',
    { resource: { a: '1', b: '2' }, settings: promote([], ['b']) },
    'a=1',
  ],
  [
    'without any pattern none is asked for, as in the Collector',
    { resource: { a: '1' }, settings: promote(undefined) },
    '',
  ],
  [
    'and the conversion decides',
    { resource: { a: '1' }, settings: { ...convert, ...promote([]) } },
    'a=1',
  ],
  [
    'the conversion takes patterns as well, as in the Collector',
    {
      resource: { a: '1', b: '2' },
      settings: {
        resource_to_telemetry_conversion: {
          enabled: false,
          exclude_service_attributes: false,
          included: ['b'],
          excluded: [],
        },
      },
    },
    'b=2',
  ],
  [
    'patterns decide in place of the conversion',
    { resource: { a: '1', b: '2' }, settings: { ...convert, ...promote(['b']) } },
    'b=2',
  ],
  [
    'patterns see the key, not the label',
    { resource: { 'a.b': '1' }, settings: promote(['a_b']) },
    '',
  ],

  // The scope.
  ['name of the scope', { scope: { name: 'lib' } }, 'otel_scope_name=lib'],
  [
    'its version',
    { scope: { name: 'lib', version: '1' } },
    'otel_scope_name=lib otel_scope_version=1',
  ],
  [
    'its schema',
    { scope: { name: 'lib', schemaUrl: 'u' } },
    'otel_scope_name=lib otel_scope_schema_url=u',
  ],
  [
    'its attributes',
    { scope: { name: 'lib', attributes: { 'a.b': '1' } } },
    'otel_scope_a_b=1 otel_scope_name=lib',
  ],
  [
    'a scope without a name has the rest, as in the Collector',
    { scope: { version: '1', schemaUrl: 'u', attributes: { a: '1' } } },
    'otel_scope_a=1 otel_scope_schema_url=u otel_scope_version=1',
  ],
  ['nothing of an empty scope', { scope: {} }, ''],
  [
    'its attributes are escaped with the prefix, as in the Collector',
    { scope: { name: 'lib', attributes: { '1a': '1' } } },
    'otel_scope_1a=1 otel_scope_name=lib',
  ],
  ['nothing where told to', { scope: { name: 'lib' }, choices: { scopeInfo: false } }, ''],
  [
    'the scope wins over the point',
    { scope: { name: 'lib' }, point: { otel_scope_name: 'p' } },
    'otel_scope_name=lib',
  ],
  [
    'its attributes do too',
    { scope: { name: 'lib', attributes: { a: '1' } }, point: { 'otel.scope.a': 'p' } },
    'otel_scope_a=1 otel_scope_name=lib',
  ],
  [
    'no attribute poses as its name',
    { scope: { name: 'lib', attributes: { name: 'x' } } },
    'otel_scope_name=lib',
  ],
  [
    'nor as its version',
    { scope: { name: 'lib', version: '1', attributes: { version: 'x' } } },
    'otel_scope_name=lib otel_scope_version=1',
  ],
  [
    'nor as its schema',
    { scope: { name: 'lib', schemaUrl: 'u', attributes: { 'schema.url': 'x' } } },
    'otel_scope_name=lib otel_scope_schema_url=u',
  ],
  [
    'nor as a version that it has not',
    { scope: { name: 'lib', attributes: { version: 'x' } } },
    'otel_scope_name=lib',
  ],

  // Labels of every series.
  ['a constant label', { choices: { constLabels: { region: 'eu' } } }, 'region=eu'],
  ['escaped like any other', { choices: { constLabels: { 'my.region': 'eu' } } }, 'my_region=eu'],
  [
    'only where the point has none',
    { choices: { constLabels: { a: 'c' } }, point: { a: 'p' } },
    'a=p',
  ],
  ['nor the target', { choices: { constLabels: { job: 'c' } }, resource: shop }, 'job=shop'],
  [
    'nor the scope',
    { choices: { constLabels: { otel_scope_name: 'c' } }, scope: { name: 'lib' } },
    'otel_scope_name=lib',
  ],
  [
    'nor the resource',
    { choices: { constLabels: { a: 'c' } }, resource: { a: 'r' }, settings: convert },
    'a=r',
  ],
  ['an empty one is none', { choices: { constLabels: { a: '' } } }, ''],
  ['nor may it be the name', { choices: { constLabels: { __name__: 'c' } } }, ''],
]

test('the labels of a series follow the rule that each row names', () => {
  for (const [rule, given, expected] of rows) assert.equal(labelsOf(given), expected, rule)
})

const infoRows: readonly (readonly [rule: string, given: Given, expected: string | undefined])[] = [
  [
    'what describes the target, and what identifies it',
    { resource: { ...shop, zone: 'z' } },
    'job=shop zone=z',
  ],
  [
    'instance alone identifies',
    { resource: { 'service.instance.id': 'a', zone: 'z' } },
    'instance=a zone=z',
  ],
  ['nothing to describe', { resource: { ...shop, 'service.instance.id': 'a' } }, undefined],
  [
    'nothing to describe but what is kept',
    { resource: shop, settings: { keep_identifying_resource_attributes: true } },
    undefined,
  ],
  ['nothing that identifies', { resource: { zone: 'z' } }, undefined],
  [
    'a namespace identifies nothing',
    { resource: { 'service.namespace': 'eu', zone: 'z' } },
    undefined,
  ],
  [
    'what identifies is left out',
    { resource: { ...shop, 'service.namespace': 'eu', 'service.instance.id': 'a', zone: 'z' } },
    'instance=a job=eu/shop zone=z',
  ],
  [
    'or kept where told to',
    {
      resource: { ...shop, 'service.namespace': 'eu', zone: 'z' },
      settings: { keep_identifying_resource_attributes: true },
    },
    'job=eu/shop service_name=shop service_namespace=eu zone=z',
  ],
  [
    'and kept as it is where names are',
    {
      resource: { ...shop, zone: 'z' },
      settings: { ...utf8, keep_identifying_resource_attributes: true },
    },
    'job=shop service.name=shop zone=z',
  ],
  ['escaped like labels', { resource: { ...shop, 'k8s.pod': 'p' } }, 'job=shop k8s_pod=p'],
  [
    'keys that meet share a label',
    { resource: { ...shop, 'a.b': '1', a_b: '2' } },
    'a_b=1;2 job=shop',
  ],
  ['job wins over an attribute', { resource: { ...shop, job: 'r' } }, 'job=shop'],
  [
    'constant labels only where there is none',
    { resource: { ...shop, a: 'r' }, choices: { constLabels: { a: 'c', b: 'c', job: 'c' } } },
    'a=r b=c job=shop',
  ],
  [
    'never of the scope',
    { resource: { ...shop, zone: 'z' }, scope: { name: 'lib' } },
    'job=shop zone=z',
  ],
  [
    'promotion leaves it as it is',
    { resource: { ...shop, zone: 'z' }, settings: convert },
    'job=shop zone=z',
  ],
  ['an empty value is no label', { resource: { ...shop, zone: 'z', x: '' } }, 'job=shop zone=z'],
]

test('target_info has the labels that the rule of each row gives it', () => {
  for (const [rule, given, expected] of infoRows) {
    const { info } = resourceLabels(rulesOf(given), bytesOf(given.resource))
    assert.equal(info === undefined ? undefined : shown(info), expected, rule)
  }
})

const textRows: readonly (readonly [
  rule: string,
  value: PlainMessage | undefined,
  text: string,
])[] = [
  ['text as it is', { stringValue: 'x' }, 'x'],
  ['true and false', { boolValue: false }, 'false'],
  ['integers in decimal', { intValue: -(2n ** 63n) }, '-9223372036854775808'],
  ['doubles as ECMAScript has them', { doubleValue: 1 }, '1'],
  ['large ones with an exponent from 1e21', { doubleValue: 1e21 }, '1e+21'],
  ['small ones with an exponent below 1e-6', { doubleValue: 1e-7 }, '1e-7'],
  ['what is no number', { doubleValue: NaN }, 'NaN'],
  ['without end', { doubleValue: -Infinity }, '-Infinity'],
  ['bytes in base64', { bytesValue: 'hex:ff01' }, '/wE='],
  [
    'lists as JSON',
    { arrayValue: { values: [{ intValue: 1n }, { stringValue: 'a"' }, {}] } },
    '[1,"a\\"",null]',
  ],
  [
    'maps as JSON with sorted keys',
    {
      kvlistValue: {
        values: [
          { key: 'b', value: { boolValue: true } },
          { key: 'a', value: { doubleValue: 1 } },
        ],
      },
    },
    '{"a":1,"b":true}',
  ],
  ['no value is empty', {}, ''],
  ['neither is none at all', undefined, ''],
]

test('values become text by the rule of each row', () => {
  for (const [rule, value, text] of textRows) {
    const attribute: PlainMessage = value === undefined ? { key: 'k' } : { key: 'k', value }
    const type = 'opentelemetry.proto.resource.v1.Resource'
    const [found] = readTextAttributes(encodeMessage(type, { attributes: [attribute] }), 1)
    assert.equal(found.text, text, rule)
  }
})

test('what is no UTF-8 is replaced', () => {
  const [found] = readTextAttributes(Uint8Array.of(10, 8, 10, 1, 0x6b, 18, 3, 10, 1, 0xff), 1)
  assert.deepEqual([found.key, found.text], ['k', '\ufffd'])
})
