import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { arbitraryRequest } from '../../../../test/kit/arbitraries.ts'
import { during, exposed, protobufType } from '../../../../test/kit/exposed-store.ts'
import { parseExposition } from '../../../../test/kit/exposition.ts'
import { cumulative, gauge, point, sum } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import { type EscapingScheme, escapingSchemes } from '../../../kit/prometheus/escaping.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import { liveSeries } from './live-series.ts'

const strategies = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const

const formats = [
  'text/plain;version=0.0.4',
  'text/plain;version=1.0.0',
  'application/openmetrics-text;version=0.0.1',
  'application/openmetrics-text;version=1.0.0',
  protobufType,
] as const

/** A family of a page, whatever its format. */
interface Shown {
  readonly name: string
  readonly help: string | undefined
  readonly series: readonly { labels: ReadonlyMap<string, string>; seconds: number }[]
}

function readText(page: string, form: 'text' | 'openmetrics'): Shown[] {
  const unit = form === 'text' ? 1000 : 1
  return [...parseExposition(page, form)].map(([name, { help, samples }]) => ({
    name,
    help,
    series: samples.map(({ labels, time }) => ({ labels, seconds: Number(time) / unit })),
  }))
}

interface FamilyMessage {
  readonly name: string
  readonly help?: string
  readonly type: number
  readonly metric?: readonly {
    readonly label?: readonly { readonly name: string; readonly value: string }[]
    readonly timestampMs?: bigint
  }[]
}

/** By io.prometheus.client.MetricType, SUMMARY and HISTOGRAM: the samples that every reader makes of a family. */
const protobufSuffixes: Readonly<Record<number, readonly string[]>> = {
  2: ['', '_sum', '_count'],
  4: ['', '_bucket', '_sum', '_count'],
}

const sorted = (pairs: [string, string][]) =>
  pairs.sort(([left], [right]) => (left < right ? -1 : 1))

/** With what a strict reader of text would not let pass either. */
function readProtobuf(families: readonly PlainMessage[]): Shown[] {
  const names = new Set<string>()
  return (families as unknown as readonly FamilyMessage[]).map((family) => {
    const { name, type, help, metric = [] } = family
    for (const suffix of protobufSuffixes[type] ?? ['']) {
      assert(!names.has(name + suffix), `${name}${suffix} twice`)
      names.add(name + suffix)
    }
    const sets = new Set<string>()
    const series = metric.map(({ label = [], timestampMs }) => {
      const labels = new Map(label.map((pair) => [pair.name, pair.value]))
      assert.equal(labels.size, label.length, `a label of ${name} twice`)
      const key = JSON.stringify(sorted([...labels]))
      assert(!sets.has(key), `${name}${key} twice`)
      sets.add(key)
      return { labels, seconds: Number(timestampMs) / 1000 }
    })
    return { name, help, series }
  })
}

function readPage(
  all: ReturnType<typeof exposed>,
  format: string,
  scheme: EscapingScheme,
): Shown[] {
  if (format === protobufType) return readProtobuf(all.families(scheme))
  const form = format.startsWith('text') ? 'text' : 'openmetrics'
  return readText(all.page(`${format};escaping=${scheme}`), form)
}

function checkNames(families: readonly Shown[], scheme: EscapingScheme): void {
  for (const { name, series } of families) {
    if (scheme !== 'allow-utf-8') assert.match(name, /^[a-zA-Z_:][a-zA-Z0-9_:]*$/)
    for (const { labels } of series) {
      for (const label of labels.keys()) {
        assert.notEqual(label, '__name__', 'the name of the metric as a label')
        if (scheme !== 'allow-utf-8') assert.match(label, /^[a-zA-Z_][a-zA-Z0-9_]*$/)
      }
    }
  }
}

// Names and suffixes that escaping and the formats make one another.
const starts = 'x|x.y|x_y|x y|x__y|target|U__x_2e_y|x_dot_y|1|:|x:y|x"y|x\\y|x\ny|é|😀|_'.split('|')
const suffixes = ['.', '_', ' ', 'total', 'created', 'count', 'sum', 'bucket', 'info']
const names = fc
  .tuple(fc.constantFrom(...starts), fc.array(fc.constantFrom(...suffixes), { maxLength: 4 }))
  .map(([start, rest]) => start + rest.join(''))
const keys = [
  'a.b',
  'a_b',
  'a b',
  'a__b',
  'U__a_2e_b',
  'a_dot_b',
  '_name_',
  '_.name__',
  '__name__',
  'le',
  'le.',
  'quantile',
  'j.ob',
  'job',
  'otel_scope_name',
  '1',
  'x:y',
  '"',
  '\\',
  '\n',
  '😀',
]
const texts = fc.constantFrom('', '1', '2', '1;2', '"\\\n,', '\u{1f600}')
const labelSets = fc.dictionary(fc.constantFrom(...keys), texts, { maxKeys: 3 })
const meetingKeys = fc.constantFrom('a.b', 'a_b', 'a b', '_.b')
const meetingLabelSets = fc.dictionary(meetingKeys, fc.constant('1'), { maxKeys: 1 })

type Labels = Readonly<Record<string, string>>
type Maker = (name: string, labels: Labels, seconds: number) => PlainMessage
const number = (labels: Labels, seconds: number) =>
  point(labels, { ...during(1, seconds), asInt: 1n })
const makers: Readonly<Record<string, Maker>> = {
  gauge: (name, labels, seconds) => gauge(name, [number(labels, seconds)]),
  // Some of them not what a counter may be.
  sum: (name, labels, seconds) => {
    const asDouble = seconds % 5 === 0 ? -1 : 1
    return sum(name, [point(labels, { ...during(1, seconds), asDouble })])
  },
  info: (name, labels, seconds) =>
    sum(name, [number(labels, seconds)], {
      metric: { metadata: [{ key: 'prometheus.type', value: { stringValue: 'info' } }] },
      sum: { isMonotonic: false },
    }),
  histogram: (name, labels, seconds) => {
    const buckets = { explicitBounds: [1], bucketCounts: [2n, 3n] }
    const fields = { ...during(1, seconds), count: 5n, sum: 1, ...buckets }
    return { name, histogram: { ...cumulative, dataPoints: [point(labels, fields)] } }
  },
  exponential: (name, labels, seconds) => {
    const positive = { offset: 0, bucketCounts: [2n, 3n] }
    const fields = { ...during(1, seconds), count: 5n, sum: 1, scale: 0, positive }
    return { name, exponentialHistogram: { ...cumulative, dataPoints: [point(labels, fields)] } }
  },
  summary: (name, labels, seconds) => {
    const quantileValues = [{ quantile: 0.5, value: 1 }]
    const fields = { ...during(1, seconds), count: 2n, sum: 3, quantileValues }
    return { name, summary: { dataPoints: [point(labels, fields)] } }
  },
}
const arbitraryInputs = fc.tuple(fc.constantFrom(...Object.keys(makers)), names, labelSets)
// That two sets of one family meet is rare among those.
const meetingInputs = fc.tuple(
  fc.constantFrom('gauge', 'histogram'),
  fc.constant('x.y'),
  meetingLabelSets,
)
const inputs = fc.uniqueArray(fc.oneof(arbitraryInputs, meetingInputs), {
  maxLength: 14,
  // No series twice: attributes have no order.
  selector: ([make, name, labels]) => JSON.stringify([make, name, sorted(Object.entries(labels))]),
})

const leftOut = 'penstock_exporter_prometheus_left_out'

/** Of each family in the store, when its series were measured: each at another second. */
function storedSeconds({ store }: ReturnType<typeof exposed>): number[][] {
  return [...store.families.inOrder()]
    .map((family) =>
      Array.from(liveSeries(family, 0), ({ timeLow, timeHigh }) =>
        Number(((BigInt(timeHigh) << 32n) | BigInt(timeLow >>> 0)) / 1_000_000_000n),
      ),
    )
    .filter(({ length }) => length > 0)
}

/** What is stored is on the page, or has just been counted as left out. */
function checkAccount(
  families: readonly Shown[],
  stored: readonly (readonly number[])[],
  counted: { readonly name: number; readonly labels: number },
): void {
  const own = families.filter(({ help }) => help !== 'Target metadata')
  const shown = new Set(own.flatMap(({ series }) => series.map(({ seconds }) => seconds)))
  const all = new Set(stored.flat())
  for (const seconds of shown) assert(all.has(seconds), `${seconds} was not stored`)
  const missing = stored.map((family) => family.filter((seconds) => !shown.has(seconds)))
  const isGone = missing.map(({ length }, index) => length === stored[index].length)
  assert.equal(counted.name, isGone.filter(Boolean).length, 'families left out')
  const single = missing.filter((_, index) => !isGone[index]).flat()
  assert.equal(counted.labels, single.length, 'series left out')
}

test('by every strategy, escaping and format, readers take the page, and nothing is lost unsaid', () => {
  const options = fc.record({
    translation_strategy: fc.constantFrom(...strategies),
    namespace: fc.constantFrom('', 'n.s'),
  })
  fc.assert(
    fc.property(options, fc.constantFrom(...escapingSchemes), inputs, (config, scheme, list) => {
      const all = exposed({ ...config, enable_open_metrics: true, send_timestamps: true })
      const metrics = list.map(([make, name, labels], index) =>
        makers[make](name, labels, index + 2),
      )
      all.take(metrics, { resource: { 'service.name': 's', 'a.b': '1', a_b: '2' } })
      const stored = storedSeconds(all)
      const dropCount = Object.values(all.drops()).reduce((total, count) => total + count, 0)
      assert.equal(stored.flat().length + dropCount, list.length)
      const count = (cause: string) => all.own(leftOut, { cause }) ?? 0
      for (const format of formats) {
        const before = { name: count('name'), labels: count('labels') }
        const families = readPage(all, format, scheme)
        checkNames(families, scheme)
        const counted = {
          name: count('name') - before.name,
          labels: count('labels') - before.labels,
        }
        checkAccount(families, stored, counted)
      }
    }),
    { numRuns: 150 },
  )
})

test('by every strategy, escaping and format, whatever arrives, readers take the page', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...strategies),
      fc.constantFrom(...escapingSchemes),
      arbitraryRequest('metrics'),
      (translation_strategy, scheme, { bytes }) => {
        const all = exposed({ translation_strategy, enable_open_metrics: true })
        all.store.consume(indexRequest('metrics', bytes))
        for (const format of formats) checkNames(readPage(all, format, scheme), scheme)
      },
    ),
    { numRuns: 60 },
  )
})
