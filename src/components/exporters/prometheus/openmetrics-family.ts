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
 * What does not keep to that stays under its own name, a counter as unknown, the others as gauges. Values of counters
 * and sums are not looked at, NaN and below 0 neither, just as client_golang and with it the Collector does: the type
 * of a family would change with the value of one of its series.
 */
export function openMetricsFamily(
  family: Family,
  { name, base }: ShownNames,
  escape: (name: string) => string,
): ShownFamily {
  switch (family.type) {
    case 'counter':
      return base === undefined ? { name, type: 'unknown' } : { name: base, type: 'counter' }
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
