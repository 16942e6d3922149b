import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricName, type NameKind, type TranslationStrategy } from './metric-name.ts'
import { unitText } from './unit-words.ts'

const strategies = {
  E: 'UnderscoreEscapingWithSuffixes',
  e: 'UnderscoreEscapingWithoutSuffixes',
  U: 'NoUTF8EscapingWithSuffixes',
  u: 'NoTranslation',
} as const satisfies Record<string, TranslationStrategy>

const kinds = { c: 'counter', g: 'gauge', o: 'other' } as const satisfies Record<string, NameKind>

interface Row {
  readonly rule: string
  readonly strategy: keyof typeof strategies
  readonly kind: keyof typeof kinds
  readonly name: string
  readonly unit: string
  readonly namespace?: string
  readonly expected: string | undefined
}

const rows: Row[] = []

/** One rule of the naming, then its cases: `name [unit] -> expected`. */
function rule(
  text: string,
  strategy: keyof typeof strategies,
  kind: keyof typeof kinds,
  cases: readonly (readonly [name: string, unit: string, expected: string | undefined])[],
  namespace?: string,
): void {
  for (const [name, unit, expected] of cases) {
    const row = { rule: text, strategy, kind, name, unit, expected }
    rows.push(namespace === undefined ? row : { ...row, namespace })
  }
}

const mainWords = [
  ['d', 'days'],
  ['h', 'hours'],
  ['min', 'minutes'],
  ['s', 'seconds'],
  ['ms', 'milliseconds'],
  ['us', 'microseconds'],
  ['ns', 'nanoseconds'],
  ['By', 'bytes'],
  ['KiBy', 'kibibytes'],
  ['MiBy', 'mebibytes'],
  ['GiBy', 'gibibytes'],
  ['TiBy', 'tibibytes'],
  ['KBy', 'kilobytes'],
  ['MBy', 'megabytes'],
  ['GBy', 'gigabytes'],
  ['TBy', 'terabytes'],
  ['m', 'meters'],
  ['V', 'volts'],
  ['A', 'amperes'],
  ['J', 'joules'],
  ['W', 'watts'],
  ['g', 'grams'],
  ['Cel', 'celsius'],
  ['Hz', 'hertz'],
  ['%', 'percent'],
  ['1', ''],
] as const
const perWords = [
  ['s', 'second'],
  ['m', 'minute'],
  ['h', 'hour'],
  ['d', 'day'],
  ['w', 'week'],
  ['mo', 'month'],
  ['y', 'year'],
] as const

rule(
  'every main unit of the table becomes its word',
  'E',
  'o',
  mainWords.map(([unit, word]) => ['x', unit, word === '' ? 'x' : `x_${word}`]),
)
rule(
  'every main unit where UTF-8 is kept',
  'U',
  'o',
  mainWords.map(([unit, word]) => ['x.y', unit, word === '' ? 'x.y' : `x.y_${word}`]),
)
rule(
  'every main unit before total',
  'E',
  'c',
  mainWords.map(([unit, word]) => ['x', unit, word === '' ? 'x_total' : `x_${word}_total`]),
)
rule(
  'every per unit of the table becomes per_ and its word',
  'E',
  'o',
  perWords.map(([unit, word]) => ['x', `1/${unit}`, `x_per_${word}`]),
)
rule(
  'every per unit where UTF-8 is kept',
  'U',
  'o',
  perWords.map(([unit, word]) => ['x.y', `1/${unit}`, `x.y_per_${word}`]),
)
rule(
  'no unit without suffixes',
  'e',
  'g',
  [...mainWords, ...perWords].map(([unit]) => ['x.y', unit, 'x_y']),
)
rule(
  'no unit without translation',
  'u',
  'g',
  [...mainWords, ...perWords].map(([unit]) => ['x.y', unit, 'x.y']),
)
rule('units are case-sensitive and unknown ones pass through', 'E', 'o', [
  ['x', 'S', 'x_S'],
  ['x', 'by', 'x_by'],
  ['x', 'kBy', 'x_kBy'],
  ['x', 'objects', 'x_objects'],
  ['x', '1/objects', 'x_per_objects'],
])
rule('only the first slash splits, each part is trimmed', 'E', 'o', [
  ['x', 'By/s', 'x_bytes_per_second'],
  ['x', ' By / s ', 'x_bytes_per_second'],
  ['x', 'm/s', 'x_meters_per_second'],
  ['x', 'a/b/c', 'x_a_per_b_c'],
  ['x', '/s', 'x_per_second'],
  ['x', 'By/', 'x_bytes'],
  ['x', '/', 'x'],
])
rule('a part that holds a brace is discarded as a whole', 'E', 'o', [
  ['x', '{requests}', 'x'],
  ['x', '{requests}/s', 'x_per_second'],
  ['x', 'By/{request}', 'x_bytes'],
  ['x', 'By{sent}', 'x'],
  ['x', 'By}', 'x'],
])
rule('unit text is cleaned to what a name may hold', 'E', 'o', [
  ['x', 'foo bar', 'x_foo_bar'],
  ['x', 'foo__bar', 'x_foo_bar'],
  ['x', '_foo', 'x_foo'],
  ['x', 'µm', 'x_m'],
  ['x', 'a/b_', 'x_a_per_b'],
  ['x', '1/_', 'x'],
])
rule('names split on every run of other characters, underscores included', 'E', 'o', [
  ['system.cpu.time', '', 'system_cpu_time'],
  ['a__b_', '', 'a_b'],
  ['_a', '', 'a'],
  ['a-b.c/d', '', 'a_b_c_d'],
  ['a:b', '', 'a:b'],
  ['requêtes', '', 'requ_tes'],
  ['a🙂b', '', 'a_b'],
  ['CamelCase', '', 'CamelCase'],
])
rule('the main unit is not repeated where a token equals it, anywhere in the name', 'E', 'o', [
  ['bytes.sent', 'By', 'bytes_sent'],
  ['sent.bytes', 'By', 'sent_bytes'],
  ['http.server.duration_seconds', 's', 'http_server_duration_seconds'],
  ['megabytes', 'By', 'megabytes_bytes'],
  ['Bytes', 'By', 'Bytes_bytes'],
  ['bytes_sent', 'By/s', 'bytes_sent_per_second'],
])
rule('per units and units of several words are never spared', 'E', 'o', [
  ['requests_per_second', '1/s', 'requests_per_second_per_second'],
  ['x_foo_bar', 'foo bar', 'x_foo_bar_foo_bar'],
])
rule('a monotonic sum ends in exactly one total', 'E', 'c', [
  ['requests', '', 'requests_total'],
  ['requests_total', '', 'requests_total'],
  ['total.requests', '', 'requests_total'],
  ['total.total', '', 'total'],
  ['requests', '1', 'requests_total'],
  ['sent', 'By', 'sent_bytes_total'],
  ['total_sent', 'By', 'sent_bytes_total'],
  ['foo.bar', 'By', 'foo_bar_bytes_total'],
  ['subtotal', '', 'subtotal_total'],
  ['requests', '1/s', 'requests_per_second_total'],
])
rule('only a gauge of unit 1 ends in ratio', 'E', 'g', [
  ['utilization', '1', 'utilization_ratio'],
  ['ratio.used', '1', 'used_ratio'],
  ['used_ratio', '1', 'used_ratio'],
  ['utilization', '1/s', 'utilization_per_second'],
  ['utilization', '', 'utilization'],
  ['requests_total', '', 'requests_total'],
])
rule('neither total nor ratio without its type', 'E', 'o', [
  ['utilization', '1', 'utilization'],
  ['requests_total', '1', 'requests_total'],
])
rule('a leading digit gets an underscore', 'E', 'o', [
  ['2xx', '', '_2xx'],
  ['.2xx', 's', '_2xx_seconds'],
])
rule(
  'the namespace stands in front, where a digit no longer leads',
  'E',
  'c',
  [
    ['requests', '', 'ns_requests_total'],
    ['2xx', '', 'ns_2xx_total'],
  ],
  'ns',
)
rule('a digit that leads the namespace gets an underscore', 'E', 'o', [['x', '', '_2ns_x']], '2ns')
rule('so it does without suffixes', 'e', 'o', [['x', '', '_2ns_x']], '2ns')
rule('a namespace of nothing usable is none', 'E', 'o', [['x', '', 'x']], '.')
rule('a namespace is reduced like a name', 'E', 'o', [['x', 's', 'my_ns_x_seconds']], 'my-ns')
rule('nothing left of a name is an error', 'E', 'o', [
  ['', '', undefined],
  ['', 's', undefined],
  ['___', '', undefined],
  ['...', '', undefined],
  ['🙂', '', undefined],
])
rule('without suffixes only characters change, runs of underscores stay', 'e', 'c', [
  ['foo.bar', 'By', 'foo_bar'],
  ['a__b_', '', 'a__b_'],
  ['a.-b', '', 'a_b'],
  ['2xx', '', '_2xx'],
  ['requests_total', '', 'requests_total'],
  ['a:b', 's', 'a:b'],
  ['___', '', '___'],
  ['...', '', undefined],
  ['.a', '', 'a'],
])
rule('a namespace without suffixes', 'e', 'g', [['a.b', '1', 'n_s_a_b']], 'n.s')
rule('UTF-8 names are kept, suffixes appended', 'U', 'c', [
  ['foo.bar', 'By', 'foo.bar_bytes_total'],
  ['bytes.sent', 'By', 'bytes.sent_bytes_total'],
  ['requests_total', '', 'requests_total'],
  ['requests.total', '', 'requests_total'],
  ['subtotal', '', 'subtotal_total'],
  ['sent.bytes', 'By', 'sent.bytes_total'],
  ['sent_bytes_total', 'By', 'sent_bytes_total'],
  ['requests_per_second_total', '1/s', 'requests_per_second_total'],
  ['x', 'foo bar', 'x_foo bar_total'],
])
rule(
  'UTF-8 with a namespace',
  'U',
  'c',
  [['requêsts', '1/s', 'ñamespace_requêsts_per_second_total']],
  'ñamespace',
)
rule('UTF-8 ratio of gauges', 'U', 'g', [
  ['used.ratio', '1', 'used_ratio'],
  ['used', '1', 'used_ratio'],
  ['temp', 'Cel', 'temp_celsius'],
])
rule('UTF-8 keeps digits in front and refuses the empty name', 'U', 'o', [
  ['2xx', '', '2xx'],
  ['', 's', undefined],
  ['___', '', '___'],
])
rule('no translation', 'u', 'c', [
  ['foo.bar', 'By', 'foo.bar'],
  ['requests_total', '', 'requests_total'],
  ['2xx', '', '2xx'],
  ['', '', undefined],
])
rule('no translation with a namespace', 'u', 'g', [['a.b', '1', 'n.s_a.b']], 'n.s')

test('metric names follow the rule that each row names', () => {
  assert.ok(rows.length >= 150)
  for (const row of rows) {
    const name = metricName(
      { strategy: strategies[row.strategy], namespace: row.namespace ?? '' },
      { name: row.name, unit: row.unit, kind: kinds[row.kind] },
    )
    assert.equal(name, row.expected, `${row.rule}: ${row.strategy} ${row.name} [${row.unit}]`)
  }
})

test('the unit text is the main word, then per_', () => {
  const expected: Record<string, string> = {
    'By/s': 'bytes_per_second',
    '1/s': 'per_second',
    '1': '',
    '': '',
    s: 'seconds',
    '{request}': '',
    'By/{request}': 'bytes',
    'foo bar': 'foo_bar',
  }
  for (const [unit, words] of Object.entries(expected)) assert.equal(unitText(unit), words, unit)
})
