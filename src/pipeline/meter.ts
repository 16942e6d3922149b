/**
 * Own metrics as components record them. Names are the Collector's raw ones, such as otelcol_exporter_sent_spans; the
 * service exposes them. An instrument is fetched once at creation and costs a field addition to record.
 */

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  add(count: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  record(value: number): void
}

export interface Meter {
  /** The same name and labels give the same instrument. A counter exists, at zero, from the moment it is asked for. */
  counter(name: string, help: string, labels?: Labels): Counter
  gauge(name: string, help: string, labels?: Labels): Gauge
  /** Read at scrape time; replaces an earlier reader of the same name and labels. */
  observe(name: string, help: string, labels: Labels, read: () => number): void
  histogram(name: string, help: string, bounds: readonly number[], labels?: Labels): Histogram
}
