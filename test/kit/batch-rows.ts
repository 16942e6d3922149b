import type { Signal } from '../../src/otlp/signal.ts'
import { decodeMessage, decodeRequest, type Plain, type PlainMessage } from './oracle.ts'

/**
 * One item of a request with all that it stands under, each without its children. What has no children is a row too, so
 * that a request is the same as its rows, but for the grouping.
 */
export interface Row {
  readonly group: PlainMessage
  readonly scope?: PlainMessage
  readonly metric?: PlainMessage
  readonly item?: PlainMessage
}

const names = {
  traces: ['resourceSpans', 'scopeSpans', 'spans', 'trace.v1.ScopeSpans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics', 'metrics.v1.ScopeMetrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords', 'logs.v1.ScopeLogs'],
} as const

const dataNames = ['gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary']

/** What protobufjs finds in a request, unknown fields and the scopes of field 1000 included. */
export function rowsOf(signal: Signal, request: Uint8Array): Row[] {
  const [groupsName, scopesName, membersName, scopeType] = names[signal]
  const rows: Row[] = []
  const decoded = decodeRequest(signal, request, { unknown: true })
  for (const wholeGroup of list(decoded[groupsName])) {
    const group = without(wholeGroup, scopesName, '$unknown')
    const unknown = (wholeGroup.$unknown ?? []) as readonly string[]
    const strange = unknown.filter((field) => !field.startsWith(legacyPrefix))
    if (strange.length > 0) group.$unknown = strange
    const legacy = unknown
      .filter((field) => field.startsWith(legacyPrefix))
      .map((field) => legacyScope(field, scopeType))
    const scopes = [...list(wholeGroup[scopesName]), ...legacy]
    if (scopes.length === 0) rows.push({ group })
    for (const whole of scopes) {
      const scope = without(whole, membersName)
      const members = list(whole[membersName])
      if (members.length === 0) rows.push({ group, scope })
      for (const member of members) {
        if (signal === 'metrics') rows.push(...pointRows({ group, scope }, member))
        else rows.push({ group, scope, item: member })
      }
    }
  }
  return rows
}

export function itemRows(rows: readonly Row[]): Row[] {
  return rows.filter((row) => row.item !== undefined)
}

const legacyPrefix = 'hex:c23e'

function legacyScope(field: string, scopeType: string): PlainMessage {
  // The tag takes two bytes, and the length of what tests put here one.
  const body = Buffer.from(field.slice('hex:c23e'.length + 2), 'hex')
  return {
    ...decodeMessage(`opentelemetry.proto.${scopeType}`, body, { unknown: true }),
    isLegacy: true,
  }
}

function pointRows(above: Row, whole: PlainMessage): Row[] {
  const dataName = dataNames.find((name) => name in whole)
  if (dataName === undefined) return [{ ...above, metric: whole }]
  const data = whole[dataName] as PlainMessage
  const points = list(data.dataPoints)
  const metric = { ...whole, [dataName]: without(data, 'dataPoints') }
  if (points.length === 0) return [{ ...above, metric }]
  return points.map((item) => ({ ...above, metric, item }))
}

function without(message: PlainMessage, ...left: readonly string[]): Record<string, Plain> {
  return Object.fromEntries(Object.entries(message).filter(([name]) => !left.includes(name)))
}

function list(value: Plain | undefined): readonly PlainMessage[] {
  return (value ?? []) as readonly PlainMessage[]
}
