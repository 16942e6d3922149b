/** What the page shows: families of series, each with its last value. */
import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import type { MetricSource } from '../../../kit/prometheus/metric-source.ts'
import type { FamilySeries } from './family-series.ts'

export interface Family {
  /** As stored: the strategy's name, with `_total` for counters that have it. */
  readonly name: string
  /** Lower than that of every family that came later. */
  readonly order: number
  /** Whether the name is one that every scraper can read. */
  readonly isLegacy: boolean
  readonly type: PrometheusType
  readonly help: string
  /** Unit in Prometheus' words; empty when there is none. */
  readonly unit: string
  readonly series: FamilySeries
  /** Set once it was forgotten, so that its names are free again. */
  isGone: boolean
  /** Of a counter, whether a value below 0 or NaN has come: those are none that OpenMetrics lets a counter have. */
  hasOddTotal: boolean
  /** Of conflicts on its names, the first is logged. */
  hasLoggedConflict: boolean
  hasLoggedHelp: boolean
  hasLoggedUnit: boolean
  /** Of pages that leave it out, or one of its series, because of escaped names, the first is logged. */
  hasLoggedEscapedName: boolean
  hasLoggedEscapedLabels: boolean
}

/** Whether points of a metric are wanted: the family they belong to, or why not. */
export interface Verdict {
  readonly family: Family | undefined
  /** The cause in the drop ledger; empty with a family. */
  readonly cause: string
  /** The family in the way: once it is gone the verdict no longer holds. */
  readonly blocker?: Family
}

export type Metric = MetricSource<Verdict>
