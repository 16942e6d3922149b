/**
 * Lazy views of the data points of metrics. Nothing is read before it is asked for; attributes are read once. Times are
 * nanoseconds since 1970, counts all 64 bits.
 */

import { type Attribute, readAttributes } from './attributes.ts'
import {
  bigintOf,
  bytesOf,
  chosenOf,
  lastOf,
  messageOf,
  messagesOf,
  numberOf,
  valuesOf,
} from './field-values.ts'
import { encodeHex } from './hex.ts'
import {
  exemplar,
  exponentialBuckets,
  exponentialHistogramPoint,
  histogramPoint,
  numberPoint,
  summaryPoint,
  valueAtQuantile,
} from './message-fields.ts'
import type { FieldTable } from './message-table.ts'

/** Bit of a point's flags: the series ended or has a gap, and the point's value means nothing. */
export const noRecordedValueFlag = 1

/** The fields that every kind of point has, under numbers of its own. */
interface PointFields {
  readonly attributes: FieldTable
  readonly startTimeUnixNano: FieldTable
  readonly timeUnixNano: FieldTable
  readonly flags: FieldTable
}

export class PointView {
  readonly bytes: Uint8Array
  readonly #fields: PointFields
  #attributes: readonly Attribute[] | undefined

  protected constructor(bytes: Uint8Array, fields: PointFields) {
    this.bytes = bytes
    this.#fields = fields
  }

  get attributes(): readonly Attribute[] {
    return (this.#attributes ??= readAttributes(this.bytes, this.#fields.attributes.number))
  }

  /** 0 when unknown. */
  get startTimeUnixNano(): bigint {
    return bigintOf(this.bytes, this.#fields.startTimeUnixNano)
  }

  get timeUnixNano(): bigint {
    return bigintOf(this.bytes, this.#fields.timeUnixNano)
  }

  get flags(): number {
    return numberOf(this.bytes, this.#fields.flags)
  }

  get hasNoRecordedValue(): boolean {
    return (this.flags & noRecordedValueFlag) !== 0
  }
}

export class NumberPointView extends PointView {
  constructor(bytes: Uint8Array) {
    super(bytes, numberPoint.fields)
  }

  /** A bigint for as_int, a number for as_double, undefined when neither is set. */
  get value(): number | bigint | undefined {
    return numberValue(this.bytes, [numberPoint.fields.asDouble, numberPoint.fields.asInt])
  }

  get exemplars(): ExemplarView[] {
    return exemplarsOf(this.bytes, numberPoint.fields.exemplars)
  }
}

export class HistogramPointView extends PointView {
  constructor(bytes: Uint8Array) {
    super(bytes, histogramPoint.fields)
  }

  get count(): bigint {
    return bigintOf(this.bytes, histogramPoint.fields.count)
  }

  /** Undefined when absent, which is not 0; so for min and max. */
  get sum(): number | undefined {
    return optionalOf(this.bytes, histogramPoint.fields.sum)
  }

  get min(): number | undefined {
    return optionalOf(this.bytes, histogramPoint.fields.min)
  }

  get max(): number | undefined {
    return optionalOf(this.bytes, histogramPoint.fields.max)
  }

  get bucketCounts(): bigint[] {
    return valuesOf(this.bytes, histogramPoint.fields.bucketCounts) as bigint[]
  }

  get explicitBounds(): number[] {
    return valuesOf(this.bytes, histogramPoint.fields.explicitBounds) as number[]
  }

  get exemplars(): ExemplarView[] {
    return exemplarsOf(this.bytes, histogramPoint.fields.exemplars)
  }
}

export interface ExponentialBuckets {
  readonly offset: number
  readonly bucketCounts: readonly bigint[]
}

export class ExponentialHistogramPointView extends PointView {
  constructor(bytes: Uint8Array) {
    super(bytes, exponentialHistogramPoint.fields)
  }

  get count(): bigint {
    return bigintOf(this.bytes, exponentialHistogramPoint.fields.count)
  }

  /** Undefined when absent, which is not 0; so for min and max. */
  get sum(): number | undefined {
    return optionalOf(this.bytes, exponentialHistogramPoint.fields.sum)
  }

  get min(): number | undefined {
    return optionalOf(this.bytes, exponentialHistogramPoint.fields.min)
  }

  get max(): number | undefined {
    return optionalOf(this.bytes, exponentialHistogramPoint.fields.max)
  }

  get scale(): number {
    return numberOf(this.bytes, exponentialHistogramPoint.fields.scale)
  }

  get zeroCount(): bigint {
    return bigintOf(this.bytes, exponentialHistogramPoint.fields.zeroCount)
  }

  get zeroThreshold(): number {
    return numberOf(this.bytes, exponentialHistogramPoint.fields.zeroThreshold)
  }

  /** Undefined when absent; so for negative. */
  get positive(): ExponentialBuckets | undefined {
    return bucketsOf(this.bytes, exponentialHistogramPoint.fields.positive)
  }

  get negative(): ExponentialBuckets | undefined {
    return bucketsOf(this.bytes, exponentialHistogramPoint.fields.negative)
  }

  get exemplars(): ExemplarView[] {
    return exemplarsOf(this.bytes, exponentialHistogramPoint.fields.exemplars)
  }
}

export interface QuantileValue {
  readonly quantile: number
  readonly value: number
}

export class SummaryPointView extends PointView {
  constructor(bytes: Uint8Array) {
    super(bytes, summaryPoint.fields)
  }

  get count(): bigint {
    return bigintOf(this.bytes, summaryPoint.fields.count)
  }

  get sum(): number {
    return numberOf(this.bytes, summaryPoint.fields.sum)
  }

  get quantileValues(): QuantileValue[] {
    const { quantile, value } = valueAtQuantile.fields
    return messagesOf(this.bytes, summaryPoint.fields.quantileValues).map((bytes) => ({
      quantile: numberOf(bytes, quantile),
      value: numberOf(bytes, value),
    }))
  }
}

export class ExemplarView {
  readonly bytes: Uint8Array
  #filteredAttributes: readonly Attribute[] | undefined

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get filteredAttributes(): readonly Attribute[] {
    const { number } = exemplar.fields.filteredAttributes
    return (this.#filteredAttributes ??= readAttributes(this.bytes, number))
  }

  get timeUnixNano(): bigint {
    return bigintOf(this.bytes, exemplar.fields.timeUnixNano)
  }

  /** A bigint for as_int, a number for as_double, undefined when neither is set. */
  get value(): number | bigint | undefined {
    return numberValue(this.bytes, [exemplar.fields.asDouble, exemplar.fields.asInt])
  }

  /** Lower-case hex, as traceId. */
  get spanId(): string {
    return encodeHex(bytesOf(this.bytes, exemplar.fields.spanId))
  }

  get traceId(): string {
    return encodeHex(bytesOf(this.bytes, exemplar.fields.traceId))
  }
}

function numberValue(
  bytes: Uint8Array,
  members: readonly FieldTable[],
): number | bigint | undefined {
  const chosen = chosenOf(bytes, members)
  return chosen && (lastOf(bytes, chosen) as number | bigint)
}

function optionalOf(bytes: Uint8Array, field: FieldTable): number | undefined {
  return lastOf(bytes, field) as number | undefined
}

function bucketsOf(bytes: Uint8Array, field: FieldTable): ExponentialBuckets | undefined {
  const buckets = messageOf(bytes, field)
  if (buckets === undefined) return undefined
  const { offset, bucketCounts } = exponentialBuckets.fields
  return {
    offset: numberOf(buckets, offset),
    bucketCounts: valuesOf(buckets, bucketCounts) as bigint[],
  }
}

function exemplarsOf(bytes: Uint8Array, field: FieldTable): ExemplarView[] {
  return messagesOf(bytes, field).map((piece) => new ExemplarView(piece))
}
