/** Expectations are those of config.go of the Collector's exporter, release 0.161. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
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
