import type { EscapingScheme } from '../../../kit/prometheus/escaping.ts'
import type { BlockList } from './block-list.ts'
import { rowsMax } from './series-block.ts'
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

/** As liveSeries(), but of series that escaping could make one, the older comes first. */
export function shownSeries(
  family: Family,
  beforeMs: number,
  { scheme, blocks }: { scheme: EscapingScheme; blocks: BlockList },
): Generator<SeriesCursor> {
  const isOrdered = mayMeet(family, scheme)
  return isOrdered ? oldestFirst(family, beforeMs, blocks) : liveSeries(family, beforeMs)
}

/** Whether escaping may make one of two series. Of names that need none, even dots makes different ones. */
export function mayMeet({ series }: Family, scheme: EscapingScheme): boolean {
  return scheme !== 'allow-utf-8' && series.quotedCount > 0
}

/** Whether labels of a page are others than those in the store. */
export function mayBeEscaped(family: Family, scheme: EscapingScheme): boolean {
  return scheme === 'dots' || mayMeet(family, scheme)
}

function* oldestFirst(
  { series }: Family,
  beforeMs: number,
  blocks: BlockList,
): Generator<SeriesCursor> {
  const cursor = new SeriesCursor()
  for (const handle of series.inOrder()) {
    if (blocks.isGone(handle)) continue
    cursor.moveTo(blocks.at(handle)!, handle & (rowsMax - 1))
    if (cursor.receivedMs >= beforeMs) yield cursor
  }
}
