/** Exponential histograms: reading them, making them coarser, adding them, and Prometheus' spans and deltas. */
import { addCounts, type Count, countOf, countOfHalves, subtractCounts } from './count.ts'
import { FieldReader } from '../../wire/field-reader.ts'
import { tagOf } from './field-tag.ts'

/** Counts of the buckets offset, offset + 1 and so on; bucket i covers (base^i, base^(i+1)]. */
export interface Buckets {
  readonly offset: number
  readonly counts: readonly Count[]
}

export interface Exponential {
  readonly scale: number
  readonly count: Count
  /** Undefined when the point has none. */
  readonly sum: number | undefined
  readonly zeroCount: Count
  readonly zeroThreshold: number
  readonly positive: Buckets
  readonly negative: Buckets
}

export interface Span {
  readonly offset: number
  readonly length: number
}

export interface NativeBuckets {
  readonly spans: readonly Span[]
  /** The first is a count, each later one the difference to the bucket before, across spans. */
  readonly deltas: readonly Count[]
}

/** Prometheus' native histograms know scales from here ... */
export const nativeScaleMin = -4
/** ... to here. */
export const nativeScaleMax = 8

const noBuckets: Buckets = { offset: 0, counts: [] }

export function readExponential(bytes: Uint8Array, start: number, end: number): Exponential {
  const scan = new FieldReader(new Uint8Array(0))
  scan.reset(bytes, start, end)
  const value = { scale: 0, zeroThreshold: 0 }
  let count: Count = 0
  let zeroCount: Count = 0
  let sum: number | undefined
  const positive: ReadBuckets = { offset: 0, counts: [] }
  const negative: ReadBuckets = { offset: 0, counts: [] }
  while (scan.next()) {
    if (tagOf(scan) === 0x21) count = readCount(scan)
    else if (tagOf(scan) === 0x29) sum = scan.double()
    else if (tagOf(scan) === 0x30) value.scale = scan.sint32()
    else if (tagOf(scan) === 0x39) zeroCount = readCount(scan)
    else if (tagOf(scan) === 0x42) readBuckets(positive, bytes, scan.start, scan.end)
    else if (tagOf(scan) === 0x4a) readBuckets(negative, bytes, scan.start, scan.end)
    else if (tagOf(scan) === 0x71) {
      value.zeroThreshold = scan.double()
    }
  }
  return {
    ...value,
    count,
    sum,
    zeroCount,
    positive: withoutEmptyEnds(positive),
    negative: withoutEmptyEnds(negative),
  }
}

function withoutEmptyEnds({ offset, counts }: Buckets): Buckets {
  let first = 0
  let end = counts.length
  while (end > 0 && counts[end - 1] === 0) end--
  while (first < end && counts[first] === 0) first++
  if (end - first === counts.length) return { offset, counts }
  return first === end ? noBuckets : { offset: offset + first, counts: counts.slice(first, end) }
}

function readCount(scan: FieldReader): Count {
  scan.readHalves()
  return countOfHalves(scan.low, scan.high)
}

interface ReadBuckets {
  offset: number
  readonly counts: Count[]
}

/** Pieces of one message are read into the same. */
function readBuckets(into: ReadBuckets, bytes: Uint8Array, start: number, end: number): void {
  const scan = new FieldReader(new Uint8Array(0))
  scan.reset(bytes, start, end)
  while (scan.next()) {
    if (tagOf(scan) === 0x08) into.offset = scan.sint32()
    else if (tagOf(scan) === 0x10 || tagOf(scan) === 0x12) {
      readVarints(into.counts, bytes, scan.start, scan.end)
    }
  }
}

function readVarints(counts: Count[], bytes: Uint8Array, start: number, end: number): void {
  // Seven bytes of seven bits are a safe number; what comes behind them is kept apart.
  let low = 0
  let high = 0
  let factor = 1
  let byteLength = 0
  for (let index = start; index < end; index++) {
    const byte = bytes[index]
    if (byteLength === 7) factor = 1
    if (byteLength++ < 7) low += (byte & 0x7f) * factor
    else high += (byte & 0x7f) * factor
    factor *= 128
    if (byte >= 0x80) continue
    counts.push(high === 0 ? low : countOf((BigInt(high) << 49n) + BigInt(low)))
    low = high = byteLength = 0
    factor = 1
  }
}

/** The same histogram with `shift` times half as many buckets. */
export function coarser(histogram: Exponential, shift: number): Exponential {
  if (shift === 0) return histogram
  return {
    ...histogram,
    scale: histogram.scale - shift,
    positive: coarserBuckets(histogram.positive, shift),
    negative: coarserBuckets(histogram.negative, shift),
  }
}

function coarserBuckets({ offset, counts }: Buckets, shift: number): Buckets {
  if (counts.length === 0) return noBuckets
  const steps = Math.min(shift, 31)
  const first = offset >> steps
  const merged: Count[] = Array.from(
    { length: ((offset + counts.length - 1) >> steps) - first + 1 },
    () => 0,
  )
  for (const [index, count] of counts.entries()) {
    const at = ((offset + index) >> steps) - first
    merged[at] = addCounts(merged[at], count)
  }
  return { offset: first, counts: merged }
}

/**
 * Two histograms as one: at the coarser scale, with the wider zero zone. A bucket that the wider zone reaches into
 * widens it to that bucket's upper edge.
 */
export function addExponential(left: Exponential, right: Exponential): Exponential {
  const scale = Math.min(left.scale, right.scale)
  let one = coarser(left, left.scale - scale)
  let other = coarser(right, right.scale - scale)
  while (jointLength(one, other) > jointLengthMax) {
    one = coarser(one, 1)
    other = coarser(other, 1)
  }
  for (;;) {
    const threshold = Math.max(one.zeroThreshold, other.zeroThreshold)
    one = widenZero(one, threshold)
    other = widenZero(other, threshold)
    if (one.zeroThreshold === other.zeroThreshold) break
  }
  return {
    scale: one.scale,
    count: addCounts(one.count, other.count),
    sum: one.sum === undefined || other.sum === undefined ? undefined : one.sum + other.sum,
    zeroCount: addCounts(one.zeroCount, other.zeroCount),
    zeroThreshold: one.zeroThreshold,
    positive: addBuckets(one.positive, other.positive),
    negative: addBuckets(one.negative, other.negative),
  }
}

/** Moves every non-empty bucket that begins within the zone into the zero count. */
function widenZero(histogram: Exponential, threshold: number): Exponential {
  if (threshold <= histogram.zeroThreshold) return histogram
  let { zeroCount } = histogram
  let zeroThreshold = threshold
  const edge = (index: number) => 2 ** (index * 2 ** -histogram.scale)
  const cut = ({ offset, counts }: Buckets): Buckets => {
    let gone = 0
    while (gone < counts.length && edge(offset + gone) < zeroThreshold) {
      const count = counts[gone]
      if (count > 0) {
        zeroCount = addCounts(zeroCount, count)
        zeroThreshold = Math.max(zeroThreshold, edge(offset + gone + 1))
      }
      gone++
    }
    return { offset: offset + gone, counts: counts.slice(gone) }
  }
  let positive = cut(histogram.positive)
  const negative = cut(histogram.negative)
  // The negative side may have widened the zone over more of the positive one.
  positive = cut(positive)
  return { ...histogram, zeroCount, zeroThreshold, positive, negative }
}

function addBuckets(left: Buckets, right: Buckets): Buckets {
  if (left.counts.length === 0) return right
  if (right.counts.length === 0) return left
  const offset = Math.min(left.offset, right.offset)
  const end = Math.max(left.offset + left.counts.length, right.offset + right.counts.length)
  const counts: Count[] = Array.from({ length: end - offset }, () => 0)
  for (const side of [left, right]) {
    for (const [index, count] of side.counts.entries()) {
      const at = side.offset - offset + index
      counts[at] = addCounts(counts[at], count)
    }
  }
  return { offset, counts }
}

/** Most buckets a side of a sum: what SDKs keep by default. A sum that needs more becomes coarser. */
const jointLengthMax = 160

function jointLength(left: Exponential, right: Exponential): number {
  return Math.max(
    jointExtent(left.positive, right.positive),
    jointExtent(left.negative, right.negative),
  )
}

function jointExtent(left: Buckets, right: Buckets): number {
  if (left.counts.length === 0) return right.counts.length
  if (right.counts.length === 0) return left.counts.length
  const end = Math.max(left.offset + left.counts.length, right.offset + right.counts.length)
  return end - Math.min(left.offset, right.offset)
}

/** Whether every index and the zero zone fit doubles, and all counts together 64 bits; beyond no arithmetic here holds. */
export function isPlausible(histogram: Exponential): boolean {
  const { scale, zeroThreshold, positive, negative } = histogram
  return (
    Math.abs(scale) <= 32 &&
    zeroThreshold >= 0 &&
    zeroThreshold < Infinity &&
    fitsDoubles(positive, scale) &&
    fitsDoubles(negative, scale) &&
    heldCount(histogram) < 2n ** 64n
  )
}

/** Doubles lie between 2^-1074 and 2^1024. */
function fitsDoubles({ offset, counts }: Buckets, scale: number): boolean {
  if (counts.length === 0) return true
  const perDoubling = 2 ** scale
  return (
    counts.length < 2 ** 20 &&
    offset >= Math.floor(-1075 * perDoubling) - 1 &&
    offset + counts.length - 1 <= Math.ceil(1024 * perDoubling)
  )
}

/** The same, coarser if it has more buckets than a sum may have. */
export function limited(histogram: Exponential): Exponential {
  let one = histogram
  while (jointLength(one, one) > jointLengthMax) one = coarser(one, 1)
  return one
}

/**
 * What a native histogram says its count is: what its buckets hold, since Prometheus refuses all that comes with one
 * where it is not. Only with a sum that is not a number may more have been observed than lies in buckets.
 */
export function nativeCount(histogram: Exponential): Count {
  const held = heldCount(histogram)
  return Number.isNaN(histogram.sum) && histogram.count > held ? histogram.count : held
}

function heldCount({ zeroCount, positive, negative }: Exponential): Count {
  return addCounts(zeroCount, addCounts(total(positive), total(negative)))
}

function total({ counts }: Buckets): Count {
  let sum: Count = 0
  for (const count of counts) sum = addCounts(sum, count)
  return sum
}

/**
 * Spans and deltas as Prometheus keeps them: its bucket j covers (base^(j-1), base^j], hence index + 1. Gaps of up to
 * two empty buckets are filled with zeros, longer ones begin a new span.
 */
export function nativeBuckets({ offset, counts }: Buckets): NativeBuckets {
  const spans: { offset: number; length: number }[] = []
  const deltas: Count[] = []
  let before: Count = 0
  let behind = 0
  const push = (count: Count) => {
    deltas.push(subtractCounts(count, before))
    before = count
  }
  for (const [index, count] of counts.entries()) {
    if (count === 0) continue
    const at = offset + index + 1
    const span = spans.at(-1)
    if (span === undefined || at - behind > 2) {
      spans.push({ offset: span === undefined ? at : at - behind, length: 1 })
    } else {
      for (let gap = behind; gap < at; gap++) push(0)
      span.length += at - behind + 1
    }
    push(count)
    behind = at + 1
  }
  return { spans, deltas }
}

/** What it takes in memory, roughly: arrays that grew have room to spare. */
export function exponentialBytes({ positive, negative }: Exponential): number {
  return bytesOf(positive.counts.length + negative.counts.length)
}

function bytesOf(bucketCount: number): number {
  return 300 + bucketCount * 12
}

/** exponentialBytes() of a sum, at most. */
export const sumBytesMax = bytesOf(jointLengthMax * 2)
