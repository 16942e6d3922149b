/** Expectations are those of config.go of the Collector's exporter, release 0.161. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { metricsBatch, point, sum } from '../../../../test/kit/metrics-request.ts'
import { testHost } from '../../../../test/kit/test-host.ts'
import { PrometheusExporter } from './prometheus-exporter.ts'
import { checkSettings, settings } from './settings.ts'

test('a queue of the page is accepted, as in the Collector', () => {
  const { data } = settings.safeParse({
    endpoint: 'localhost:0',
    sending_queue: { enabled: true, queue_size: 10 },
  })
  assert.equal(data?.sending_queue.queue_size, 10)
  assert.equal(settings.parse({ endpoint: 'localhost:0' }).sending_queue.enabled, false)
})

test('add_metric_suffixes: false, which the Collector ignores, is warned of', () => {
  const problems = (config: object) =>
    checkSettings(settings.parse({ endpoint: 'localhost:0', ...config })).map(
      ({ path, severity }) => `${severity} ${path.join()}`,
    )
  assert.deepEqual(problems({ add_metric_suffixes: false }), ['warning add_metric_suffixes'])
  assert.deepEqual(problems({ add_metric_suffixes: true }), [])
  assert.deepEqual(problems({ translation_strategy: 'UnderscoreEscapingWithoutSuffixes' }), [])
})

// client_golang writes none unless asked for by EnableOpenMetricsTextCreatedSamples, which the Collector does not.
test('without_created leaves OpenMetrics as the Collector writes it', async () => {
  const created = ['jobs_created 1']
  assert.deepEqual(await createdLines({}), created)
  assert.deepEqual(await createdLines({ without_created: false }), created)
  assert.deepEqual(await createdLines({ without_created: true }), [])
})

async function createdLines(config: object): Promise<string[]> {
  const endpoint = '127.0.0.1:0'
  const page = settings.parse({ endpoint, enable_open_metrics: true, ...config })
  const exporter = new PrometheusExporter(page, testHost({ signals: ['metrics'] }))
  await exporter.start()
  try {
    const times = { startTimeUnixNano: 1_000_000_000n, timeUnixNano: 2_000_000_000n }
    exporter.consume(metricsBatch([sum('jobs', [point({}, { ...times, asInt: 1n })])]))
    const headers = { accept: 'application/openmetrics-text;version=1.0.0' }
    const response = await fetch(`http://127.0.0.1:${exporter.port}/metrics`, { headers })
    const text = await response.text()
    assert.match(text, /^jobs_total 1\.0$/m)
    return text.split('\n').filter((line) => line.includes('_created'))
  } finally {
    await exporter.stop(AbortSignal.timeout(50))
  }
}
