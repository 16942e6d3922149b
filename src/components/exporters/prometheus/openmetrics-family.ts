import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import type { ShownNames } from './page-names.ts'
import type { SeriesCursor } from './series-cursor.ts'
import type { Family } from './series.ts'

export interface ShownFamily {
  readonly name: string
  readonly type: PrometheusType
  /** Whether a series is one that such a family may have. One that is not has come while the page is made. */
  readonly accepts: (series: SeriesCursor) => boolean
}

/**
 * Name and type of a family in OpenMetrics, which binds types to names and values: `_total` of counters and `_info` of
 * infos are not part of the family's name, infos are 1, states are 0 or 1 and have a label named like their family.
 * What does not keep to that stays under its own name, a counter as unknown, the others as gauges. A counter does not
 * from the first value below 0 or NaN until its family is gone: its type does not change with every value.
 */
export function openMetricsFamily(
  family: Family,
  { name, base }: ShownNames,
  escape: (name: string) => string,
): ShownFamily {
  switch (family.type) {
    case 'counter':
      return base === undefined || family.hasOddTotal
        ? { name, type: 'unknown', accepts: acceptsAll }
        : { name: base, type: 'counter', accepts: hasTotal }
    case 'info':
      return base !== undefined && hasOnly(family, isOne)
        ? { name: base, type: 'info', accepts: isInfo }
        : { name, type: 'gauge', accepts: acceptsAll }
    case 'stateset':
      return hasStateLabels(family, name, escape) && hasOnly(family, isBit)
        ? { name, type: 'stateset', accepts: isState }
        : { name, type: 'gauge', accepts: acceptsAll }
    default:
      return { name, type: family.type, accepts: acceptsAll }
  }
}

export function acceptsAll(): boolean {
  return true
}

/** OpenMetrics, "Counter": a total is no NaN, and never falls, from 0 on. */
export function isTotal(value: number): boolean {
  return value >= 0
}

function hasTotal({ value }: SeriesCursor): boolean {
  return isTotal(value)
}

function isInfo({ value }: SeriesCursor): boolean {
  return isOne(value)
}

function isOne(value: number): boolean {
  return value === 1
}

function isState({ value, hasStateLabel }: SeriesCursor): boolean {
  return hasStateLabel && isBit(value)
}

function isBit(value: number): boolean {
  return value === 0 || value === 1
}

/** Names of metrics are escaped otherwise than those of labels: colons may stay. */
function hasStateLabels(
  { name, series }: Family,
  shownName: string,
  escapeLabel: (name: string) => string,
): boolean {
  return series.stateCount === series.count && escapeLabel(name) === shownName
}

/** No generator here: nobody else has a turn before all values are seen. */
function hasOnly({ series }: Family, accepts: (value: number) => boolean): boolean {
  for (const block of series.blocks) {
    for (let row = 0; row < block.capacity; row++) {
      if (block.isLive(row) && !accepts(block.doubles[row * 2])) return false
    }
  }
  return true
}
