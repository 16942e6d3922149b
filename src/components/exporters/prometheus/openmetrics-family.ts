import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import { decodeUtf8 } from '../../../wire/utf8.ts'
import { parseLabelText } from './label-text.ts'
import { liveSeries } from './live-series.ts'
import type { ShownNames } from './page-names.ts'
import type { Family } from './series.ts'

export interface ShownFamily {
  readonly name: string
  readonly type: PrometheusType
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
        ? { name, type: 'unknown' }
        : { name: base, type: 'counter' }
    case 'info': {
      const isInfo = base !== undefined && hasValues(family, [1])
      return isInfo ? { name: base, type: 'info' } : { name, type: 'gauge' }
    }
    case 'stateset': {
      const isStateSet = hasValues(family, [0, 1]) && hasLabel(family, name, escape)
      return { name, type: isStateSet ? 'stateset' : 'gauge' }
    }
    default:
      return { name, type: family.type }
  }
}

/** OpenMetrics, "Counter": a total is no NaN, and never falls, from 0 on. */
export function isTotal(value: number): boolean {
  return value >= 0
}

function hasValues(family: Family, allowed: readonly number[]): boolean {
  for (const { value } of liveSeries(family, 0)) if (!allowed.includes(value)) return false
  return true
}

function hasLabel(family: Family, wanted: string, escape: (name: string) => string): boolean {
  for (const series of liveSeries(family, 0)) {
    const text = decodeUtf8(series.textBytes, series.textStart, series.textEnd)
    if (!parseLabelText(text).some(({ name }) => escape(name) === wanted)) return false
  }
  return true
}
