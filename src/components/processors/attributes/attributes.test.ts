import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  decodeRequest,
  encodeRequest,
  type Plain,
  type PlainMessage,
} from '../../../../test/kit/oracle.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import type { Batch } from '../../../otlp/batch.ts'
import type { ClientInfo } from '../../../otlp/client-info.ts'
import { encodeBatch } from '../../../otlp/encode-batch.ts'
import { indexRequest } from '../../../otlp/index-request.ts'
import type { Signal } from '../../../otlp/signal.ts'
import { attributes } from './index.ts'

const text = (key: string, stringValue: string): PlainMessage => ({ key, value: { stringValue } })
const int = (key: string, intValue: bigint): PlainMessage => ({ key, value: { intValue } })
const resourceOf = (service: string, ...more: PlainMessage[]): PlainMessage => ({
  attributes: [text('service.name', service), ...more],
})

/** shop/lib 1.0: cart and pay; shop/other: cart; auth without a scope: login. */
const spans: PlainMessage = {
  resourceSpans: [
    {
      resource: resourceOf('shop', text('region', 'eu'), int('zone', 3n)),
      scopeSpans: [
        {
          scope: { name: 'lib', version: '1.0' },
          spans: [
            { name: 'cart', kind: 2, attributes: [text('route', '/cart'), int('status', 200n)] },
            { name: 'pay', kind: 3, attributes: [text('route', '/pay'), int('status', 500n)] },
          ],
        },
        { scope: { name: 'other' }, spans: [{ name: 'cart', kind: 1 }] },
      ],
    },
    {
      resource: resourceOf('auth'),
      scopeSpans: [{ spans: [{ name: 'login', attributes: [text('status', '200')] }] }],
    },
  ],
}

const logs: PlainMessage = {
  resourceLogs: [
    {
      resource: resourceOf('shop'),
      scopeLogs: [
        {
          logRecords: [
            { body: { stringValue: 'started' }, severityNumber: 9, severityText: 'INFO' },
            { body: { stringValue: 'stopped' }, severityNumber: 17, severityText: 'ERROR' },
            { body: { intValue: 5n } },
          ],
        },
      ],
    },
  ],
}

const metrics: PlainMessage = {
  resourceMetrics: [
    {
      resource: resourceOf('shop'),
      scopeMetrics: [
        {
          metrics: [
            { name: 'gauge', gauge: { dataPoints: [{ asInt: 1n }, { asInt: 2n }] } },
            { name: 'sum', sum: { dataPoints: [{ asInt: 3n }] } },
            { name: 'histogram', histogram: { dataPoints: [{ count: 4n }] } },
            { name: 'exponential', exponentialHistogram: { dataPoints: [{ count: 5n }] } },
            { name: 'summary', summary: { dataPoints: [{ count: 6n }] } },
          ],
        },
      ],
    },
  ],
}

const requests: Readonly<Record<Signal, PlainMessage>> = { traces: spans, logs, metrics }

function run(signal: Signal, settings: object, client?: ClientInfo) {
  const host = testHost({ id: 'attributes', signal })
  const config = attributes.config.parse(settings)
  assert.deepEqual(attributes.check!(config, new Set([signal])), [])
  const before = indexRequest(signal, encodeRequest(signal, requests[signal]), client)
  void attributes.create(config, host).consume(before)
  return { before, after: host.sink.batches[0] }
}

const mark = [{ action: 'upsert', key: 'marked', value: true }]
const isMark = ({ key }: PlainMessage) => key === 'marked'

/** The places of the items, in order, that got the attribute. */
function marked(signal: Signal, settings: object): number[] {
  const { after } = run(signal, { actions: mark, ...settings })
  return itemsOf(signal, after).flatMap((item, index) =>
    list(item.attributes).some(isMark) ? [index] : [],
  )
}

function itemsOf(signal: Signal, batch: Batch): PlainMessage[] {
  const request = decodeRequest(signal, encodeBatch(batch))
  const groups = Object.values(request).flatMap(list)
  const scopes = groups.flatMap(({ scopeSpans, scopeLogs, scopeMetrics }) =>
    list(scopeSpans ?? scopeLogs ?? scopeMetrics),
  )
  const members = scopes.flatMap((scope) => list(scope.spans ?? scope.logRecords ?? scope.metrics))
  if (signal !== 'metrics') return members
  return members.flatMap((metric) =>
    Object.values(metric).flatMap((data) =>
      typeof data === 'object' ? list((data as PlainMessage).dataPoints) : [],
    ),
  )
}

function list(value: Plain | undefined): PlainMessage[] {
  return [...((value ?? []) as readonly PlainMessage[])]
}

test('without conditions the actions apply to every item of every kind', () => {
  assert.deepEqual(marked('traces', {}), [0, 1, 2, 3])
  assert.deepEqual(marked('logs', {}), [0, 1, 2])
  assert.deepEqual(marked('metrics', {}), [0, 1, 2, 3, 4, 5])
})

test('what is not edited keeps its exact place and content', () => {
  const { after } = run('traces', {
    actions: [{ action: 'delete', key: 'route' }],
    include: { match_type: 'strict', span_names: ['pay'] },
  })
  const expected = structuredClone(spans) as { resourceSpans: { scopeSpans: unknown[] }[] }
  const [scope] = expected.resourceSpans[0].scopeSpans as { spans: { attributes: unknown[] }[] }[]
  scope.spans[1].attributes.shift()
  assert.deepEqual(decodeRequest('traces', encodeBatch(after)), expected)
})

test('a batch in which nothing matches, or nothing changes, passes as it is', () => {
  const none = run('traces', {
    actions: mark,
    include: { match_type: 'strict', services: ['none'] },
  })
  assert.equal(none.after, none.before)
  const same = run('traces', { actions: [{ action: 'delete', key: 'none' }] })
  assert.equal(same.after, same.before)
})

test('actions may ask for the client', () => {
  const client: ClientInfo = { address: '10.0.0.7', metadata: new Map(), auth: new Map() }
  const actions = [{ action: 'insert', key: 'peer', from_context: 'client.address' }]
  const [first] = itemsOf('logs', run('logs', { actions }, client).after)
  assert.deepEqual(first.attributes, [text('peer', '10.0.0.7')])
})

/** What `include` selects, `exclude` leaves alone. */
function selects(signal: Signal, match: object, expected: readonly number[]): void {
  assert.deepEqual(marked(signal, { include: match }), expected)
  const all = marked(signal, {})
  assert.deepEqual(
    marked(signal, { exclude: match }),
    all.filter((index) => !expected.includes(index)),
  )
}

const strict = (match: object) => ({ match_type: 'strict', ...match })
const regexp = (match: object) => ({ match_type: 'regexp', ...match })

suite('conditions', () => {
  test('services', () => {
    selects('traces', strict({ services: ['auth', 'none'] }), [3])
    selects('traces', strict({ services: ['sho'] }), [])
    selects('traces', regexp({ services: ['^sh', 'none'] }), [0, 1, 2])
    selects('metrics', strict({ services: ['shop'] }), [0, 1, 2, 3, 4, 5])
    selects('logs', strict({ services: ['auth'] }), [])
  })

  test('span_names and span_kinds', () => {
    selects('traces', strict({ span_names: ['cart', 'login'] }), [0, 2, 3])
    selects('traces', regexp({ span_names: ['a'] }), [0, 1, 2])
    selects('traces', strict({ span_kinds: ['SPAN_KIND_SERVER', 'SPAN_KIND_CLIENT'] }), [0, 1])
    selects('traces', strict({ span_kinds: ['SPAN_KIND_UNSPECIFIED'] }), [3])
    selects('traces', regexp({ span_kinds: ['INTERNAL$'] }), [2])
  })

  test('attributes: all of them, by value or by key alone', () => {
    const one = (key: string, value?: unknown) => ({ key, value })
    selects('traces', strict({ attributes: [one('route')] }), [0, 1])
    selects('traces', strict({ attributes: [one('route', '/pay')] }), [1])
    selects('traces', strict({ attributes: [one('route'), one('status', 200)] }), [0])
    selects('traces', strict({ attributes: [one('status', '200')] }), [3])
    selects('traces', strict({ attributes: [one('status', null)] }), [0, 1, 3])
    selects('traces', regexp({ attributes: [one('status', '^2')] }), [0, 3])
  })

  test('resources', () => {
    selects('traces', strict({ resources: [{ key: 'region', value: 'eu' }] }), [0, 1, 2])
    selects('traces', strict({ resources: [{ key: 'region' }, { key: 'zone', value: 4 }] }), [])
    selects('traces', regexp({ resources: [{ key: 'zone', value: '[34]' }] }), [0, 1, 2])
  })

  test('libraries', () => {
    selects('traces', strict({ libraries: [{ name: 'lib' }, { name: 'none' }] }), [0, 1])
    selects('traces', strict({ libraries: [{ name: 'lib', version: '1.0' }] }), [0, 1])
    selects('traces', strict({ libraries: [{ name: 'lib', version: '2.0' }] }), [])
    selects('traces', strict({ libraries: [{ name: 'other', version: '' }] }), [2])
    selects('traces', regexp({ libraries: [{ name: '^(lib|other)$', version: '^$' }] }), [2])
    selects('traces', strict({ libraries: [{ name: '' }] }), [3])
  })

  test('log_bodies, log_severity_texts and log_severity_number', () => {
    selects('logs', strict({ log_bodies: ['started'] }), [0])
    selects('logs', regexp({ log_bodies: ['^st', '5'] }), [0, 1])
    selects('logs', strict({ log_severity_texts: ['ERROR'] }), [1])
    selects('logs', regexp({ log_severity_texts: ['^$'] }), [2])
    selects('logs', strict({ log_severity_number: { min: 9 } }), [0, 1])
    selects('logs', strict({ log_severity_number: { min: 10 } }), [1])
    selects('logs', strict({ log_severity_number: { min: 'error' } }), [1])
    selects('logs', strict({ log_severity_number: { min: 'ERROR2' } }), [])
    selects('logs', strict({ log_severity_number: { min: 17, match_undefined: true } }), [1, 2])
  })

  test('metric_names', () => {
    selects('metrics', strict({ metric_names: ['gauge', 'summary'] }), [0, 1, 5])
    selects('metrics', regexp({ metric_names: ['hist', 'exp'] }), [3, 4])
  })

  test('all fields must match', () => {
    selects('traces', strict({ services: ['shop'], span_names: ['cart'] }), [0, 2])
    const attribute = { key: 'status', value: 200 }
    selects('traces', strict({ span_names: ['pay'], attributes: [attribute] }), [])
    const { libraries } = { libraries: [{ name: 'lib' }] }
    selects('traces', strict({ services: ['shop'], span_names: ['cart'], libraries }), [0])
  })
})

test('include comes first, exclude takes from what is left', () => {
  const include = strict({ span_names: ['cart', 'pay'] })
  const byAttribute = strict({ attributes: [{ key: 'status', value: 500 }] })
  assert.deepEqual(marked('traces', { include, exclude: byAttribute }), [0, 2])
  const byKind = strict({ span_kinds: ['SPAN_KIND_INTERNAL'] })
  assert.deepEqual(marked('traces', { include, exclude: byKind }), [0, 1])
})

test('a field of another signal is an error', () => {
  const problemsOf = (settings: object, ...signals: Signal[]) => {
    const config = attributes.config.parse({ actions: mark, ...settings })
    const problems = attributes.check!(config, new Set(signals))
    return problems.map(({ path, message }) => `${path.join('.')} ${message}`)
  }
  const include = strict({ span_names: ['a'] })
  assert.deepEqual(problemsOf({ include, exclude: strict({ log_bodies: ['b'] }) }), [
    'exclude.log_bodies is for logs and include.span_names for traces: no pipeline carries both',
  ])
  for (const [signal, field] of [
    ['logs', 'span_names'],
    ['metrics', 'span_kinds'],
    ['traces', 'log_bodies'],
    ['traces', 'log_severity_texts'],
    ['logs', 'metric_names'],
  ] as const) {
    const match = strict({ [field]: [field === 'span_kinds' ? 'SPAN_KIND_SERVER' : 'x'] })
    const [problem, ...others] = problemsOf({ include: match }, signal)
    assert.match(problem, new RegExp(`^include\\.${field} is for .* pipeline of ${signal}$`))
    assert.deepEqual(others, [])
  }
  const exclude = strict({ services: ['a'], metric_names: ['b'] })
  assert.deepEqual(problemsOf({ exclude }, 'metrics'), [])
  assert.deepEqual(problemsOf({ exclude }, 'metrics', 'logs', 'traces'), [
    'exclude.metric_names is for metrics, and is used in a pipeline of logs and of traces',
  ])
})

test('mistakes in conditions are told at their place', () => {
  const complaintOf = (include: object) => {
    const { error } = attributes.config.safeParse({ actions: mark, include })
    return error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; ')
  }
  const table: [include: object, complaint: RegExp][] = [
    [{ services: ['a'] }, /^include\.match_type /],
    [strict({}), /^include must say what to match/],
    [strict({ services: [] }), /^include must say what to match/],
    [strict({ span_kinds: ['server'] }), /^include\.span_kinds\.0 must be one of SPAN_KIND_/],
    [regexp({ services: ['a', '('] }), /^include\.services\.1 must be a regular expression/],
    [
      regexp({ attributes: [{ key: 'a', value: 1 }] }),
      /^include\.attributes\.0\.value must be text/,
    ],
    [regexp({ libraries: [{ name: '(' }] }), /^include\.libraries\.0\.name must be a regular/],
    [strict({ attributes: [{ value: 1 }] }), /^include\.attributes\.0\.key /],
    [strict({ log_severity_number: { min: 25 } }), /^include\.log_severity_number\.min/],
    [strict({ services: ['a'], service: 'a' }), /service/],
  ]
  for (const [include, complaint] of table) assert.match(complaintOf(include) ?? 'none', complaint)
  const { error } = attributes.config.safeParse({})
  assert.match(error!.message, /actions/)
})
