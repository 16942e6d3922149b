import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { z } from 'zod'
import { ManualClock } from '../../test/kit/manual-clock.ts'
import { requestMetric } from '../kit/ingest/request-counter.ts'
import { Batch } from '../otlp/batch.ts'
import { Refusal } from '../otlp/refusal.ts'
import {
  type Component,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from '../pipeline/component.ts'
import type { Consumer } from '../pipeline/consumer.ts'
import type { ExporterHost, ReceiverHost } from '../pipeline/host.ts'
import type { CheckedConfig, CheckedPipeline } from './checked-config.ts'
import { serviceMetrics } from './service-metrics.ts'
import { Service } from './service.ts'

const one = new Batch('traces', [{ resource: undefined, rest: new Uint8Array(30), itemCount: 3 }])

/** A world in which every component writes down what happens to it. */
function world(
  pipelines: CheckedPipeline[],
  overrides: { exporter?: Partial<Consumer>; pullEndpoints?: string[] } = {},
) {
  const events: string[] = []
  const told: string[] = []
  const receivers = new Map<string, ReceiverHost>()
  const exporters = new Map<string, ExporterHost>()
  let fatal: Error | undefined
  const life = (id: string): Component => ({
    start: () => void events.push(`start ${id}`),
    stop: () => void events.push(`stop ${id}`),
  })
  const described = {
    type: 'x',
    summary: '',
    stability: 'stable',
    config: z.any(),
    examples: [],
  } as const
  const all = ['traces', 'metrics', 'logs'] as const
  const receiver = defineReceiver({
    ...described,
    signals: all,
    create: (_, host) => {
      receivers.set(host.id, host)
      return life(host.id)
    },
  })
  const processor = defineProcessor({
    ...described,
    signals: all,
    create: (_, host) => ({
      ...life(host.id),
      consume: (batch) => {
        events.push(`${host.pipeline} ${host.id}`)
        return host.next.consume(batch)
      },
      admit: () => (host.id === 'closed' ? new Refusal('unavailable', 'full') : undefined),
    }),
  })
  const exporter = defineExporter({
    ...described,
    signals: all,
    create: (_, host) => {
      exporters.set(host.id, host)
      return { ...life(host.id), consume: () => void events.push(host.id), ...overrides.exporter }
    },
  })
  const connector = defineConnector({
    ...described,
    routes: [['traces', 'traces']],
    create: (_, host) => ({
      ...life(host.id),
      consume: (batch) => host.next(batch.signal)?.consume(batch),
      admit: (length) => host.next('traces')?.admit?.(length),
    }),
  })
  const extension = defineExtension({ ...described, create: (_, host) => life(host.id) })
  const map = <D>(ids: string[], declaration: D) =>
    new Map(ids.map((id) => [id, { id, declaration, config: {} }]))
  const config: CheckedConfig = {
    receivers: map(['in'], receiver),
    processors: map(['a', 'b', 'closed'], processor),
    exporters: map(['out', 'out/2'], exporter),
    connectors: map(['link'], connector),
    extensions: map(['ext'], extension),
    extensionIds: ['ext'],
    pipelines,
    telemetry: {
      logs: { level: 'info', encoding: 'json', initialFields: {} },
      metrics: { level: 'detailed', pullEndpoints: overrides.pullEndpoints ?? [] },
      resource: {},
    },
    shutdownTimeoutMs: 1000,
  }
  const tell = (_fields: object, line: string) => void told.push(line)
  const log = { debug: () => {}, info: tell, warn: tell, error: tell }
  const clock = new ManualClock()
  const service = new Service(config, {
    platform: {
      clock,
      random: { next: () => 0.5, bytes: (length) => new Uint8Array(length) },
      disk: undefined as never,
      env: {},
      usage: {
        rssBytes: () => 1,
        cpuSeconds: () => 2,
        heapUsedBytes: () => 3,
        reservedBytes: () => 4,
        availableBytes: () => 5,
        watchCollections: (onCollection) => {
          onCollection('minor', 0.002)
          return () => {}
        },
      },
    },
    version: '1.2.3',
    onFatal: (error) => (fatal = error),
    logs: { root: log, for: () => log },
  })
  return { service, events, told, receivers, exporters, clock, fatal: () => fatal }
}

const straight: CheckedPipeline[] = [
  { id: 'traces', signal: 'traces', receivers: ['in'], processors: ['a', 'b'], exporters: ['out'] },
]

test('downstream starts before upstream, and upstream stops before downstream', async () => {
  const { service, events, told } = world(straight)
  assert.equal(service.status.isReady, false)
  await service.start()
  assert.equal(service.status.isReady, true)
  await service.stop()
  assert.deepEqual(events, [
    'start ext',
    'start out',
    'start b',
    'start a',
    'start in',
    'stop in',
    'stop a',
    'stop b',
    'stop out',
    'stop ext',
  ])
  assert.deepEqual([service.status.isReady, service.status.reason], [false, 'shutting down'])
  assert.equal(told.at(-1), 'Shutdown complete.')
})

test('a batch passes the processors in order and is counted at each edge', async () => {
  const { service, events, receivers } = world(straight)
  await receivers.get('in')?.consumer('traces', 'grpc')?.consume(one)
  assert.deepEqual(events, ['traces a', 'traces b', 'out'])
  const page = await service.metrics.page()
  for (const line of [
    'otelcol_receiver_accepted_spans_total{receiver="in",transport="grpc"} 3',
    'otelcol_processor_incoming_items_total{processor="a",otel_signal="traces"} 3',
    'otelcol_processor_outgoing_items_total{processor="b",otel_signal="traces"} 3',
  ]) {
    assert.ok(page.includes(line), `${line} in\n${page}`)
  }
})

test('a signal that no pipeline takes has no consumer', () => {
  assert.equal(world(straight).receivers.get('in')?.consumer('logs', 'grpc'), undefined)
})

test('pipelines behind a connector are built first and take what comes through it', async () => {
  const { service, events, receivers, exporters } = world([
    { id: 'traces', signal: 'traces', receivers: ['in'], processors: ['a'], exporters: ['link'] },
    {
      id: 'traces/x',
      signal: 'traces',
      receivers: ['link'],
      processors: ['b'],
      exporters: ['out'],
    },
    {
      id: 'traces/y',
      signal: 'traces',
      receivers: ['link'],
      processors: [],
      exporters: ['out/2', 'out'],
    },
  ])
  await receivers.get('in')?.consumer('traces', 'http')?.consume(one)
  assert.deepEqual(events, ['traces a', 'traces/x b', 'out', 'out/2', 'out'])
  assert.deepEqual([...(exporters.get('out')?.signals ?? [])], ['traces'])
  events.length = 0
  await service.start()
  await service.stop()
  assert.ok(events.indexOf('start link') < events.indexOf('start a'))
  assert.ok(events.indexOf('stop link') < events.indexOf('stop b'))
})

test('a limiter anywhere in a pipeline, even behind a connector, closes the door', () => {
  const { receivers } = world([
    { id: 'traces', signal: 'traces', receivers: ['in'], processors: ['a'], exporters: ['link'] },
    {
      id: 'traces/x',
      signal: 'traces',
      receivers: ['link'],
      processors: ['closed'],
      exporters: ['out'],
    },
  ])
  const refusal = receivers.get('in')?.consumer('traces', 'http')?.admit?.(1)
  assert.equal(refusal?.code, 'unavailable')
})

test('requests and items are counted by what became of them, unread ones by what was read before', async () => {
  const { service, receivers } = world(straight)
  const consumer = receivers.get('in')?.consumer('traces', 'http')
  void consumer?.consume(one)
  const closed = straight.map((pipeline) => ({ ...pipeline, processors: ['closed'] }))
  const shut = world(closed)
  const door = shut.receivers.get('in')?.consumer('traces', 'http')
  void door?.consume(one)
  assert.ok(door?.admit?.(one.byteLength * 4))
  const counts = async (page: Promise<string>) =>
    Object.fromEntries(
      [
        ...(await page).matchAll(/^otelcol_receiver_(.*)_total\{.*?(outcome="(.*)")?\} (.*)$/gm),
      ].map(([, name, , outcome, value]) => [outcome ?? name, Number(value)]),
    )
  assert.deepEqual(await counts(service.metrics.page()), {
    accepted_spans: 3,
    refused_spans: 0,
    failed_spans: 0,
    success: 1,
    refused: 0,
  })
  assert.deepEqual(await counts(shut.service.metrics.page()), {
    accepted_spans: 3,
    refused_spans: 12,
    failed_spans: 0,
    success: 1,
    refused: 1,
  })
  const unread = (items: number) =>
    `penstock_receiver_refused_unread_items_total{receiver="in",transport="http",otel_signal="traces"} ${items}`
  assert.ok((await service.metrics.page()).includes(unread(0)))
  assert.ok((await shut.service.metrics.page()).includes(unread(12)))
  await service.stop()
  await shut.service.stop()
})

test('the page has the metrics that the reference names, under their labels, and no others', async () => {
  const signals = ['traces', 'metrics', 'logs'] as const
  const pipelines = signals.map((signal) => ({ ...straight[0], id: signal, signal }))
  const { service, receivers } = world(pipelines)
  for (const signal of signals) receivers.get('in')?.consumer(signal, 'grpc')
  receivers.get('in')?.dropped('logs', 1, 'too_old')
  const found = new Map<string, string>()
  const bare = (name: string) => name.replace(/_total$/, '').replace(/_seconds$/, '')
  const series = /^((?:otelcol|penstock)_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? [\d.e+-]+$/gm
  for (const [, name, labels = ''] of (await service.metrics.page()).matchAll(series)) {
    const names = [...labels.matchAll(/(\w+)="/g)].map(([, label]) => label)
    found.set(bare(name), names.filter((one) => one !== 'le').join())
  }
  const declared = [...serviceMetrics, requestMetric]
  const expected = declared.map(({ name, labels }): [string, string] => [bare(name), labels.join()])
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected))
})

test('what a component drops is counted under its id and kind, by signal and cause', async () => {
  const { service, receivers, exporters } = world(straight)
  exporters.get('out')?.dropped('traces', 2, 'queue_full')
  exporters.get('out')?.dropped('traces', 3, 'queue_full')
  receivers.get('in')?.dropped('logs', 1, 'too_old')
  const page = await service.metrics.page()
  assert.deepEqual(page.match(/^penstock_dropped_items_total.*$/gm), [
    'penstock_dropped_items_total{component="out",kind="exporter",otel_signal="traces",cause="queue_full"} 5',
    'penstock_dropped_items_total{component="in",kind="receiver",otel_signal="logs",cause="too_old"} 1',
  ])
})

test('an impossible state costs its batch a retry and nobody anything else', async () => {
  let isBroken = true
  const { service, receivers } = world(straight, {
    exporter: {
      consume: () => {
        if (isBroken) throw new TypeError('undefined is not a function')
      },
    },
  })
  const consumer = receivers.get('in')?.consumer('traces', 'http')
  assert.throws(() => consumer?.consume(one), {
    name: 'Refusal',
    code: 'unavailable',
    retryable: true,
  })
  isBroken = false
  await consumer?.consume(one)
  const page = await service.metrics.page()
  assert.match(page, /^penstock_faults_total 1$/m)
  assert.match(page, /^otelcol_receiver_refused_spans_total\{receiver="in",transport="http"\} 3$/m)
  assert.match(page, /^otelcol_receiver_accepted_spans_total\{receiver="in",transport="http"\} 3$/m)
})

test('when one component cannot start, it and those that have are stopped and the error names it', async () => {
  const { service, events, told } = world(straight, {
    exporter: { start: () => Promise.reject(new Error('port in use')) } as Partial<Consumer>,
  })
  await assert.rejects(service.start(), { message: 'failed to start "out" exporter: port in use' })
  assert.deepEqual(events, ['start ext', 'stop out', 'stop ext'])
  assert.deepEqual(told, [])
})

test('a page of own metrics whose port is in use names the settings that move it', async () => {
  const holder = createServer()
  await once(holder.listen(0, '127.0.0.1'), 'listening')
  try {
    const { port } = holder.address() as AddressInfo
    const { service } = world(straight, { pullEndpoints: [`127.0.0.1:${port}`] })
    await assert.rejects(service.start(), ({ message }: Error) => {
      assert.match(message, /\(set by service\.telemetry\.metrics\.readers or \S+\.address\)/)
      assert.match(message, /EADDRINUSE/)
      return true
    })
  } finally {
    holder.close()
  }
})

test('a component that will not stop is left behind some time after the deadline', async () => {
  const { service, events, clock } = world(straight, {
    exporter: { stop: () => new Promise(() => {}) } as Partial<Consumer>,
  })
  await service.start()
  const stopped = service.stop()
  await clock.advance(1000)
  await clock.advance(500)
  await stopped
  assert.ok(events.includes('stop ext'))
  assert.equal(clock.timerCount, 0)
})

test('the page says who the gateway is, as one uuid a start', async () => {
  const page = await world(straight).service.metrics.page()
  assert.match(
    page,
    /^target_info\{service_name="penstock",service_version="1\.2\.3",service_instance_id="00000000-0000-4000-8000-000000000000"\} 1$/m,
  )
})
