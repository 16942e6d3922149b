/**
 * Own metrics, on prom-client. An instrument is a field that the page reads, so recording costs an addition.
 *
 * The Collector has named its counters in two ways over the years: raw (otelcol_receiver_accepted_spans) and with
 * suffixes (..._total). Dashboards of both ages work unchanged, because the page has both: the suffixed name typed as
 * a counter, and the raw one untyped, since OpenMetrics and promtool allow no counter without `_total`.
 */
import { Registry, type MetricValue } from 'prom-client'
import type { Counter, Gauge, Histogram, Labels, Meter } from '../pipeline/meter.ts'

interface Series {
  readonly labels: Labels
  read(): number
}

/** Exactly what prom-client asks of a metric it is to print. */
interface Family {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: 'sum'
  get(): Promise<{ name: string; help: string; type: string; values: MetricValue<string>[] }>
  reset(): void
}

class NumberCell implements Counter, Gauge {
  value = 0

  add(count: number): void {
    this.value += count
  }

  set(value: number): void {
    this.value = value
  }
}

class HistogramCell implements Histogram {
  readonly counts: number[]
  readonly bounds: readonly number[]
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  record(value: number): void {
    this.sum += value
    this.count++
    const bucket = this.bounds.findIndex((bound) => value <= bound)
    if (bucket >= 0) this.counts[bucket]++
  }
}

export class OwnMetrics implements Meter {
  readonly registry = new Registry()
  readonly #cells = new Map<string, NumberCell | HistogramCell>()
  readonly #families = new Map<string, Map<string, Series>>()
  readonly #histograms = new Map<string, { labels: Labels; cell: HistogramCell }[]>()
  readonly #isShown: (name: string) => boolean

  /** What `isShown` says no to can be recorded, and is not on the page. */
  constructor(isShown: (name: string) => boolean = () => true) {
    this.#isShown = isShown
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    const cell = this.#number(name, labels)
    this.#expose({ name, help, kind: 'counter' }, labels, () => cell.value)
    return cell
  }

  gauge(name: string, help: string, labels: Labels = {}): Gauge {
    const cell = this.#number(name, labels)
    this.#expose({ name, help, kind: 'gauge' }, labels, () => cell.value)
    return cell
  }

  observe(name: string, help: string, labels: Labels, read: () => number): void {
    this.#expose({ name, help, kind: 'gauge' }, labels, read)
  }

  /** A counter that is read, not recorded; `unit` is the suffix of its later name, such as `seconds`. */
  observeCounter(name: string, help: string, read: () => number, unit?: string): void {
    this.#expose({ name, help, kind: 'counter', unit }, {}, read)
  }

  histogram(name: string, help: string, bounds: readonly number[], labels: Labels = {}): Histogram {
    const key = seriesKey(name, labels)
    const known = this.#cells.get(key)
    if (known instanceof HistogramCell) return known
    const cell = new HistogramCell(bounds)
    this.#cells.set(key, cell)
    const family = this.#histograms.get(name)
    if (family !== undefined) {
      family.push({ labels, cell })
      return cell
    }
    const series = [{ labels, cell }]
    this.#histograms.set(name, series)
    this.#register({ name, help, type: 'histogram' }, () =>
      series.flatMap((one) => histogramValues(name, one.labels, one.cell)),
    )
    return cell
  }

  /** The page in the Prometheus text format. */
  page(): Promise<string> {
    return this.registry.metrics()
  }

  #number(name: string, labels: Labels): NumberCell {
    const key = seriesKey(name, labels)
    const known = this.#cells.get(key)
    if (known instanceof NumberCell) return known
    const cell = new NumberCell()
    this.#cells.set(key, cell)
    return cell
  }

  #expose(family: FamilyName, labels: Labels, read: () => number): void {
    let series = this.#families.get(family.name)
    if (series === undefined) {
      series = new Map()
      this.#families.set(family.name, series)
      this.#registerNames(family, series)
    }
    const key = seriesKey('', labels)
    series.set(key, { labels: series.get(key)?.labels ?? labels, read })
  }

  #registerNames({ name, help, kind, unit }: FamilyName, series: Map<string, Series>): void {
    const values = (): MetricValue<string>[] =>
      Array.from(series.values(), (one) => ({ labels: one.labels, value: one.read() }))
    if (kind === 'gauge') {
      this.#register({ name, help, type: 'gauge' }, values)
      return
    }
    const withUnit = unit === undefined ? name : `${name}_${unit}`
    const suffixed = withUnit.endsWith('_total') ? withUnit : `${withUnit}_total`
    if (!this.#isShown(name)) return
    if (suffixed !== name) this.#register({ name, help, type: 'untyped' }, values)
    this.#register({ name: suffixed, help, type: 'counter' }, values)
  }

  #register(
    described: { name: string; help: string; type: string },
    values: () => MetricValue<string>[],
  ): void {
    if (!this.#isShown(described.name)) return
    const family: Family = {
      ...described,
      aggregator: 'sum',
      get: () => Promise.resolve({ ...described, aggregator: 'sum', values: values() }),
      reset: () => {},
    }
    // prom-client types the parameter as its own classes; it calls only what Family has.
    this.registry.registerMetric(family as never)
  }
}

interface FamilyName {
  readonly name: string
  readonly help: string
  readonly kind: 'counter' | 'gauge'
  readonly unit?: string | undefined
}

function histogramValues(name: string, labels: Labels, cell: HistogramCell): MetricValue<string>[] {
  let running = 0
  const buckets = cell.bounds.map((bound, index) => {
    running += cell.counts[index]
    return {
      metricName: `${name}_bucket`,
      labels: { ...labels, le: String(bound) },
      value: running,
    }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: cell.count },
    { metricName: `${name}_sum`, labels, value: cell.sum },
    { metricName: `${name}_count`, labels, value: cell.count },
  ] as MetricValue<string>[]
}

function seriesKey(name: string, labels: Labels): string {
  return name + JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
