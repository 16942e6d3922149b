import assert from 'node:assert/strict'
import { it } from 'node:test'
import { countedSpans } from '../../../test/kit/spans.ts'
import { Parcel, shipPieces } from './parcel.ts'

it('pieces belong to the parcels whose items they hold, wherever the cuts are', () => {
  const parcels = [8, 1, 3].map((count) => new Parcel(countedSpans(count), 1))
  const shares = parcels.map((parcel) => ({ parcel, itemCount: parcel.itemsLeft }))
  const pieces = [3, 3, 3, 2, 1].map((count) => countedSpans(count))
  const shipments = shipPieces(pieces, shares)
  assert.deepEqual(
    shipments.map((shipment) =>
      shipment.shares.map(({ parcel, itemCount }) => [parcels.indexOf(parcel), itemCount]),
    ),
    [
      [[0, 3]],
      [[0, 3]],
      [
        [0, 2],
        [1, 1],
      ],
      [[2, 2]],
      [[2, 1]],
    ],
  )
})
