/** The page in text 0.0.4 and 1.0.0 and in OpenMetrics, a piece at a time. */
import { mayBeEscaped, shownSeries } from './live-series.ts'
import { PageNames } from './page-names.ts'
import { PageWriter, type PieceBuffers } from './page-writer.ts'
import { PagePauses } from './page-pauses.ts'
import type { SeriesStore } from './series-store.ts'
import { TextPage, type TextOptions } from './text-page.ts'

export interface RenderOptions extends TextOptions {
  readonly buffers: PieceBuffers
}

const noPiece = new Uint8Array(0)

/** Pieces of the page; empty ones are pauses. What changes while they are made shows as it is when its turn comes. */
export function* renderText(
  store: SeriesStore,
  options: RenderOptions,
): Generator<Uint8Array<ArrayBuffer>> {
  const writer = new PageWriter(options.buffers)
  const page = new TextPage(store, writer, options)
  const beforeMs = store.expiredBeforeMs()
  const order = { scheme: options.format.scheme, blocks: store.blocks }
  const names = new PageNames(store, options.format)
  const pauses = new PagePauses()
  yield* names.plan()
  let hasHead = false
  for (const info of store.targets.values()) {
    if (info.receivedMs < beforeMs) continue
    if (!hasHead) page.openTargetInfos(names.target)
    hasHead = true
    page.targetInfo(info)
    if (writer.isDue) yield writer.piece()
  }
  for (const [index, family] of names.families.entries()) {
    let isOpen = false
    const isEscaped = mayBeEscaped(family, order.scheme)
    for (const series of shownSeries(family, beforeMs, order)) {
      if (!isOpen) {
        const shown = names.of(index)
        if (shown === undefined) {
          names.reportLoss(index)
          if (pauses.isDue()) yield noPiece
          break
        }
        page.open(family, shown)
      }
      isOpen = true
      const isShown = page.series(series)
      if (writer.isDue) yield writer.piece()
      else if ((isEscaped || !isShown) && pauses.isDue()) yield noPiece
    }
  }
  if (page.isOpenMetrics) writer.ascii('# EOF\n')
  yield writer.piece()
}
