/** What must hold of a simulation once it is over. */
import { type Signal, signalNames, signals } from '../../src/otlp/signal.ts'
import { routesFrom } from './routes.ts'
import type { SimSink } from './sim-sink.ts'
import type { Simulation } from './simulate.ts'

export function findings(simulation: Simulation): string[] {
  const own = simulation.counters
  const found: string[] = []
  const expect = (what: string, actual: number, expected: number) => {
    if (actual !== expected) found.push(`${what}: ${actual}, not ${expected}`)
  }
  expect('bytes held after the end', simulation.source.memory.heldBytes, 0)
  expect('faults', own.sum('penstock_faults'), 0)
  for (const signal of signalNames) found.push(...missingItems(simulation, signal, own))
  checkReceiver(simulation, own, expect)
  for (const sink of simulation.sinks) checkSink(sink, own, expect)
  return found
}

/** Every acknowledged item has arrived wherever it should, or is among those dropped on the way there. */
function missingItems(simulation: Simulation, signal: Signal, counters: OwnCounters): string[] {
  const found: string[] = []
  const acknowledged = [...simulation.acknowledged].filter(([, one]) => one.signal === signal)
  const routes = routesFrom('sim', signal, simulation.config)
  for (const { id, arrived } of simulation.sinks.map(({ peer }) => peer)) {
    const own = routes.filter(({ sink }) => sink === id)
    if (own.length === 0) continue
    const missing = acknowledged.filter(([item]) => !arrived.has(item)).length
    const dropped = [...new Set([id, ...own.flatMap(({ processors }) => processors)])]
      .map((component) =>
        counters.sum('penstock_dropped_items', { component, otel_signal: signal }),
      )
      .reduce((sum, count) => sum + count, 0)
    if (missing > dropped) {
      found.push(
        `${missing} of ${acknowledged.length} acknowledged ${signal} items never came to ${id}; ${dropped} are said to be dropped`,
      )
    }
  }
  return found
}

type Expect = (what: string, actual: number, expected: number) => void

/** The gateway's own counts of what came are those of its clients. */
function checkReceiver({ source, malformedCount }: Simulation, own: OwnCounters, expect: Expect) {
  const { tally } = source
  const items = (fate: string) =>
    signalNames
      .map((signal) => own.sum(`otelcol_receiver_${fate}_${signals[signal].itemName}`))
      .reduce((sum, count) => sum + count, 0)
  const requests = (outcome: string) => own.sum('otelcol_receiver_requests', { outcome })
  const unread = own.sum('penstock_receiver_refused_unread_items')
  expect('items accepted', items('accepted'), tally.takenItems)
  expect('items refused after reading', items('refused') - unread, tally.refusedItems)
  expect('requests taken', requests('success'), tally.taken)
  expect('requests refused', requests('refused'), tally.refused)
  expect('requests malformed', requests('failure'), tally.malformed)
  if (tally.malformed > malformedCount) expect('malformed', tally.malformed, malformedCount)
}

/** Taken by an exporter = delivered + dropped by a named cause. */
function checkSink({ peer, settings, acceptedItems }: SimSink, own: OwnCounters, expect: Expect) {
  const sent = signalNames
    .map((signal) => `otelcol_exporter_sent_${signals[signal].itemName}`)
    .reduce((sum, name) => sum + own.sum(name, { exporter: peer.id }), 0)
  expect(`${peer.id}: items sent`, sent, peer.answeredItems - peer.declinedItems)
  const drops = (more: object = {}) =>
    own.sum('penstock_dropped_items', { component: peer.id, ...more })
  expect(`${peer.id}: items declined`, drops({ cause: 'rejected_by_peer' }), peer.declinedItems)
  const { enabled, wait_for_result } = settings.sending_queue
  // Whoever waits for the result is told of failures, also of those of a part.
  if (enabled && !wait_for_result) {
    expect(`${peer.id}: items taken`, acceptedItems, sent + drops())
  } else if (acceptedItems > sent + drops()) {
    expect(`${peer.id}: items taken`, acceptedItems, sent + drops())
  }
}

/** Counters as a page of own metrics has them. */
export class OwnCounters {
  readonly #series: { name: string; labels: Readonly<Record<string, string>>; value: number }[] = []

  constructor(page: string) {
    for (const [, name, text = '', value] of page.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
      const pairs = [...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, label]) => [key, label])
      const labels = Object.fromEntries(pairs) as Record<string, string>
      this.#series.push({ name, labels, value: Number(value) })
    }
  }

  /** The values of a label on the series of a counter. */
  labels(counter: string, label: string): string[] {
    return this.#series
      .filter(({ name }) => name === `${counter}_total`)
      .map(({ labels }) => labels[label])
  }

  /** Over all series of a counter that have these labels. */
  sum(counter: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.#series
      .filter(({ name }) => name === `${counter}_total`)
      .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key] === value))
      .reduce((sum, { value }) => sum + value, 0)
  }
}
