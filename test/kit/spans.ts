import type { Batch } from '../../src/otlp/batch.ts'
import type { ClientInfo } from '../../src/otlp/client-info.ts'
import { encodeBatch } from '../../src/otlp/encode-batch.ts'
import { indexRequest } from '../../src/otlp/index-request.ts'
import { decodeRequest, encodeRequest } from './oracle.ts'

/** A batch of one resource with spans of these names. */
export function spansBatch(names: readonly string[], client?: ClientInfo): Batch {
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] }
  const spans = names.map((name) => ({ name }))
  const message = { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] }
  return indexRequest('traces', encodeRequest('traces', message), client)
}

/** This many spans, named for where they stand: s0, s1 ... */
export function countedSpans(count: number, prefix = 's'): Batch {
  return spansBatch(Array.from({ length: count }, (_, index) => `${prefix}${index}`))
}

/** Span names of an encoded request, in order. */
export function spanNamesIn(bytes: Uint8Array): string[] {
  const request = decodeRequest('traces', bytes) as unknown as TracesRequest
  return (request.resourceSpans ?? []).flatMap((group) =>
    (group.scopeSpans ?? []).flatMap((scope) => (scope.spans ?? []).map((span) => span.name ?? '')),
  )
}

export function spanNames(batch: Batch): string[] {
  return spanNamesIn(encodeBatch(batch))
}

interface TracesRequest {
  readonly resourceSpans?: readonly {
    readonly scopeSpans?: readonly { readonly spans?: readonly { readonly name?: string }[] }[]
  }[]
}
