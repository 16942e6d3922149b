import { SeriesCursor } from './series-cursor.ts'
import type { Family } from './series.ts'

/**
 * The series of a family that have not expired, each the same cursor. It may stand still while others change the store:
 * each series that is there all the while is met once.
 */
export function* liveSeries({ series }: Family, beforeMs: number): Generator<SeriesCursor> {
  const cursor = new SeriesCursor()
  // A copy: blocks that empty meanwhile leave the list, and have no live row then.
  for (const block of series.blocks.slice()) {
    for (let row = 0; row < block.capacity; row++) {
      if (!block.isLive(row) || cursor.moveTo(block, row).receivedMs < beforeMs) continue
      yield cursor
    }
  }
}
