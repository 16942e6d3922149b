import type { PrometheusType } from '../../../kit/prometheus/family-identity.ts'
import { decodeUtf8 } from '../../../wire/utf8.ts'
import { parseLabelText } from './label-text.ts'
import { liveSeries } from './live-series.ts'
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
      return base !== undefined && isOf(family, isOne)
        ? { name: base, type: 'info', accepts: isOne }
        : { name, type: 'gauge', accepts: acceptsAll }
    case 'stateset': {
      const isState = (series: SeriesCursor) =>
        (series.value === 0 || series.value === 1) && hasLabel(series, name, escape)
      return isOf(family, isState)
        ? { name, type: 'stateset', accepts: isState }
        : { name, type: 'gauge', accepts: acceptsAll }
    }
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

function isOne({ value }: SeriesCursor): boolean {
  return value === 1
}

function isOf(family: Family, accepts: ShownFamily['accepts']): boolean {
  for (const series of liveSeries(family, 0)) if (!accepts(series)) return false
  return true
}

function hasLabel(
  { textBytes, textStart, textEnd }: SeriesCursor,
  wanted: string,
  escape: (name: string) => string,
): boolean {
  const labels = parseLabelText(decodeUtf8(textBytes, textStart, textEnd))
  return labels.some(({ name }) => escape(name) === wanted)
}
