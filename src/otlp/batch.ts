import { fieldLength } from '../wire/varint.ts'
import type { ClientInfo } from './client-info.ts'
import { nesting } from './fields.ts'
import type { Signal } from './signal.ts'

/**
 * One ResourceSpans, ResourceMetrics or ResourceLogs, cut in two: its Resource, and all the rest in wire form. Both
 * are slices of what arrived wherever that is possible.
 */
export interface ResourceGroup {
  /** The encoded Resource message, merged into one piece; undefined when the group carries none. */
  readonly resource: Uint8Array | undefined
  /** The other fields of the message as they came: scopes, schema_url, unknown fields. */
  readonly rest: Uint8Array
  readonly itemCount: number
}

/**
 * Telemetry of one signal in wire form: joined and framed, its groups are one Export*ServiceRequest. Immutable; who
 * changes one makes a new one that shares the untouched bytes.
 */
export class Batch {
  readonly signal: Signal
  readonly groups: readonly ResourceGroup[]
  readonly itemCount: number
  /** Length of the encoded request in bytes, exactly what `encodeBatch` gives. */
  readonly byteLength: number
  /** Fields of the request itself that we do not know, kept as they came. */
  readonly unknown: Uint8Array
  readonly client: ClientInfo | undefined

  constructor(
    signal: Signal,
    groups: readonly ResourceGroup[],
    extra: { readonly unknown?: Uint8Array; readonly client?: ClientInfo } = {},
  ) {
    this.signal = signal
    this.groups = groups
    this.unknown = extra.unknown ?? noBytes
    this.client = extra.client
    let itemCount = 0
    let byteLength = this.unknown.length
    for (const group of groups) {
      itemCount += group.itemCount
      byteLength += fieldLength(nesting.group, contentByteLength(group))
    }
    this.itemCount = itemCount
    this.byteLength = byteLength
  }

  /** A batch with other groups and all else of this one. */
  withGroups(groups: readonly ResourceGroup[]): Batch {
    return new Batch(this.signal, groups, { unknown: this.unknown, client: this.client })
  }
}

/** Length of the ResourceX message of a group, without its own tag and length. */
export function contentByteLength({ resource, rest }: ResourceGroup): number {
  return (resource === undefined ? 0 : fieldLength(nesting.resource, resource.length)) + rest.length
}

const noBytes = new Uint8Array(0)
