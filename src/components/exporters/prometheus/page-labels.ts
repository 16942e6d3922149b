/** Labels as one page shows them: escaped where its scraper asks for that, and none twice within a family. */
import { type EscapingScheme, labelEscaper } from '../../../kit/prometheus/escaping.ts'
import { decodeUtf8, encodeUtf8 } from '../../../wire/utf8.ts'
import { escapeLabelText, type LabelText } from './label-text.ts'
import { LabelTable } from './label-table.ts'
import { mayMeet } from './live-series.ts'
import { rowsMax } from './series-block.ts'
import type { SeriesCursor } from './series-cursor.ts'
import type { SeriesStore } from './series-store.ts'
import type { Family } from './series.ts'

export class PageLabels {
  /** The current labels are the text from `start` to `end`. */
  view: DataView = new DataView(new ArrayBuffer(0))
  start = 0
  end = 0
  readonly #store: SeriesStore
  readonly #scheme: EscapingScheme
  readonly #escape: (name: string) => string
  /** Of the family, or of target_info. */
  #known: LabelTable
  #family: Family | undefined
  /** Whether escaping may make one of the labels of two series. */
  #mayMeet = false

  constructor(store: SeriesStore, scheme: EscapingScheme) {
    this.#store = store
    this.#scheme = scheme
    this.#escape = labelEscaper(scheme)
    this.#known = new LabelTable(store.seed)
  }

  /** The series that follow are of this family. */
  open(family: Family): void {
    this.#family = family
    this.#mayMeet = mayMeet(family, this.#scheme)
    if (this.#mayMeet) this.#known = new LabelTable(this.#store.seed)
  }

  /** Makes the labels of a series the current ones; false when the page has them already: it is left out. */
  take(series: SeriesCursor): boolean {
    const { textView, textStart, textEnd, hasQuotedLabels } = series
    this.view = textView
    this.start = textStart
    this.end = textEnd
    if (this.#scheme === 'allow-utf-8') return true
    // The first with such names, come while the family is written, is for the next page: nothing was noted until now.
    if (hasQuotedLabels && !this.#mayMeet) return false
    if (hasQuotedLabels || this.#scheme === 'dots') {
      this.#setText(this.#escaped(decodeUtf8(series.textBytes, textStart, textEnd)))
    }
    if (!this.#mayMeet) return true
    const position = this.#note(series.block.id * rowsMax + series.row)
    if (position === -1) return true
    this.#store.losses.series(this.#family!, series, { position, scheme: this.#scheme })
    return false
  }

  /** As take(), of target_info; what is left out is on the page to the letter. */
  takeInfo({ text, hasQuoted }: LabelText): boolean {
    const isEscaped = this.#scheme === 'dots' || (hasQuoted && this.#scheme !== 'allow-utf-8')
    this.#setText(isEscaped ? this.#escaped(text) : text)
    return this.#note(0) === -1
  }

  /** Those of an exemplar. */
  exemplar(labels: string): string {
    if (this.#scheme === 'allow-utf-8') return labels
    const mayHaveQuoted = labels.startsWith('"') || labels.includes(',"')
    return mayHaveQuoted || this.#scheme === 'dots' ? this.#escaped(labels) : labels
  }

  #note(position: number): number {
    return this.#known.add(this.view, [this.start, this.end], position)
  }

  #escaped(text: string): string {
    return escapeLabelText(text, this.#escape)
  }

  #setText(text: string): void {
    const { buffer, byteOffset, byteLength } = encodeUtf8(text)
    this.view = new DataView(buffer, byteOffset, byteLength)
    this.start = 0
    this.end = byteLength
  }
}
