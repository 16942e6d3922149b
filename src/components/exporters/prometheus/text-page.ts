/** Writes families and series as text 0.0.4, text 1.0.0 or OpenMetrics. */
import { isLegacyMetricName, labelEscaper } from '../../../kit/prometheus/escaping.ts'
import { nativeCount } from '../../../kit/prometheus/exponential-reader.ts'
import type { Count } from '../../../kit/prometheus/count.ts'
import { epochMs, secondsText } from '../../../kit/prometheus/nanos.ts'
import { canonicalText, shortText, unsignedText } from '../../../kit/prometheus/number-text.ts'
import { encodeUtf8 } from '../../../wire/utf8.ts'
import { escapeText } from './label-text.ts'
import { acceptsAll, openMetricsFamily, type ShownFamily } from './openmetrics-family.ts'
import type { PageFormat } from './page-format.ts'
import { PageLabels } from './page-labels.ts'
import type { ShownNames } from './page-names.ts'
import type { PageWriter } from './page-writer.ts'
import type { SeriesCursor } from './series-cursor.ts'
import {
  type Exemplar,
  type ExponentialValue,
  HistogramValue,
  SummaryValue,
} from './series-value.ts'
import type { SeriesStore } from './series-store.ts'
import type { Family } from './series.ts'
import type { TargetInfo } from './target-infos.ts'

interface Nanos {
  readonly timeLow: number
  readonly timeHigh: number
}

const lineFeed = 0x0a
const blank = 0x20
const comma = 0x2c

/** What text 0.0.4 and 1.0.0 call each type: they know fewer. */
const textTypes = {
  counter: 'counter',
  gauge: 'gauge',
  histogram: 'histogram',
  summary: 'summary',
  unknown: 'untyped',
  info: 'gauge',
  stateset: 'gauge',
} as const

export interface TextOptions {
  readonly format: PageFormat
  readonly sendTimestamps: boolean
  /** Leave out the `_created` lines. */
  readonly withoutCreated?: boolean
}

export class TextPage {
  readonly isOpenMetrics: boolean
  readonly #writer: PageWriter
  readonly #format: PageFormat
  readonly #sendTimestamps: boolean
  readonly #withoutCreated: boolean
  // Of the family whose turn it is.
  #name = ''
  #isQuoted = false
  /** What its lines begin with, by suffix. */
  readonly #heads = new Map<string, DataView>()
  #hasCreated = false
  #hasExemplars = false
  #isCounter = false
  #accepts: ShownFamily['accepts'] = acceptsAll
  // Of the series whose turn it is: its labels, and the time behind its values.
  readonly #labels: PageLabels
  #time = ''

  constructor(
    store: SeriesStore,
    writer: PageWriter,
    { format, sendTimestamps, withoutCreated = false }: TextOptions,
  ) {
    this.#writer = writer
    this.#format = format
    this.#labels = new PageLabels(store, format.scheme)
    this.#sendTimestamps = sendTimestamps
    this.#withoutCreated = withoutCreated
    this.isOpenMetrics = format.kind === 'openmetrics'
  }

  /** Makes a family the current one and writes its comments. */
  open(family: Family, names: ShownNames): void {
    this.#setName(names.name)
    this.#labels.open(family)
    const shown = this.#shown(family, names)
    this.#isCounter = family.type === 'counter'
    // A counter that could not drop its _total is no counter to OpenMetrics, and has no _created.
    const isDemoted = this.#isCounter && shown.type === 'unknown'
    this.#accepts = shown.accepts
    this.#hasExemplars = this.isOpenMetrics && !isDemoted
    this.#hasCreated = this.#hasExemplars && names.hasCreated && !this.#withoutCreated
    this.#comments(shown, family)
  }

  #setName(name: string): void {
    this.#name = name
    this.#isQuoted = !isLegacyMetricName(name)
    this.#heads.clear()
  }

  #shown(family: Family, names: ShownNames): ShownFamily {
    if (!this.isOpenMetrics) return { name: names.name, type: family.type, accepts: acceptsAll }
    return openMetricsFamily(family, names, labelEscaper(this.#format.scheme))
  }

  #comments(
    { name, type }: Omit<ShownFamily, 'accepts'>,
    { help, unit }: { help: string; unit: string },
  ): void {
    const writer = this.#writer
    const shown = isLegacyMetricName(name) ? name : `"${escapeText(name)}"`
    const typeLine = `# TYPE ${shown} ${this.isOpenMetrics ? type : textTypes[type]}\n`
    if (!this.isOpenMetrics) {
      if (help !== '') writer.text(`# HELP ${shown} ${escapeHelp(help)}\n`)
      writer.text(typeLine)
      return
    }
    writer.text(typeLine)
    const mayHaveUnit = type !== 'info' && type !== 'stateset'
    if (mayHaveUnit && unit !== '' && name.endsWith(`_${unit}`))
      writer.text(`# UNIT ${shown} ${unit}\n`)
    if (help !== '') writer.text(`# HELP ${shown} ${escapeText(help)}\n`)
  }

  /** Makes target_info the current family and writes its comments. */
  openTargetInfos(name: string): void {
    this.#setName(name)
    this.#comments({ name: this.#name, type: 'gauge' }, { help: 'Target metadata', unit: '' })
  }

  targetInfo(info: TargetInfo): void {
    if (!this.#labels.takeInfo(info.labels)) return
    this.#time = this.#timeText(info)
    this.#head('')
    this.#number(1)
    this.#end()
  }

  /** All lines of one series of the current family; false when it has none on this page. */
  series(series: SeriesCursor): boolean {
    // Come while the family is written, it is for the next page, which says another type.
    if (!this.#accepts(series)) return false
    if (!this.#labels.take(series)) return false
    this.#time = this.#timeText(series)
    const { detail } = series
    if (detail instanceof HistogramValue) this.#histogram(detail)
    else if (detail instanceof SummaryValue) this.#summary(detail)
    else if (detail !== undefined) this.#exponential(detail)
    else {
      this.#head('')
      const { digits } = series
      if (digits === undefined) this.#number(series.value)
      else this.#writer.ascii(digits)
      this.#end(this.#isCounter ? series.exemplar : undefined)
      if (!this.#isCounter) return true
    }
    if (this.#hasCreated) this.#created(series)
    return true
  }

  /** Name, labels, one more label and the blank before the value. */
  #head(suffix: string, label = ''): void {
    const writer = this.#writer
    const { view, start, end } = this.#labels
    const hasLabels = end > start
    const isBare = !hasLabels && label === ''
    const head = this.#heads.get(suffix) ?? this.#makeHead(suffix)
    writer.copy(head, 0, head.byteLength)
    if (this.#isQuoted) {
      if (!isBare) writer.byte(comma)
    } else {
      if (isBare) return writer.byte(blank)
      writer.byte(0x7b)
    }
    writer.copy(view, start, end)
    if (label !== '') {
      if (hasLabels) writer.byte(comma)
      writer.ascii(label)
    }
    writer.byte(0x7d)
    writer.byte(blank)
  }

  #makeHead(suffix: string): DataView {
    const isCreated = this.#isCounter && suffix === '_created'
    const name = (isCreated ? this.#name.slice(0, -'_total'.length) : this.#name) + suffix
    const head = viewOf(this.#isQuoted ? `{"${escapeText(name)}"` : name)
    this.#heads.set(suffix, head)
    return head
  }

  /** What stands behind a value. */
  #end(exemplar?: Exemplar): void {
    const writer = this.#writer
    writer.ascii(this.#time)
    if (exemplar !== undefined && this.#hasExemplars) {
      const { labels, value, timeLow, timeHigh } = exemplar
      const time = timeLow === 0 && timeHigh === 0 ? '' : ` ${secondsText(timeLow, timeHigh)}`
      writer.text(` # {${this.#labels.exemplar(labels)}} ${canonicalText(value)}${time}`)
    }
    writer.byte(lineFeed)
  }

  #histogram(value: HistogramValue): void {
    const { layout, counts, exemplars } = value
    const writer = this.#writer
    const les = this.isOpenMetrics ? layout.canonicalLabels : layout.shortLabels
    const bucketCount = Math.min(les.length, counts.length / 2)
    let running = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      running += counts[bucket * 2 + 1] * 4294967296 + counts[bucket * 2]
      this.#head('_bucket', les[bucket])
      if (running > Number.MAX_SAFE_INTEGER) writer.ascii(String(exactSum(counts, bucket)))
      else this.#integer(running)
      this.#end(exemplars?.[bucket])
    }
    this.#head('_bucket', 'le="+Inf"')
    this.#count(value.countLow, value.countHigh)
    this.#end(exemplars?.[layout.values.length])
    if (value.hasSum) this.#sum(value.sum)
    this.#head('_count')
    this.#count(value.countLow, value.countHigh)
    this.#end()
  }

  #sum(sum: number): void {
    this.#head('_sum')
    this.#number(sum)
    this.#end()
  }

  /** The text formats know no exponential buckets: only the one that holds all. */
  #exponential({ histogram: value }: ExponentialValue): void {
    const count = nativeCount(value)
    this.#head('_bucket', 'le="+Inf"')
    this.#wide(count)
    this.#end()
    if (value.sum !== undefined) this.#sum(value.sum)
    this.#head('_count')
    this.#wide(count)
    this.#end()
  }

  #summary(value: SummaryValue): void {
    for (let index = 0; index < value.quantiles.length; index += 2) {
      const quantile = value.quantiles[index]
      this.#head('', `quantile="${this.#numberText(quantile)}"`)
      this.#number(value.quantiles[index + 1])
      this.#end()
    }
    this.#sum(value.sum)
    this.#head('_count')
    this.#count(value.countLow, value.countHigh)
    this.#end()
  }

  #created({ startLow, startHigh }: SeriesCursor): void {
    if (startLow === 0 && startHigh === 0) return
    this.#head('_created')
    this.#writer.ascii(secondsText(startLow, startHigh))
    this.#end()
  }

  /** With the blank before it; empty unless timestamps are sent. */
  #timeText({ timeLow, timeHigh }: Nanos): string {
    if (!this.#sendTimestamps || (timeLow === 0 && timeHigh === 0)) return ''
    return this.isOpenMetrics
      ? ` ${secondsText(timeLow, timeHigh)}`
      : ` ${epochMs(timeLow, timeHigh)}`
  }

  #number(value: number): void {
    // Below 1e-4 there is an exponent.
    const mayBeDecimal = value >= 1e-4 || value <= -1e-4 || value === 0
    if (!mayBeDecimal || !this.#writer.decimal(value)) this.#writer.ascii(this.#numberText(value))
    else if (this.isOpenMetrics && value === Math.trunc(value)) this.#writer.ascii('.0')
  }

  #numberText(value: number): string {
    return this.isOpenMetrics ? canonicalText(value) : shortText(value)
  }

  /** Counts: text has them as any number, OpenMetrics as integers. All digits, where a double has them not. */
  #count(low: number, high: number): void {
    if (high >>> 0 >= 0x200000) this.#writer.ascii(unsignedText(low, high))
    else this.#integer((high >>> 0) * 4294967296 + (low >>> 0))
  }

  #wide(count: Count): void {
    if (typeof count === 'number') this.#integer(count)
    else this.#writer.ascii(String(count))
  }

  #integer(value: number): void {
    if (value < 1e6) this.#writer.digits(value)
    else this.#writer.ascii(this.isOpenMetrics ? String(value) : shortText(value))
  }
}

function viewOf(text: string): DataView {
  const { buffer, byteOffset, byteLength } = encodeUtf8(text)
  return new DataView(buffer, byteOffset, byteLength)
}

function exactSum(counts: Uint32Array, lastBucket: number): bigint {
  let sum = 0n
  for (let at = 0; at <= lastBucket * 2; at += 2) {
    sum += (BigInt(counts[at + 1]) << 32n) | BigInt(counts[at])
  }
  return sum
}

function escapeHelp(help: string): string {
  return help.replace(/[\\\n]/g, (char) => (char === '\\' ? '\\\\' : '\\n'))
}
