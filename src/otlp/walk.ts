import { FieldReader } from '../wire/field-reader.ts'
import type { ResourceGroup } from './batch.ts'
import { dataPointsField, nesting } from './fields.ts'
import { asRefusal } from './malformed.ts'
import { MetricRef, ScopeRef } from './scope-ref.ts'
import type { Signal } from './signal.ts'

/** Visits the scopes of a group in their order, those of field 1000 too. */
export function forEachScope(
  _signal: Signal,
  group: ResourceGroup,
  visit: (scope: ScopeRef) => void,
): void {
  try {
    const fields = new FieldReader(group.rest)
    while (fields.next()) {
      if (isScopes(fields)) visit(new ScopeRef(fields.bytes, fields.start, fields.end))
    }
  } catch (error) {
    throw asRefusal(error)
  }
}

/** Visits spans, data points (`scope.metric` is their Metric) or log records in their order. */
export function forEachItem(
  signal: Signal,
  group: ResourceGroup,
  visit: (item: Uint8Array, scope: ScopeRef) => void,
): void {
  forEachItemRange(signal, group, (fields, scope) => visit(fields.view(), scope))
}

/**
 * The same without an array for each item: the item is what the reader stands on, `bytes` from `start` to `end`. The
 * reader is not the visitor's to move.
 */
export function forEachItemRange(
  signal: Signal,
  group: ResourceGroup,
  visit: (item: Readonly<FieldReader>, scope: ScopeRef) => void,
): void {
  const items = new FieldReader(group.rest)
  const metrics = new FieldReader(group.rest)
  const points = new FieldReader(group.rest)
  forEachScope(signal, group, (scope) => {
    items.reset(scope.bytes, scope.start, scope.end)
    while (items.next()) {
      if (!items.is(nesting.members)) continue
      if (signal !== 'metrics') {
        visit(items, scope)
        continue
      }
      const metric = new MetricRef(items.bytes, items.start, items.end)
      scope.metric = metric
      metrics.reset(metric.bytes, metric.start, metric.end)
      while (metrics.next()) {
        if (!metric.isData(metrics)) continue
        points.reset(metrics.bytes, metrics.start, metrics.end)
        while (points.next()) if (points.is(dataPointsField)) visit(points, scope)
      }
    }
    scope.metric = undefined
  })
}

/** Whether a reader over a group stands on a scope group. */
export function isScopes(fields: FieldReader): boolean {
  return fields.is(nesting.scopes) || fields.is(nesting.legacyScopes)
}
