/** promtool, which does not know us, reads and lints every page that we show. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { debianProgram } from '../kit/debian-package.ts'
import { freePorts, GatewayProcess } from '../kit/gateway-process.ts'
import { point, sum } from '../kit/metrics-request.ts'
import { pushMetrics } from '../kit/push-metrics.ts'
import {
  classicMetric,
  exactNumbersMetric,
  exponentialMetric,
  exactNumbers,
  classicCases,
} from './metric-cases.ts'

const promtool = debianProgram('promtool', 'prometheus')
const [http, plain, timed, own] = await freePorts(4)
const gatewayYaml = `
receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${http}" } } }
exporters:
  prometheus: { endpoint: "127.0.0.1:${plain}" }
  prometheus/timed: { endpoint: "127.0.0.1:${timed}", enable_open_metrics: true, send_timestamps: true }
service:
  pipelines:
    metrics: { receivers: [otlp], exporters: [prometheus, prometheus/timed] }
  telemetry: { metrics: { address: "127.0.0.1:${own}" } }
`

const folder = mkdtempSync(join(tmpdir(), 'penstock-promtool-'))
let gateway: GatewayProcess

before(async () => {
  gateway = await GatewayProcess.start(gatewayYaml)
  const nowMs = BigInt(Date.now())
  const times = {
    startTimeUnixNano: (nowMs - 60_000n) * 1_000_000n,
    timeUnixNano: nowMs * 1_000_000n,
  }
  const { timeUnixNano } = times
  const exemplars = [{ timeUnixNano, asDouble: 1, traceId: `hex:${'ab'.repeat(16)}` }]
  await pushMetrics(http, [
    exactNumbersMetric('exact', times),
    { ...classicMetric('lag', times), description: 'Lag.' },
    { ...exponentialMetric('wait', times), description: 'Wait.' },
    sum('orders', [{ ...point({ kind: 'a"\\\n' }, { ...times, asInt: 3n }), exemplars }], {
      metric: { description: 'Orders.' },
    }),
    {
      name: 'spent',
      unit: 's',
      description: 'Spent.',
      summary: {
        dataPoints: [
          { ...times, count: 3n, sum: 1.5, quantileValues: [{ quantile: 0.5, value: NaN }] },
        ],
      },
    },
  ])
})

after(async () => {
  assert.equal(await gateway.stop(), 0)
  rmSync(folder, { recursive: true, force: true })
})

async function page(port: number, accept = 'text/plain'): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } })
  return answer.text()
}

test('its linter has nothing to say of text, whoever shows it', async () => {
  for (const [what, port] of Object.entries({ plain, timed, own })) {
    const input = await page(port)
    const checked = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' })
    assert.deepEqual([checked.status, checked.stderr], [0, ''], what)
  }
})

test('it makes blocks of OpenMetrics that hold every sample', async () => {
  const input = await page(timed, 'application/openmetrics-text; version=1.0.0')
  assert.match(input, /# EOF\n$/)
  const file = join(folder, 'page.om')
  writeFileSync(file, input)
  const blocks = join(folder, 'blocks')
  const made = spawnSync(promtool, ['tsdb', 'create-blocks-from', 'openmetrics', file, blocks], {
    encoding: 'utf8',
  })
  assert.equal(made.status, 0, made.stderr)
  // Which it looks for in a folder with blocks.
  mkdirSync(join(blocks, 'wal'))
  const dumped = spawnSync(promtool, ['tsdb', 'dump', blocks], { encoding: 'utf8' })
  assert.equal(dumped.status, 0, dumped.stderr)
  const lines = dumped.stdout.split('\n').filter((line) => line !== '')
  const shown = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  assert.equal(lines.length, shown.length)
  const of = (name: string) => lines.filter((line) => line.includes(`__name__="${name}"`))
  assert.equal(of('exact').length, Object.keys(exactNumbers).length)
  assert.equal(of('lag_seconds_count').length, Object.keys(classicCases).length)
  assert.match(of('orders_total').join(), /kind="a\\"\\\\\\n".*\} 3 \d+$/)
})
