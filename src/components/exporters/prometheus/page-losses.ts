/**
 * What a page leaves out because a scraper has names escaped: with them two families or two series would be one. It is
 * counted each time, and said once a family.
 */
import type { EscapingScheme } from '../../../kit/prometheus/escaping.ts'
import type { Logger } from '../../../pipeline/host.ts'
import type { Counter } from '../../../pipeline/meter.ts'
import type { BlockList } from './block-list.ts'
import { rowsMax } from './series-block.ts'
import { SeriesCursor } from './series-cursor.ts'
import type { Family } from './series.ts'

export type NameOwner = Pick<Family, 'name' | 'type'>

interface LossUses {
  readonly blocks: BlockList
  readonly log: Logger
  readonly leftOut: { readonly name: Counter; readonly labels: Counter }
}

export class PageLosses {
  readonly #uses: LossUses

  constructor(uses: LossUses) {
    this.#uses = uses
  }

  /** `name`, which the family would have a use for, is its owner's. */
  family(family: Family, { name, owner, scheme }: NameLoss): void {
    const { leftOut, log } = this.#uses
    leftOut.name.add(1)
    if (family.hasLoggedEscapedName) return
    family.hasLoggedEscapedName = true
    log.warn(
      { family: family.name, kept: owner.name, name, escaping: scheme },
      `${family.type} ${family.name} is left out of pages with escaping=${scheme}: ` +
        `${name} is there of ${owner.type} ${owner.name}`,
    )
  }

  /** A series whose labels, once escaped, are those of the one at `position`. */
  series(family: Family, series: SeriesCursor, { position, scheme }: LabelLoss): void {
    const { leftOut, log, blocks } = this.#uses
    leftOut.labels.add(1)
    if (family.hasLoggedEscapedLabels) return
    const block = blocks.at(position)
    const row = position & (rowsMax - 1)
    if (block?.isLive(row) !== true) return
    family.hasLoggedEscapedLabels = true
    const dropped = series.describe()
    const kept = new SeriesCursor().moveTo(block, row).describe()
    log.warn(
      { series: dropped, kept, escaping: scheme },
      `${dropped} is left out of pages with escaping=${scheme}: ${kept} has the same labels there`,
    )
  }
}

interface NameLoss {
  readonly name: string
  readonly owner: NameOwner
  readonly scheme: EscapingScheme
}

interface LabelLoss {
  readonly position: number
  readonly scheme: EscapingScheme
}
