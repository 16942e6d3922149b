/** One series at a time, read and changed where it lies in its block. */
import { decodeUtf8 } from '../../../wire/utf8.ts'
import type { DeltaOwner, DeltaStream } from '../../../kit/prometheus/delta-streams.ts'
import { intColumns as columns, intsPerRow, rowFlags, type SeriesBlock } from './series-block.ts'
import type { Metric } from './series.ts'
import type { Exemplar, SeriesDetail } from './series-value.ts'

export class SeriesCursor implements DeltaOwner {
  #block!: SeriesBlock
  #row = 0
  #at = 0

  /** Makes a row the current one. */
  moveTo(block: SeriesBlock, row: number): this {
    this.#block = block
    this.#row = row
    this.#at = row * intsPerRow
    return this
  }

  get block(): SeriesBlock {
    return this.#block
  }

  get row(): number {
    return this.#row
  }

  get metric(): Metric {
    return this.#block.metrics[this.#row]!
  }

  /** Label text without braces, UTF-8, as the text formats write it: from here to `textEnd` of `textBytes`. */
  get textStart(): number {
    return this.#block.ints[this.#at + columns.textStart]
  }

  get textEnd(): number {
    const { ints } = this.#block
    return ints[this.#at + columns.textStart] + ints[this.#at + columns.textLength]
  }

  get textBytes(): Uint8Array {
    return this.#block.text
  }

  get textView(): DataView {
    return this.#block.textView
  }

  get attributesHash(): number {
    return this.#block.ints[this.#at + columns.attributesHash]
  }

  set attributesHash(hash: number) {
    this.#block.ints[this.#at + columns.attributesHash] = hash
  }

  /** Whether a label name needs quotes. */
  get hasQuotedLabels(): boolean {
    return this.#has(rowFlags.quoted)
  }

  /** Whether a label is named like the family. */
  get hasStateLabel(): boolean {
    return this.#has(rowFlags.stateLabel)
  }

  get hasLoggedCollision(): boolean {
    return this.#has(rowFlags.collided)
  }

  markCollided(): void {
    this.#block.ints[this.#at + columns.flags] |= rowFlags.collided
  }

  get timeLow(): number {
    return this.#block.ints[this.#at + columns.timeLow]
  }

  get timeHigh(): number {
    return this.#block.ints[this.#at + columns.timeHigh]
  }

  setTime(low: number, high: number): void {
    this.#block.ints[this.#at + columns.timeLow] = low
    this.#block.ints[this.#at + columns.timeHigh] = high
  }

  get startLow(): number {
    return this.#block.ints[this.#at + columns.startLow]
  }

  get startHigh(): number {
    return this.#block.ints[this.#at + columns.startHigh]
  }

  setStart(low: number, high: number): void {
    this.#block.ints[this.#at + columns.startLow] = low
    this.#block.ints[this.#at + columns.startHigh] = high
  }

  /** NaN before the first. */
  get value(): number {
    return this.#block.doubles[this.#row * 2]
  }

  set value(value: number) {
    this.#block.doubles[this.#row * 2] = value
  }

  /** Monotonic time of receipt; -1 before the first point. */
  get receivedMs(): number {
    return this.#block.doubles[this.#row * 2 + 1]
  }

  set receivedMs(timeMs: number) {
    this.#block.doubles[this.#row * 2 + 1] = timeMs
  }

  get digits(): string | undefined {
    return this.#block.digits?.[this.#row]
  }

  set digits(digits: string | undefined) {
    this.#block.digits ??= emptyColumn(this.#block)
    this.#block.digits[this.#row] = digits
  }

  get exemplar(): Exemplar | undefined {
    return this.#block.exemplars?.[this.#row]
  }

  set exemplar(exemplar: Exemplar | undefined) {
    this.#block.exemplars ??= emptyColumn(this.#block)
    this.#block.exemplars[this.#row] = exemplar
  }

  get detail(): SeriesDetail | undefined {
    return this.#block.details?.[this.#row]
  }

  set detail(detail: SeriesDetail | undefined) {
    this.#block.details ??= emptyColumn(this.#block)
    this.#block.details[this.#row] = detail
  }

  get delta(): DeltaStream | undefined {
    return this.#block.deltas?.[this.#row]
  }

  set delta(stream: DeltaStream | undefined) {
    this.#block.deltas ??= emptyColumn(this.#block)
    this.#block.deltas[this.#row] = stream
  }

  /** For people. */
  describe(): string {
    const text = decodeUtf8(this.textBytes, this.textStart, this.textEnd)
    return `${this.metric.family!.family!.name}{${text}}`
  }

  #has(flag: number): boolean {
    return (this.#block.ints[this.#at + columns.flags] & flag) !== 0
  }
}

function emptyColumn({ capacity }: SeriesBlock): undefined[] {
  return Array.from({ length: capacity }, () => undefined)
}
