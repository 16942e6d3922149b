import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attributes, attributes } from '../../../test/kit/metrics-request.ts'
import { encodeMessage } from '../../../test/kit/oracle.ts'
import { compareText, readTextAttributes } from './attribute-text.ts'
import { collectorLabelNaming } from './label-name.ts'
import { fixedLabels, joinLabels, type LabelRules, resourceLabels, seriesLabels } from './labels.ts'
import { matchesPatterns } from './promoted-attributes.ts'

const rules: LabelRules = {
  naming: collectorLabelNaming,
  constLabels: [],
  scopeInfo: true,
  promotes: () => false,
  keepIdentifying: false,
}

const resourceBytes = (values: Attributes) =>
  encodeMessage('opentelemetry.proto.resource.v1.Resource', { attributes: attributes(values) })

const textOf = (values: Attributes) => readTextAttributes(resourceBytes(values), 1)

const shown = (labels: readonly { name: string; value: string }[] | undefined) =>
  labels?.map(({ name, value }) => `${name}=${value}`).join(' ')

test('attributes that become one label are joined by the order of their keys', () => {
  const rows: readonly (readonly [rule: string, values: Attributes, expected: string])[] = [
    ['two keys meet', { a_b: '2', 'a.b': '1' }, 'a_b=1;2'],
    ['three keys meet', { a_b: '3', 'a.b': '2', 'a-b': '1' }, 'a_b=1;2;3'],
    ['an earlier empty value counts as absent', { 'a.b': '', a_b: '2' }, 'a_b=2'],
    ['an empty value is no label', { a: '', b: '1' }, 'b=1'],
    ['a label of no name is dropped', { '...': '1', b: '1' }, 'b=1'],
    ['__name__ is not for attributes', { __name__: 'x', b: '1' }, 'b=1'],
    ['values are text: integers, doubles, booleans', { i: 3n, d: 1, b: true }, 'b=true d=1 i=3'],
    ['doubles as ES6 prints them', { d: 1e21, e: 0.000001 }, 'd=1e+21 e=0.000001'],
  ]
  for (const [rule, values, expected] of rows) {
    assert.equal(shown(joinLabels(collectorLabelNaming, textOf(values))), expected, rule)
  }
  const utf8 = { ...collectorLabelNaming, escape: false }
  assert.equal(shown(joinLabels(utf8, textOf({ a_b: '2', 'a.b': '1' }))), 'a.b=1 a_b=2')
})

test('job, instance and target_info come from the resource', () => {
  const name = { 'service.name': 'n' }
  const id = { 'service.instance.id': 'i' }
  const space = { 'service.namespace': 's' }
  const rows: readonly (readonly [
    rule: string,
    values: Attributes,
    target: string,
    info: string | undefined,
  ])[] = [
    ['the name is the job', { ...name }, 'job=n', undefined],
    ['the namespace stands before it', { ...name, ...space }, 'job=s/n', undefined],
    ['a namespace alone is nothing', { ...space, x: '1' }, '', undefined],
    ['an instance alone is a target', { ...id, x: '1' }, 'instance=i', 'instance=i x=1'],
    [
      'identifying attributes stay out',
      { ...name, ...id, x: '1' },
      'job=n instance=i',
      'instance=i job=n x=1',
    ],
    ['nothing else, no info', { ...name, ...id, ...space }, 'job=s/n instance=i', undefined],
    ['job and instance win', { ...name, job: 'mine' }, 'job=n', 'job=n'],
  ]
  for (const [rule, values, target, info] of rows) {
    const labels = resourceLabels(rules, resourceBytes(values))
    assert.equal(shown(labels.target), target, rule)
    assert.equal(shown(labels.info), info, rule)
  }
  const keeping = { ...rules, keepIdentifying: true, constLabels: [{ name: 'c', value: '1' }] }
  assert.equal(
    shown(resourceLabels(keeping, resourceBytes({ ...name, x: '1' })).info),
    'c=1 job=n service_name=n x=1',
  )
})

test('who wins where labels meet', () => {
  const all = { ...rules, promotes: () => true, constLabels: [{ name: 'c', value: 'const' }] }
  const resource = resourceLabels(all, resourceBytes({ 'service.name': 'n', x: 'res', y: 'res' }))
  const scope = { identity: '', labels: [{ name: 'otel_scope_name', value: 'lib' }] }
  const point = textOf({ x: 'point', job: 'point', otel_scope_name: 'point', le: 'point' })
  const fixed = fixedLabels(all, resource, scope)
  const labels = seriesLabels(all.naming, { point, fixed, reserved: 'le' })
  assert.equal(shown(labels), 'c=const job=n otel_scope_name=lib service_name=n x=point y=res')
})

test('text sorts by code point', () => {
  const sorted = ['a', 'ab', 'b', '\ufffd', '🙂']
  assert.deepEqual([...sorted].toReversed().sort(compareText), sorted)
  assert.equal(compareText('a', 'a'), 0)
})

test('patterns of attributes know * and ?', () => {
  const matches = (pattern: string, key: string) =>
    matchesPatterns({ included: [pattern], excluded: [] })(key)
  for (const [pattern, key, expected] of [
    ['k8s.*', 'k8s.pod.name', true],
    ['k8s.*', 'k8sx', false],
    ['*.name', 'a.name.b.name', true],
    ['*.name', 'name', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*', '', true],
    ['a*b*c', 'aXbXbc', true],
    ['a*b*c', 'aXbX', false],
    ['a.c', 'abc', false],
  ] as const) {
    assert.equal(matches(pattern, key), expected, `${pattern} ${key}`)
  }
  const all = matchesPatterns({ included: undefined, excluded: ['x*'] })
  assert.deepEqual(['a', 'xa'].map(all), [true, false])
})
