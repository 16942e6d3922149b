import type { Signal } from '../../src/otlp/signal.ts'
import { decodeRequest, type Plain, type PlainMessage } from './oracle.ts'

const levels: Readonly<Record<Signal, readonly [string, string, string]>> = {
  traces: ['resourceSpans', 'scopeSpans', 'spans'],
  metrics: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  logs: ['resourceLogs', 'scopeLogs', 'logRecords'],
}

/** One span, metric or log record together with all that it stands under. */
export interface FlatItem {
  readonly resource: Plain
  readonly resourceSchemaUrl: Plain
  readonly scope: Plain
  readonly scopeSchemaUrl: Plain
  readonly item: PlainMessage
}

/** The items of encoded requests, each with its resource and scope, in a stable order: comparable item for item. */
export function flatten(signal: Signal, requests: readonly Uint8Array[]): FlatItem[] {
  const [resourcesKey, scopesKey, itemsKey] = levels[signal]
  const items: FlatItem[] = []
  for (const request of requests) {
    for (const group of list(decodeRequest(signal, request)[resourcesKey])) {
      for (const scope of list(group[scopesKey])) {
        for (const item of list(scope[itemsKey])) {
          items.push({
            resource: group.resource ?? {},
            resourceSchemaUrl: group.schemaUrl ?? '',
            scope: scope.scope ?? {},
            scopeSchemaUrl: scope.schemaUrl ?? '',
            item,
          })
        }
      }
    }
  }
  return items
    .map((item) => ({ item, key: sortKey(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item)
}

/** Adds an attribute to the resource of every item, at the end of its list. */
export function withResourceAttribute(items: FlatItem[], key: string, value: string): FlatItem[] {
  return items
    .map((one) => {
      const resource = one.resource as PlainMessage
      const attributes = [...list(resource.attributes), { key, value: { stringValue: value } }]
      return { ...one, resource: { ...resource, attributes } }
    })
    .map((item) => ({ item, key: sortKey(item) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ item }) => item)
}

/** The messages of a file in which each has its length before it, four bytes big-endian. */
export function lengthPrefixed(file: Uint8Array): Uint8Array[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const messages: Uint8Array[] = []
  for (let offset = 0; offset < file.length;) {
    const end = offset + 4 + view.getUint32(offset)
    messages.push(file.subarray(offset + 4, end))
    offset = end
  }
  return messages
}

function list(value: Plain | undefined): PlainMessage[] {
  return (value ?? []) as PlainMessage[]
}

function sortKey(item: FlatItem): string {
  return JSON.stringify(item.item, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  )
}
