/** What both versions of the protocol have in common: samples of one series go together, as one TimeSeries. */
import type { ByteTable } from '../../../kit/prometheus/byte-table.ts'
import { lastPlaceAt, setSerialAt } from './label-pool.ts'
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
  /** Whether it is a snappy block already. */
  readonly isCompressed: boolean
  readonly counts: WriteCounts
  /** Points left out for an earlier one of their series and time that says something else. */
  readonly duplicates: number
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
  indices: Uint32Array,
  options: BuildOptions,
) => WriteRequest

let serial = 0

/** A number that no other request has: labels and families carry that of the one they are part of. A 32-bit one. */
export function nextSerial(): number {
  serial = (serial + 1) | 0
  return serial === 0 ? nextSerial() : serial
}

/**
 * Which places of a request belong to one TimeSeries: samples of it need not stand side by side. Remote write 2.0: a
 * TimeSeries has samples or histograms, not both; a series that turns from one into the other goes on in a further one.
 */
export class SeriesChains {
  /** For every place that of the next sample of the same series, or -1. */
  next = new Int32Array(0)
  /** 1 where an earlier place leads to it, or has the same time: a client may repeat what is still on its way. */
  isContinued = new Uint8Array(0)
  /** Points of which something is left out because an earlier one of that time says something else. */
  duplicates = 0

  link(list: SampleList, indices: Uint32Array, { words }: ByteTable): void {
    const requestSerial = nextSerial()
    if (this.next.length < indices.length) {
      this.next = new Int32Array(indices.length * 2)
      this.isContinued = new Uint8Array(indices.length * 2)
    }
    const { next, isContinued } = this
    this.duplicates = 0
    for (let place = 0; place < indices.length; place++) {
      const set = list.sets[indices[place]]
      next[place] = -1
      isContinued[place] = 0
      if (words[set + setSerialAt] === requestSerial) {
        const last = words[set + lastPlaceAt]
        const [before, index] = [indices[last], indices[place]]
        if (list.timesMs[before] === list.timesMs[index]) {
          isContinued[place] = 1
          if (!list.isSame(before, index)) this.duplicates += list.ends[index]
          continue
        }
        if (isHistogram(list, before) === isHistogram(list, index)) {
          next[last] = place
          isContinued[place] = 1
        }
      } else words[set + setSerialAt] = requestSerial
      words[set + lastPlaceAt] = place
    }
  }
}

function isHistogram(list: SampleList, index: number): boolean {
  return list.detail(index)?.histogram !== undefined
}
