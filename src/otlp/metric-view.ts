/** Lazy views of a metric; its points are in point-views.ts. */

import { type Attribute, readAttributes } from './attributes.ts'
import {
  booleanOf,
  chosenMessageOf,
  chosenOf,
  messagesOf,
  numberOf,
  textOf,
} from './field-values.ts'
import { exponentialHistogram, gauge, histogram, metric, sum, summary } from './message-fields.ts'
import {
  ExponentialHistogramPointView,
  HistogramPointView,
  NumberPointView,
  SummaryPointView,
} from './point-views.ts'

/** Temporality is a number of the enum aggregationTemporality, or one that is newer. */
export type MetricData =
  | { readonly kind: 'gauge'; readonly points: readonly NumberPointView[] }
  | {
      readonly kind: 'sum'
      readonly points: readonly NumberPointView[]
      readonly temporality: number
      readonly isMonotonic: boolean
    }
  | {
      readonly kind: 'histogram'
      readonly points: readonly HistogramPointView[]
      readonly temporality: number
    }
  | {
      readonly kind: 'exponentialHistogram'
      readonly points: readonly ExponentialHistogramPointView[]
      readonly temporality: number
    }
  | { readonly kind: 'summary'; readonly points: readonly SummaryPointView[] }

export type MetricKind = MetricData['kind']

const { fields } = metric

const members: readonly (typeof fields.gauge)[] = [
  fields.gauge,
  fields.sum,
  fields.histogram,
  fields.exponentialHistogram,
  fields.summary,
]

export class MetricView {
  readonly bytes: Uint8Array
  #metadata: readonly Attribute[] | undefined
  #data: MetricData | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get name(): string {
    return textOf(this.bytes, fields.name)
  }

  get description(): string {
    return textOf(this.bytes, fields.description)
  }

  get unit(): string {
    return textOf(this.bytes, fields.unit)
  }

  get metadata(): readonly Attribute[] {
    return (this.#metadata ??= readAttributes(this.bytes, fields.metadata.number))
  }

  /** Undefined when the metric has none, which is legal. */
  get kind(): MetricKind | undefined {
    switch (chosenOf(this.bytes, members)) {
      case fields.gauge:
        return 'gauge'
      case fields.sum:
        return 'sum'
      case fields.histogram:
        return 'histogram'
      case fields.exponentialHistogram:
        return 'exponentialHistogram'
      case fields.summary:
        return 'summary'
      default:
        return undefined
    }
  }

  /** Undefined when the metric has none. Read once. */
  get data(): MetricData | undefined {
    return (this.#data ??= this.#readData())
  }

  #readData(): MetricData | undefined {
    const { kind } = this
    if (kind === undefined) return undefined
    const bytes = chosenMessageOf(this.bytes, members, fields[kind])
    switch (kind) {
      case 'gauge': {
        const points = messagesOf(bytes, gauge.fields.dataPoints)
        return { kind, points: points.map((point) => new NumberPointView(point)) }
      }
      case 'sum': {
        const points = messagesOf(bytes, sum.fields.dataPoints)
        return {
          kind,
          points: points.map((point) => new NumberPointView(point)),
          temporality: numberOf(bytes, sum.fields.aggregationTemporality),
          isMonotonic: booleanOf(bytes, sum.fields.isMonotonic),
        }
      }
      case 'histogram': {
        const points = messagesOf(bytes, histogram.fields.dataPoints)
        return {
          kind,
          points: points.map((point) => new HistogramPointView(point)),
          temporality: numberOf(bytes, histogram.fields.aggregationTemporality),
        }
      }
      case 'exponentialHistogram': {
        const points = messagesOf(bytes, exponentialHistogram.fields.dataPoints)
        return {
          kind,
          points: points.map((point) => new ExponentialHistogramPointView(point)),
          temporality: numberOf(bytes, exponentialHistogram.fields.aggregationTemporality),
        }
      }
      default: {
        const points = messagesOf(bytes, summary.fields.dataPoints)
        return { kind, points: points.map((point) => new SummaryPointView(point)) }
      }
    }
  }
}
