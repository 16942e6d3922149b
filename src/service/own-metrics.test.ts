import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OwnMetrics } from './own-metrics.ts'

test('a counter is on the page under both ages of its name, at zero before it is used', async () => {
  const metrics = new OwnMetrics()
  const sent = metrics.counter('otelcol_exporter_sent_spans', 'Number of spans sent.', {
    exporter: 'otlp',
  })
  const zero = await metrics.page()
  assert.match(zero, /^# TYPE otelcol_exporter_sent_spans_total counter$/m)
  assert.match(zero, /^otelcol_exporter_sent_spans_total\{exporter="otlp"\} 0$/m)
  sent.add(3)
  const page = await metrics.page()
  assert.match(page, /^# TYPE otelcol_exporter_sent_spans untyped$/m)
  assert.match(page, /^otelcol_exporter_sent_spans\{exporter="otlp"\} 3$/m)
  assert.match(page, /^otelcol_exporter_sent_spans_total\{exporter="otlp"\} 3$/m)
})

test('the same name and labels give the same counter, in whatever order the labels stand', async () => {
  const metrics = new OwnMetrics()
  metrics.counter('a', 'A.', { x: '1', y: '2' }).add(1)
  metrics.counter('a', 'A.', { y: '2', x: '1' }).add(1)
  assert.match(await metrics.page(), /^a_total\{x="1",y="2"\} 2$/m)
})

test('a histogram counts each value in every bucket that holds it', async () => {
  const metrics = new OwnMetrics()
  const sizes = metrics.histogram('sizes', 'Sizes.', [10, 100], { processor: 'batch' })
  for (const value of [5, 10, 50, 500]) sizes.record(value)
  const lines = (await metrics.page()).split('\n').filter((line) => line.startsWith('sizes_'))
  assert.deepEqual(lines, [
    'sizes_bucket{processor="batch",le="10"} 2',
    'sizes_bucket{processor="batch",le="100"} 3',
    'sizes_bucket{processor="batch",le="+Inf"} 4',
    'sizes_sum{processor="batch"} 565',
    'sizes_count{processor="batch"} 4',
  ])
})

test('an observed gauge is read when the page is asked for, and a later reader takes over', async () => {
  const metrics = new OwnMetrics()
  let size = 1
  metrics.observe('queue_size', 'Size.', {}, () => size)
  size = 2
  assert.match(await metrics.page(), /^queue_size 2$/m)
  metrics.observe('queue_size', 'Size.', {}, () => 7)
  assert.match(await metrics.page(), /^queue_size 7$/m)
})
