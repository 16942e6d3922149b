import assert from 'node:assert/strict'
import { test } from 'node:test'
import { at, during, exposed, protobufType } from '../../../../test/kit/exposed-store.ts'
import { type ExposedFamily, parseExposition } from '../../../../test/kit/exposition.ts'
import { attributes, cumulative, gauge, point, sum } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { negotiate } from './page-format.ts'
import { PieceBuffers } from './page-writer.ts'
import { renderProtobuf } from './render-protobuf.ts'
import { renderText } from './render-text.ts'

const noTranslation = { translation_strategy: 'NoTranslation', enable_open_metrics: true }
const leftOut = 'penstock_exporter_prometheus_left_out'

const one = (labels = {}) => point(labels, { ...during(1, 2), asInt: 1n })

function histogram(name: string, labels = {}): PlainMessage {
  const fields = { ...during(1, 2), count: 5n, sum: 1, explicitBounds: [1], bucketCounts: [2n, 3n] }
  return { name, histogram: { ...cumulative, dataPoints: [point(labels, fields)] } }
}

interface ProtobufFamily {
  readonly metric?: readonly { readonly label?: readonly { name: string; value: string }[] }[]
}

const samples = (page: string, form: 'text' | 'openmetrics' = 'text') =>
  [...parseExposition(page, form).values()].flatMap((family: ExposedFamily) =>
    family.samples.map(({ name, labels, value }) => `${name} ${[...labels].join(' ')} ${value}`),
  )

test('a family whose samples escaping gives the names of another is left out, counted and said once', () => {
  const { take, text, families, own, host } = exposed(noTranslation)
  take([histogram('x'), gauge('x.count', [one()])])
  assert.equal(samples(text('allow-utf-8')).length, 5)
  assert.equal(samples(text('underscores')).length, 4)
  assert.equal(families('underscores').length, 1)
  assert.equal(own(leftOut, { cause: 'name' }), 2)
  assert.deepEqual(
    host.lines.map(({ message }) => message),
    [
      'gauge x.count is left out of pages with escaping=underscores: x_count is there of histogram x',
    ],
  )
})

test('of names that become one, the first has it, even where a later one needs no escaping', () => {
  const { take, text, own } = exposed(noTranslation)
  take([gauge('a b', [one({ n: 'blank' })]), gauge('a.b', [one({ n: 'dot' })])])
  assert.deepEqual(samples(text()), ['a_b n,blank 1'])
  assert.equal(own(leftOut, { cause: 'name' }), 1)
  take([gauge('a_b', [one({ n: 'own' })])])
  assert.deepEqual(samples(text()), ['a_b n,blank 1'])
  assert.equal(own(leftOut, { cause: 'name' }), 3)
  // All three are others by dots, and two of them the same.
  assert.deepEqual(samples(text('dots')), ['a__b n,blank 1', 'a_dot_b n,dot 1'])
})

test('a family that gave way leaves its other names to those that come later', () => {
  const { take, text } = exposed(noTranslation)
  take([gauge('x.count', [one()]), histogram('x'), gauge('x.sum', [one()])])
  assert.deepEqual(samples(text()), ['x_count  1', 'x_sum  1'])
})

test('a counter whose shorter name escaping gives another stays on the page as unknown', () => {
  const { take, openMetrics } = exposed(noTranslation)
  take([gauge('foo.a', [one()]), sum('foo_a_total', [one()])])
  assert.match(openMetrics(), /^# TYPE foo_a gauge$/m)
  assert.match(openMetrics(), /^# TYPE foo_a_total unknown\nfoo_a_total 1\.0$/m)
  assert.match(openMetrics('allow-utf-8'), /^# TYPE foo_a counter$/m)
})

test('a counter has no creation sample where escaping gives its name to another', () => {
  const { take, openMetrics } = exposed(noTranslation)
  take([sum('foo_total', [one()]), gauge('foo.created', [one()])])
  assert.deepEqual(samples(openMetrics(), 'openmetrics'), ['foo_created  1.0', 'foo_total  1.0'])
  assert.match(openMetrics('allow-utf-8'), /^foo_created 1$/m)
})

test('a counter has no creation sample called like another family is in OpenMetrics', () => {
  const info = { metadata: attributes({ 'prometheus.type': 'info' }) }
  const others = {
    foo_created_total: sum('foo_created_total', [one()]),
    foo_created_info: gauge('foo_created_info', [one()], info),
  }
  for (const [name, other] of Object.entries(others)) {
    const { take, openMetrics } = exposed(noTranslation)
    take([sum('foo_total', [one()]), other])
    const shown = samples(openMetrics(), 'openmetrics').join()
    assert(shown.includes('foo_total  1.0') && shown.includes(`${name}  1.0`), shown)
    assert(!shown.includes('foo_created '), shown)
  }
})

test('a counter called as target_info would be is no family of that name', () => {
  const { take, openMetrics } = exposed({ enable_open_metrics: true })
  take([sum('target.info', [one()])], { resource: { 'service.name': 's', v: '1' } })
  assert.match(openMetrics(), /^# TYPE target_info gauge$/m)
  assert.match(openMetrics(), /^# TYPE target_info_total unknown$/m)
})

test('labels that escaping makes one share it, joined in the order of their names', () => {
  const { take, text, families } = exposed(noTranslation)
  take([gauge('g', [one({ a_b: '2', 'a.b': '1', 'a-b': '0' })])])
  assert.match(text(), /^g\{a_b="0;1;2"\} 1$/m)
  const [family] = families() as unknown as ProtobufFamily[]
  assert.deepEqual(family?.metric?.[0]?.label, [{ name: 'a_b', value: '0;1;2' }])
})

test('no label becomes the name of the metric, and none is lost for that', () => {
  const { take, text } = exposed(noTranslation)
  take([gauge('g', [one({ '_.name__': '1' }), one({ _name_: '1' }), one()])])
  assert.deepEqual(samples(text()), ['g ___name__,1 1', 'g _name_,1 1', 'g  1'])
  assert.deepEqual(samples(text('dots')), ['g ___dot_name____,1 1', 'g ___name__,1 1', 'g  1'])
})

test('of series that escaping makes one, the first is shown, the others are counted and said once', () => {
  const { take, text, families, own, host } = exposed(noTranslation)
  const valued = (labels: Record<string, string>, value: bigint) =>
    point(labels, { ...at(1), asInt: value })
  take([
    gauge('g', [valued({ 'a.b': '1' }, 1n), valued({ a_b: '1' }, 2n), valued({ a_b: '2' }, 3n)]),
  ])
  assert.deepEqual(samples(text()), ['g a_b,1 1', 'g a_b,2 3'])
  const [family] = families() as unknown as ProtobufFamily[]
  assert.equal(family?.metric?.length, 2)
  assert.equal(samples(text('allow-utf-8')).length, 3)
  assert.equal(own(leftOut, { cause: 'labels' }), 2)
  assert.deepEqual(
    host.lines.map(({ message }) => message),
    [
      'g{a_b="1"} is left out of pages with escaping=underscores: ' +
        'g{"a.b"="1"} has the same labels there',
    ],
  )
  // Once the first has ended, the other has its place.
  take([gauge('g', [point({ 'a.b': '1' }, { ...at(2), flags: 1 })])])
  assert.deepEqual(samples(text()), ['g a_b,1 2', 'g a_b,2 3'])
})

test('a series that comes later does not take the place of an older one, wherever it is kept', () => {
  const { take, text } = exposed(noTranslation)
  take([gauge('g', [one({ c: '1' }), one({ 'a.b': '1', d: '' })])])
  assert.deepEqual(samples(text()), ['g c,1 1', 'g a_b,1 1'])
  take([gauge('g', [point({ c: '1' }, { ...at(3), flags: 1 })])])
  take([gauge('g', [point({ a_b: '1' }, { ...at(3), asInt: 2n })])])
  assert.deepEqual(samples(text('allow-utf-8')), ['g a_b,1 2', 'g a.b,1 1'])
  assert.deepEqual(samples(text()), ['g a_b,1 1'])
})

test('where much is left out of a page, there are pauses all the same', () => {
  const { store, take } = exposed(noTranslation)
  const labels = (index: number, name: string) => one({ [name]: String(index) })
  const points = Array.from({ length: 2000 }, (_, index) => labels(index, 'a.b'))
  take([gauge('g', [...points, ...points.map((_, index) => labels(index, 'a_b'))])])
  const names = Array.from({ length: 2000 }, (_, index) => `h${index}`)
  take(names.flatMap((name) => [gauge(`${name}.`, [one()]), gauge(`${name}_`, [one()])]))
  for (const [render, accept] of [
    [renderText, 'text/plain'],
    [renderProtobuf, protobufType],
  ] as const) {
    const options = { format: negotiate(accept, true), sendTimestamps: false }
    const pieces = [...render(store, { ...options, buffers: new PieceBuffers() })]
    assert(pieces.filter(({ length }) => length === 0).length >= 7)
  }
})

test('of very many series that escaping changes, each is shown once', () => {
  const { store, take, text } = exposed(noTranslation)
  const points = Array.from({ length: 5000 }, (_, index) =>
    one({ 'a.b': String(index % 4000), [`c${index % 2}.d`]: '1' }),
  )
  take([gauge('g', points), gauge('h', points.slice(0, 10))])
  assert.equal(store.seriesCount, 4010)
  assert.equal(samples(text()).length, 4010)
})

test('a target is not shown twice where two resources give the same line', () => {
  const { take, text } = exposed()
  const resource = (instance: string) => ({ 'service.name': 's', [instance]: 'i', v: '1' })
  take([gauge('a', [one()])], { resource: resource('instance') })
  take([gauge('b', [one()])], { resource: resource('service.instance.id') })
  assert.equal(text().match(/^target_info\{/gm)?.length, 1)
})
