import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { ManualClock } from '../../test/kit/manual-clock.ts'
import { defineProcessor, type MetricLevel } from '../pipeline/component.ts'
import type { CheckedConfig } from './checked-config.ts'
import { Service } from './service.ts'

const levelled = defineProcessor({
  type: 'levelled',
  summary: '',
  stability: 'stable',
  signals: ['traces'],
  config: z.any(),
  examples: [],
  metrics: [
    { name: 'penstock_always', kind: 'counter', help: '' },
    { name: 'penstock_mostly', kind: 'counter', help: '', level: 'normal' },
    { name: 'penstock_rarely', kind: 'histogram', help: '', level: 'detailed' },
  ],
  create: (_, { meter, next }) => {
    meter.counter('penstock_always', '').add(1)
    meter.counter('penstock_mostly', '').add(1)
    meter.histogram('penstock_rarely', '', [1]).record(1)
    return next
  },
})

/** What a service at this level has on its page of the metrics above. */
async function shownAt(level: MetricLevel): Promise<string[]> {
  const none = new Map()
  const config: CheckedConfig = {
    receivers: none,
    processors: new Map([['levelled', { id: 'levelled', declaration: levelled, config: {} }]]),
    exporters: none,
    connectors: none,
    extensions: none,
    extensionIds: [],
    pipelines: [
      { id: 'traces', signal: 'traces', receivers: [], processors: ['levelled'], exporters: [] },
    ],
    telemetry: {
      logs: { level: 'info', encoding: 'json', initialFields: {} },
      metrics: { level, pullEndpoints: [] },
      resource: {},
    },
    shutdownTimeoutMs: 1000,
  }
  const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const service = new Service(config, {
    platform: {
      clock: new ManualClock(),
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
      disk: undefined as never,
      env: {},
      usage: {
        rssBytes: () => 1,
        cpuSeconds: () => 1,
        heapUsedBytes: () => 1,
        reservedBytes: () => 1,
        availableBytes: () => 1,
        watchCollections: () => () => {},
      },
    },
    version: '1.2.3',
    onFatal: () => {},
    logs: { root: silent, for: () => silent },
  })
  const page = await service.metrics.page()
  await service.stop()
  const families = [...page.matchAll(/^# TYPE (penstock_(always|mostly|rarely)\w*) /gm)]
  return families.map(([, name]) => name)
}

test('a metric is on the page from its level on, and not before', async () => {
  const basic = ['penstock_always', 'penstock_always_total']
  const normal = [...basic, 'penstock_mostly', 'penstock_mostly_total']
  assert.deepEqual(await shownAt('basic'), basic)
  assert.deepEqual(await shownAt('normal'), normal)
  assert.deepEqual(await shownAt('detailed'), [...normal, 'penstock_rarely'])
})
