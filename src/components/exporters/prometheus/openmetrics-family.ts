import { type EscapingScheme, escapeName } from '../../../kit/prometheus/escaping.ts'
import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import { decodeUtf8 } from '../../../wire/utf8.ts'
import { parseLabelText } from './label-text.ts'
import { liveSeries } from './live-series.ts'
import type { Family } from './series.ts'

export interface ShownFamily {
  readonly name: string
  readonly type: PrometheusType
}

/**
 * Name and type of a family in OpenMetrics, which binds types to names and values: `_total` of counters and `_info` of
 * infos are not part of the family's name, infos are 1, states are 0 or 1 and have a label named like their family.
 * What does not keep to that stays under its own name, a counter as unknown, the others as gauges. `name` is the
 * escaped one; `isTaken` tells names that other families have.
 */
export function openMetricsFamily(
  family: Family,
  name: string,
  { scheme, isTaken }: { scheme: EscapingScheme; isTaken: (name: string) => boolean },
): ShownFamily {
  const without = (suffix: string): string | undefined => {
    const base = name.endsWith(suffix) ? name.slice(0, -suffix.length) : ''
    return base === '' || isTaken(base) ? undefined : base
  }
  if (family.type === 'counter') {
    const base = without('_total')
    return base === undefined ? { name, type: 'unknown' } : { name: base, type: 'counter' }
  }
  if (family.type === 'info') {
    const base = without('_info')
    const isInfo = base !== undefined && !isTaken(`${base}_total`) && hasValues(family, [1])
    return isInfo ? { name: base, type: 'info' } : { name, type: 'gauge' }
  }
  if (family.type !== 'stateset') return { name, type: family.type }
  const isStateSet = hasValues(family, [0, 1]) && hasLabel(family, name, scheme)
  return { name, type: isStateSet ? 'stateset' : 'gauge' }
}

function hasValues(family: Family, allowed: readonly number[]): boolean {
  for (const { value } of liveSeries(family, 0)) if (!allowed.includes(value)) return false
  return true
}

function hasLabel(family: Family, wanted: string, scheme: EscapingScheme): boolean {
  for (const series of liveSeries(family, 0)) {
    const text = decodeUtf8(series.textBytes, series.textStart, series.textEnd)
    const names = parseLabelText(text).map(({ name }) => escapeName(scheme, name, 'label'))
    if (!names.includes(wanted)) return false
  }
  return true
}
