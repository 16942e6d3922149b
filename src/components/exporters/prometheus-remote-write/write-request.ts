/** What both versions of the protocol have in common: samples of one series go together, as one TimeSeries. */
import type { Family } from './row.ts'
import type { SampleList } from './sample-list.ts'

export interface WriteCounts {
  samples: number
  histograms: number
  exemplars: number
}

export interface WriteRequest {
  /** Holds until the next request is built. */
  readonly body: Uint8Array
  readonly counts: WriteCounts
  /** Families whose metadata is in it. */
  readonly described: readonly Family[]
}

export interface BuildOptions {
  /** Families described since then need no metadata again; undefined for no metadata at all. 1.0 only. */
  readonly metadataBeforeMs: number | undefined
}

/** Builds the request of the samples at these places of a list, in this order. */
export type BuildRequest = (
  list: SampleList,
  indices: readonly number[],
  options: BuildOptions,
) => WriteRequest

let serial = 0

/** A number that no other request has: rows, symbols and families carry that of the one they are part of. */
export function nextSerial(): number {
  return ++serial
}

/**
 * For every place in `indices` the place of the next sample of the same row, or -1; `heads` are the places of the first
 * ones, in order.
 */
export function chainRows(
  list: SampleList,
  indices: readonly number[],
  requestSerial: number,
): { heads: number[]; next: Int32Array } {
  const heads: number[] = []
  const next = new Int32Array(indices.length).fill(-1)
  for (let place = 0; place < indices.length; place++) {
    const row = list.rows[indices[place]]
    if (row.requestSerial === requestSerial) next[row.lastIndex] = place
    else {
      row.requestSerial = requestSerial
      heads.push(place)
    }
    row.lastIndex = place
  }
  return { heads, next }
}
