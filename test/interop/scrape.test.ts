/** Real Prometheus servers scrape each form of the page, and answer with the exact values that were pushed. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { eventually, freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { cumulative, delta, gauge, point, sum } from '../kit/metrics-request.ts'
import type { PlainMessage } from '../kit/oracle.ts'
import {
  type FoundExemplar,
  numberOf,
  type PrometheusProgram,
  prometheusPrograms,
  PrometheusServer,
} from '../kit/prometheus-server.ts'
import { pushMetrics } from '../kit/push-metrics.ts'
import { assertClassic, assertExactNumbers, assertNative } from './assert-stored.ts'
import { classicMetric, exactNumbersMetric, exponentialMetric } from './metric-cases.ts'

const pages = ['text', 'openmetrics', 'protobuf', 'verbatim', 'timed'] as const
type Page = (typeof pages)[number]
type Ports = Readonly<Record<Page, number>>

const settings: Readonly<Record<Page, string>> = {
  text: 'enable_open_metrics: false',
  openmetrics: 'enable_open_metrics: true',
  protobuf: 'enable_open_metrics: true',
  verbatim: 'enable_open_metrics: true, translation_strategy: NoTranslation',
  timed: 'enable_open_metrics: true, send_timestamps: true',
}

const gatewayYaml = (http: number, ports: Ports) => `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
exporters:
${pages
  .map(
    (page) =>
      `  prometheus/${page}: { endpoint: "127.0.0.1:${ports[page]}", const_labels: { page: ${page} }, ${settings[page]} }`,
  )
  .join('\n')}
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [${pages.map((page) => `prometheus/${page}`).join()}] }
  telemetry: { metrics: { level: none } }
`

/** In which forms each page is asked for by a server that can choose. */
const protocols: Readonly<Record<Page, readonly string[]>> = {
  text: ['PrometheusText0.0.4'],
  openmetrics: ['OpenMetricsText1.0.0'],
  protobuf: ['PrometheusProto'],
  verbatim: ['PrometheusText1.0.0', 'OpenMetricsText1.0.0', 'PrometheusProto'],
  timed: ['PrometheusText0.0.4', 'OpenMetricsText1.0.0', 'PrometheusProto'],
}

/** Before 3.0 the server asks every target alike, and a page has only the forms that it offers. */
function serverYaml(scraped: readonly Page[], ports: Ports, isModern: boolean): string {
  const job = (page: Page, form: string, more: string) => `
  - job_name: ${page}-${form}
    honor_labels: true
    static_configs: [{ targets: ["127.0.0.1:${ports[page]}"], labels: { form: "${form}" } }]
${more}`
  const jobs = scraped.flatMap((page) =>
    isModern
      ? protocols[page].map((form) =>
          job(
            page,
            form,
            `    scrape_protocols: [${form}]\n` +
              `    scrape_native_histograms: ${form === 'PrometheusProto'}`,
          ),
        )
      : [job(page, 'usual', '')],
  )
  return `global: { scrape_interval: 500ms, scrape_timeout: 500ms }\nscrape_configs:${jobs.join('')}\n`
}

for (const program of prometheusPrograms()) {
  describe(`${program.title} scrapes`, () => suite(program))
}

function suite(program: PrometheusProgram): void {
  const isModern = program.major >= 3
  const startMs = Date.now() - 60_000
  const nanos = (ms: number) => BigInt(startMs + ms) * 1_000_000n
  const times = (ms: number) => ({ startTimeUnixNano: nanos(0), timeUnixNano: nanos(ms) })
  const exemplar = (ms: number, value: number) => ({
    timeUnixNano: nanos(ms),
    asDouble: value,
    traceId: `hex:${'ab'.repeat(16)}`,
    spanId: `hex:${'cd'.repeat(8)}`,
    filteredAttributes: [{ key: 'user.id', value: { stringValue: 'u1' } }],
  })
  let gateway: GatewayProcess
  let http = 0
  const servers: PrometheusServer[] = []
  const serverOf = new Map<Page, PrometheusServer>()
  const on = (page: Page) => serverOf.get(page)!

  before(async () => {
    const [first, ...rest] = await freePorts(1 + pages.length)
    http = first
    const ports = Object.fromEntries(pages.map((page, index) => [page, rest[index]])) as Ports
    gateway = await GatewayProcess.start(gatewayYaml(http, ports))
    await pushFirst()
    // With native histograms enabled 2.x asks for protobuf wherever it scrapes.
    const groups: readonly (readonly Page[])[] = isModern
      ? [pages]
      : [['text', 'openmetrics', 'verbatim', 'timed'], ['protobuf']]
    for (const group of groups) {
      const features = isModern
        ? ['promql-experimental-functions', 'st-storage', 'use-start-timestamps']
        : group.includes('protobuf')
          ? ['native-histograms']
          : []
      const config = serverYaml(group, ports, isModern)
      const server = await PrometheusServer.start(program, { config, features })
      servers.push(server)
      for (const page of group) serverOf.set(page, server)
    }
    await everywhere('begun_total == 20')
    await pushMetrics(http, [
      sum('begun', [
        point({}, { startTimeUnixNano: nanos(30_000), timeUnixNano: nanos(40_000), asDouble: 5 }),
      ]),
      gauge('gone', [point({}, { ...times(40_000), flags: 1 })]),
      gauge('last', [point({}, { ...times(40_000), asDouble: 1 })]),
    ])
    await everywhere('last')
  })

  after(async () => {
    assert.equal(await gateway.stop(), 0)
    await Promise.all(servers.map((server) => server.stop()))
  })

  const formsOf = (page: Page) => (isModern ? protocols[page] : ['usual'])
  const nameOn = (page: Page, name: string) =>
    page === 'verbatim' ? name.replace('begun_total', 'begun') : name

  /** Waits until each page has shown this. */
  async function everywhere(query: string): Promise<void> {
    for (const page of pages) {
      const [name, ...condition] = nameOn(page, query).split(' ')
      const expression = `${name}{page="${page}"} ${condition.join(' ')}`
      const isThere = async () =>
        (await on(page).query(expression)).length === formsOf(page).length ? true : undefined
      try {
        await eventually(isThere, expression, 15_000)
      } catch (cause) {
        const { activeTargets } = (await on(page).api('targets')) as { activeTargets: object[] }
        throw new Error(JSON.stringify(activeTargets), { cause })
      }
    }
  }

  async function pushFirst(): Promise<void> {
    const metrics: PlainMessage[] = [
      exactNumbersMetric('exact', times(10_000)),
      classicMetric('lag', times(10_000)),
      exponentialMetric('wait', times(10_000)),
      sum('begun', [point({}, { ...times(10_000), asDouble: 20 })]),
      gauge('gone', [point({}, { ...times(10_000), asDouble: 1 })]),
      sum(
        'orders.placed',
        [
          {
            ...point({ 'payment.method': 'card\\"\n' }, { ...times(10_000), asInt: 41n }),
            exemplars: [exemplar(9_000, 1.5)],
          },
        ],
        { metric: { description: 'Orders "placed"\\,\nall of them.', unit: 'By' } },
      ),
      {
        name: 'sizes',
        histogram: {
          ...cumulative,
          dataPoints: [
            {
              ...times(10_000),
              count: 3n,
              sum: 26,
              explicitBounds: [1, 10],
              bucketCounts: [1n, 1n, 1n],
              exemplars: [exemplar(7_000, 0.5), exemplar(8_000, 5), exemplar(9_000, 20.5)],
            },
          ],
        },
      },
      {
        name: 'weights',
        exponentialHistogram: {
          ...cumulative,
          dataPoints: [
            {
              ...times(10_000),
              count: 2n,
              sum: 3.5,
              scale: 0,
              positive: { offset: 0, bucketCounts: [1n, 1n] },
              exemplars: [exemplar(8_000, 1.5), exemplar(9_000, 2)],
            },
          ],
        },
      },
      {
        name: 'spent',
        unit: 's',
        summary: {
          dataPoints: [
            {
              ...times(10_000),
              count: 4n,
              sum: 8,
              quantileValues: [
                { quantile: 0.5, value: 2 },
                { quantile: 0.999, value: NaN },
              ],
            },
          ],
        },
      },
    ]
    await pushMetrics(http, metrics)
    for (let step = 1; step <= 4; step++) {
      const between = {
        startTimeUnixNano: nanos(step * 100 - 100),
        timeUnixNano: nanos(step * 100),
      }
      await pushMetrics(http, [
        sum('steps', [point({}, { ...between, asDouble: step })], { sum: delta }),
      ])
    }
  }

  for (const page of ['text', 'openmetrics', 'protobuf'] as const) {
    const only = `page="${page}"`
    const [form] = formsOf(page)
    const labels = { job: 'shop/checkout', instance: 'pod-1', page, form }

    test(`${page}: numbers are what was pushed, to the last digit`, async () => {
      await assertExactNumbers(on(page), 'exact', only)
    })

    test(`${page}: classic histograms and their quantiles`, async () => {
      // Whether there is a sum, protobuf does not tell.
      await assertClassic(on(page), 'lag_seconds', only, page === 'protobuf' ? [0] : [])
    })

    test(`${page}: exponential histograms, as far as the form can show them`, async () => {
      if (page === 'protobuf') return assertNative(on(page), program, 'wait_seconds', only)
      const one = `${only},case="usual"`
      assert.equal(await on(page).number(`wait_seconds_count{${one}}`), 10)
      assert.equal(await on(page).number(`wait_seconds_sum{${one}}`), 40)
      assert.equal(await on(page).number(`wait_seconds_bucket{${one},le="+Inf"}`), 10)
    })

    const expected: [name: string, value: number, labels: Record<string, string>][] = [
      ['orders_placed_bytes_total', 41, { payment_method: 'card\\"\n' }],
      ['spent_seconds', 2, { quantile: '0.5' }],
      ['spent_seconds', NaN, { quantile: '0.999' }],
      ['spent_seconds_sum', 8, {}],
      ['spent_seconds_count', 4, {}],
      ['steps_total', 10, {}],
      ['target_info', 1, { k8s_pod_name: 'checkout-0' }],
    ]
    for (const [name, value, more] of expected) {
      test(`${page}: ${name} ${JSON.stringify(more)} has the value that was pushed`, async () => {
        const quantile = more.quantile === undefined ? '' : `,quantile="${more.quantile}"`
        const found = await on(page).query(`${name}{${only}${quantile}}`)
        assert.deepEqual(
          found.map(({ metric, value }) => [metric, numberOf(value!)]),
          [[{ __name__: name, ...labels, ...more }, value]],
        )
      })
    }

    test(`${page}: a counter that began anew is a reset`, async () => {
      const [{ values }] = await on(page).stored(`begun_total{${only}}`)
      const steps = values.map(([, value]) => value)
      assert.deepEqual([...new Set(steps)], ['20', '5'])
      assert.equal(await on(page).number(`resets(begun_total{${only}}[1m])`), 1)
    })

    test(`${page}: what has no recorded value any more is stale with the next scrape`, async () => {
      assert.deepEqual(await on(page).query(`gone{${only}}`), [])
      const [{ values }] = await on(page).stored(`gone{${only}}`)
      assert.deepEqual([...new Set(values.map(([, value]) => value))], ['1'])
    })

    test(`${page}: target_info joins by job and instance`, async () => {
      const join = `* on (job, instance, page, form) group_left (k8s_pod_name) target_info`
      const found = await on(page).query(`orders_placed_bytes_total{${only}} ${join}`)
      assert.deepEqual(
        found.map(({ metric, value }) => [metric.k8s_pod_name, value]),
        [['checkout-0', '41']],
      )
    })

    test(`${page}: type, help and unit are known, as far as the form has them`, async () => {
      const found = (await on(page).api('targets/metadata', {
        match_target: `{job="${page}-${form}"}`,
      })) as { metric: string; type: string; help: string; unit: string }[]
      const known = new Map(
        found.map(({ metric, type, help, unit }) => [metric, [type, help, unit]]),
      )
      const isOpen = page === 'openmetrics'
      const hasUnit = isOpen || (page === 'protobuf' && isModern)
      const unit = (text: string) => (hasUnit ? text : '')
      const help = 'Orders "placed"\\,\nall of them.'
      const counter = isOpen ? 'orders_placed_bytes' : 'orders_placed_bytes_total'
      assert.deepEqual(known.get(counter), ['counter', help, unit('bytes')])
      assert.deepEqual(known.get('exact'), ['gauge', 'Numbers to the last digit.', ''])
      assert.deepEqual(known.get('lag_seconds')?.toSpliced(1, 1), ['histogram', unit('seconds')])
      assert.deepEqual(known.get('wait_seconds')?.[0], 'histogram')
      assert.deepEqual(known.get('spent_seconds')?.[0], 'summary')
      assert.deepEqual(known.get('target_info')?.[0], 'gauge')
    })
  }

  test('exemplars come with OpenMetrics and protobuf', async () => {
    for (const page of ['text', 'openmetrics', 'protobuf'] as const) {
      const found = await on(page).exemplars(
        `{__name__=~"orders_placed_bytes_total|sizes.*|weights",page="${page}"}`,
      )
      const withAll = (ms: number, value: string) => ({
        labels: { trace_id: 'ab'.repeat(16), span_id: 'cd'.repeat(8), user_id: 'u1' },
        value,
        timeMs: startMs + ms,
      })
      const own = (le = '') =>
        `{form="${formsOf(page)[0]}",instance="pod-1",job="shop/checkout"${le},page="${page}"`
      const expected: [string, FoundExemplar[]][] = [
        [
          `orders_placed_bytes_total${own()},payment_method="card\\\\\\"\\n"}`,
          [withAll(9_000, '1.5')],
        ],
        [`sizes_bucket${own(',le="+Inf"')}}`, [withAll(9_000, '20.5')]],
        [`sizes_bucket${own(',le="1.0"')}}`, [withAll(7_000, '0.5')]],
        [`sizes_bucket${own(',le="10.0"')}}`, [withAll(8_000, '5')]],
      ]
      // A 2.x server looks for them among the classic buckets only, which a native histogram lacks.
      if (page === 'protobuf' && isModern) {
        expected.push([`weights${own()}}`, [withAll(8_000, '1.5'), withAll(9_000, '2')]])
      }
      assert.deepEqual(found, new Map(page === 'text' ? [] : expected), page)
    }
  })

  test('the start of a counter is known from OpenMetrics and protobuf', async () => {
    const seconds = (startMs + 30_000) / 1000
    if (!isModern) {
      assert.equal(await on('openmetrics').number('begun_created{page="openmetrics"}'), seconds)
      return
    }
    for (const page of ['openmetrics', 'protobuf'] as const) {
      const started = await on(page).number(`start_timestamp(begun_total{page="${page}"})`)
      assert.equal(started, seconds, page)
    }
  })

  test('names are verbatim for who takes UTF-8, and escaped for who does not', async () => {
    for (const form of formsOf('verbatim')) {
      const only = `page="verbatim",form="${form}"`
      // For protobuf a server does not say that it takes UTF-8.
      const query =
        isModern && form !== 'PrometheusProto'
          ? `{"orders.placed",${only},"payment.method"!=""}`
          : `orders_placed{${only},payment_method!=""}`
      assert.equal(await on('verbatim').number(query), 41, form)
      // Rank 1.5 of 3 is the middle of the second bucket.
      const buckets = `{__name__="sizes_bucket",${only}}`
      assert.equal(await on('verbatim').number(`histogram_quantile(0.5, ${buckets})`), 5.5, form)
    }
  })

  test('where timestamps are sent, values have the time at which they were measured', async () => {
    for (const form of formsOf('timed')) {
      const only = `page="timed",form="${form}"`
      const [{ values }] = await on('timed').stored(`begun_total{${only}}`)
      assert.deepEqual(
        values.map(([timeMs, value]) => [timeMs - startMs, value]),
        [
          [10_000, '20'],
          [40_000, '5'],
        ],
        form,
      )
      const [native] = await on('timed').stored(`weights{${only}}`)
      assert.deepEqual(
        native?.histograms.map(([timeMs, { count }]) => [timeMs - startMs, count]),
        form === 'PrometheusProto' ? [[10_000, '2']] : undefined,
      )
    }
  })
}
