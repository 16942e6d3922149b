/** The page in text 0.0.4 and 1.0.0 and in OpenMetrics, a piece at a time. */
import { epochMs, secondsText } from '../../../kit/prometheus/nanos.ts'
import { escapeName, isLegacyMetricName } from '../../../kit/prometheus/escaping.ts'
import { type Exponential, nativeCount } from '../../../kit/prometheus/exponential-reader.ts'
import type { Count } from '../../../kit/prometheus/count.ts'
import { canonicalText, shortText, unsignedText } from '../../../kit/prometheus/number-text.ts'
import { escapeLabelText, escapeText } from './label-text.ts'
import { openMetricsFamily, type ShownFamily } from './openmetrics-family.ts'
import type { PageFormat } from './page-format.ts'
import { type Exemplar, type Family, HistogramValue, type Series, SummaryValue } from './series.ts'
import type { SeriesStore } from './series-store.ts'
import type { TargetInfo } from './target-infos.ts'

export interface RenderOptions {
  readonly format: PageFormat
  readonly sendTimestamps: boolean
}

/** Long enough that what surrounds a write costs little, short enough to hold a thousand scrapes. */
const pieceLength = 1 << 16

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

/** Pieces of the page. What changes while they are made shows as it is when its turn comes. */
export function* renderText(store: SeriesStore, options: RenderOptions): Generator<string> {
  const page = new TextPage(store, options)
  const beforeMs = store.expiredBeforeMs()
  let text = page.targetInfos(store.targets.values(), beforeMs)
  for (const family of store.families.sorted()) {
    let isOpen = false
    for (const series of family.series.values()) {
      if (series.receivedMs < beforeMs) continue
      if (!isOpen) {
        isOpen = true
        const head = page.open(family)
        if (head === undefined) break
        text += head
      }
      text += page.series(series)
      if (text.length < pieceLength) continue
      yield text
      text = ''
    }
  }
  yield page.isOpenMetrics ? `${text}# EOF\n` : text
}

class TextPage {
  readonly isOpenMetrics: boolean
  readonly #store: SeriesStore
  readonly #format: PageFormat
  readonly #sendTimestamps: boolean
  readonly #number: (value: number) => string
  /** Names on this page so far, where escaping may make one of two. */
  readonly #names = new Set<string>()
  // Of the family whose turn it is.
  #name = ''
  #isQuoted = false
  #hasCreated = false
  #hasExemplars = false
  #open = ''

  constructor(store: SeriesStore, { format, sendTimestamps }: RenderOptions) {
    this.#store = store
    this.#format = format
    this.#sendTimestamps = sendTimestamps
    this.isOpenMetrics = format.kind === 'openmetrics'
    this.#number = this.isOpenMetrics ? canonicalText : shortText
  }

  /** Makes a family the current one: its comments, or undefined when escaping made its name another's. */
  open(family: Family): string | undefined {
    const { scheme } = this.#format
    this.#name = escapeName(scheme, family.name, 'metric')
    const shown = this.#shown(family)
    if (scheme !== 'allow-utf-8') {
      if (this.#names.has(shown.name)) return undefined
      this.#names.add(shown.name)
    }
    this.#setName()
    // A counter that could not drop its _total is no counter to OpenMetrics, and has no _created.
    const isDemoted = family.type === 'counter' && shown.type === 'unknown'
    this.#hasExemplars = this.isOpenMetrics && !isDemoted
    this.#hasCreated = this.#hasExemplars && !this.#store.families.has(`${shown.name}_created`)
    return this.#comments(shown, family)
  }

  #shown(family: Family): ShownFamily {
    const name = this.#name
    if (!this.isOpenMetrics) return { name, type: family.type }
    const { scheme } = this.#format
    const isTaken = (other: string) => this.#store.families.has(other)
    return openMetricsFamily(family, name, { scheme, isTaken })
  }

  #comments({ name, type }: ShownFamily, { help, unit }: { help: string; unit: string }): string {
    const shown = isLegacyMetricName(name) ? name : `"${escapeText(name)}"`
    const typeLine = `# TYPE ${shown} ${this.isOpenMetrics ? type : textTypes[type]}\n`
    if (!this.isOpenMetrics) {
      return help === '' ? typeLine : `# HELP ${shown} ${escapeHelp(help)}\n${typeLine}`
    }
    const mayHaveUnit = type !== 'info' && type !== 'stateset'
    const hasUnit = mayHaveUnit && unit !== '' && name.endsWith(`_${unit}`)
    const unitLine = hasUnit ? `# UNIT ${shown} ${unit}\n` : ''
    const helpLine = help === '' ? '' : `# HELP ${shown} ${escapeText(help)}\n`
    return `${typeLine}${unitLine}${helpLine}`
  }

  #setName(): void {
    this.#isQuoted = !isLegacyMetricName(this.#name)
    this.#open = this.#isQuoted ? `{"${escapeText(this.#name)}",` : `${this.#name}{`
  }

  /** All lines of one series of the current family. */
  series(series: Series): string {
    const labels = this.#labels(series)
    const { detail } = series
    if (detail instanceof HistogramValue) return this.#histogram(series, labels, detail)
    if (detail instanceof SummaryValue) return this.#summary(series, labels, detail)
    if (detail !== undefined) return this.#exponential(series, labels, detail)
    const head = labels === '' ? this.#head('', '') : `${this.#open}${labels}} `
    const value = series.digits ?? this.#number(series.value)
    if (!this.#sendTimestamps && !this.isOpenMetrics) return `${head}${value}\n`
    const time = this.#time(series)
    if (series.family.type !== 'counter') return `${head}${value}${time}\n`
    const exemplar = this.#exemplar(series.exemplar)
    return `${head}${value}${time}${exemplar}\n${this.#created(series, labels)}`
  }

  #labels(series: Series): string {
    const { scheme } = this.#format
    if (scheme === 'allow-utf-8') return series.labels
    return series.hasQuotedLabels || scheme === 'dots'
      ? escapeLabelText(series.labels, scheme)
      : series.labels
  }

  /** Name, labels and the blank before the value. */
  #head(suffix: string, labels: string): string {
    if (!this.#isQuoted) {
      return labels === '' ? `${this.#name}${suffix} ` : `${this.#name}${suffix}{${labels}} `
    }
    const name = `"${escapeText(this.#name)}${suffix}"`
    return labels === '' ? `{${name}} ` : `{${name},${labels}} `
  }

  #histogram(series: Series, labels: string, value: HistogramValue): string {
    const { layout, counts, exemplars } = value
    const time = this.#time(series)
    const les = this.isOpenMetrics ? layout.canonicalLabels : layout.shortLabels
    const prefix = labels === '' ? '' : `${labels},`
    const bucketCount = Math.min(les.length, counts.length / 2)
    const total = this.#count(value.countLow, value.countHigh)
    let sum = 0n
    let running = 0
    let text = ''
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      running += counts[bucket * 2 + 1] * 4294967296 + counts[bucket * 2]
      let shown = this.#integer(running)
      if (running > Number.MAX_SAFE_INTEGER) {
        sum = exactSum(counts, bucket)
        shown = String(sum)
      }
      const head = this.#head('_bucket', prefix + les[bucket])
      text += `${head}${shown}${time}${this.#exemplar(exemplars?.[bucket])}\n`
    }
    const last = this.#exemplar(exemplars?.[layout.values.length])
    text += `${this.#head('_bucket', `${prefix}le="+Inf"`)}${total}${time}${last}\n`
    if (value.hasSum) text += `${this.#head('_sum', labels)}${this.#number(value.sum)}${time}\n`
    text += `${this.#head('_count', labels)}${total}${time}\n`
    return text + this.#created(series, labels)
  }

  /** The text formats know no exponential buckets: only the one that holds all. */
  #exponential(series: Series, labels: string, value: Exponential): string {
    const time = this.#time(series)
    const count = this.#wide(nativeCount(value))
    const prefix = labels === '' ? '' : `${labels},`
    let text = `${this.#head('_bucket', `${prefix}le="+Inf"`)}${count}${time}\n`
    if (value.sum !== undefined) {
      text += `${this.#head('_sum', labels)}${this.#number(value.sum)}${time}\n`
    }
    text += `${this.#head('_count', labels)}${count}${time}\n`
    return text + this.#created(series, labels)
  }

  #summary(series: Series, labels: string, value: SummaryValue): string {
    const time = this.#time(series)
    const prefix = labels === '' ? '' : `${labels},`
    let text = ''
    for (let index = 0; index < value.quantiles.length; index += 2) {
      const quantile = `quantile="${this.#number(value.quantiles[index])}"`
      const shown = this.#number(value.quantiles[index + 1])
      text += `${this.#head('', prefix + quantile)}${shown}${time}\n`
    }
    text += `${this.#head('_sum', labels)}${this.#number(value.sum)}${time}\n`
    text += `${this.#head('_count', labels)}${this.#count(value.countLow, value.countHigh)}${time}\n`
    return text + this.#created(series, labels)
  }

  /** target_info of every target, under its own comments. */
  targetInfos(infos: Iterable<TargetInfo>, beforeMs: number): string {
    let text = ''
    for (const info of infos) {
      if (info.receivedMs < beforeMs) continue
      if (text === '') {
        this.#name = escapeName(this.#format.scheme, this.#store.targets.name, 'metric')
        this.#names.add(this.#name)
        this.#setName()
        text = this.#comments(
          { name: this.#name, type: 'gauge' },
          { help: 'Target metadata', unit: '' },
        )
      }
      const { scheme } = this.#format
      const isKept = scheme === 'allow-utf-8' || (scheme !== 'dots' && !info.labels.hasQuoted)
      const labels = isKept ? info.labels.text : escapeLabelText(info.labels.text, scheme)
      text += `${this.#head('', labels)}${this.#number(1)}${this.#time(info)}\n`
    }
    return text
  }

  /** With the blank before it; empty unless timestamps are sent. */
  #time({ timeLow, timeHigh }: { timeLow: number; timeHigh: number }): string {
    if (!this.#sendTimestamps || (timeLow === 0 && timeHigh === 0)) return ''
    return this.isOpenMetrics
      ? ` ${secondsText(timeLow, timeHigh)}`
      : ` ${epochMs(timeLow, timeHigh)}`
  }

  #created(series: Series, labels: string): string {
    if (!this.#hasCreated || (series.startLow === 0 && series.startHigh === 0)) return ''
    const name = this.#name
    if (series.family.type === 'counter') this.#name = name.slice(0, -'_total'.length)
    const head = this.#head('_created', labels)
    this.#name = name
    return `${head}${secondsText(series.startLow, series.startHigh)}${this.#time(series)}\n`
  }

  #exemplar(exemplar: Exemplar | undefined): string {
    if (exemplar === undefined || !this.#hasExemplars) return ''
    const { labels, value, timeLow, timeHigh } = exemplar
    const time = timeLow === 0 && timeHigh === 0 ? '' : ` ${secondsText(timeLow, timeHigh)}`
    return ` # {${this.#exemplarLabels(labels)}} ${canonicalText(value)}${time}`
  }

  #exemplarLabels(labels: string): string {
    const { scheme } = this.#format
    if (scheme === 'allow-utf-8') return labels
    const mayHaveQuoted = labels.startsWith('"') || labels.includes(',"')
    return mayHaveQuoted || scheme === 'dots' ? escapeLabelText(labels, scheme) : labels
  }

  /** Counts: text has them as any number, OpenMetrics as integers. All digits, where a double has them not. */
  #count(low: number, high: number): string {
    const isLarge = high >>> 0 >= 0x200000
    if (this.isOpenMetrics || isLarge) return unsignedText(low, high)
    return shortText((high >>> 0) * 4294967296 + (low >>> 0))
  }

  #wide(count: Count): string {
    return typeof count === 'number' ? this.#integer(count) : String(count)
  }

  #integer(value: number): string {
    return this.isOpenMetrics ? String(value) : shortText(value)
  }
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
