import type { Batch } from '../../otlp/batch.ts'
import type { Refusal } from '../../otlp/refusal.ts'

/** An accepted batch on its way: it is done when each of its items is, in however many requests they went. */
export class Parcel {
  readonly batch: Batch
  /** In the unit of the queue's sizer. */
  readonly queueSize: number
  itemsLeft: number
  /** The first failure among its requests, for a caller that waits. */
  failure: Refusal | undefined
  /** Called once, when no item is left; set when a caller waits. */
  settle: ((failure: Refusal | undefined) => void) | undefined

  constructor(batch: Batch, queueSize: number) {
    this.batch = batch
    this.queueSize = queueSize
    this.itemsLeft = batch.itemCount
  }
}

/** How many of a request's items belong to which parcel, in the order of the items. */
export interface Share {
  readonly parcel: Parcel
  readonly itemCount: number
}

/** One request to send. */
export interface Shipment {
  readonly batch: Batch
  readonly shares: readonly Share[]
}

/** Deals the items of `shares` out to pieces that hold the same items in the same order. */
export function shipPieces(pieces: readonly Batch[], shares: readonly Share[]): Shipment[] {
  let index = 0
  let taken = 0
  return pieces.map((batch) => {
    const own: Share[] = []
    for (let missing = batch.itemCount; missing > 0;) {
      const { parcel, itemCount } = shares[index]
      const count = Math.min(missing, itemCount - taken)
      own.push({ parcel, itemCount: count })
      missing -= count
      taken += count
      if (taken === itemCount) {
        index++
        taken = 0
      }
    }
    return { batch, shares: own }
  })
}
