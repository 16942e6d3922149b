import type { Batch } from './batch.ts'
import { asRefusal } from './malformed.ts'
import { Splitter } from './splitter.ts'

/**
 * The batch in parts of `itemCountMax` items each, the last one with what is left. Cuts lie anywhere, also between the
 * points of a metric; both sides get the Resource, the scope, the metric's head and every unknown field around them.
 */
export function splitByItems(batch: Batch, itemCountMax: number): Batch[] {
  atLeastOne(itemCountMax)
  if (batch.itemCount <= itemCountMax) return [batch]
  return split(new Splitter(batch, { itemCountMax, byteLengthMax: Infinity }))
}

/** The batch in parts whose encoding is `byteLengthMax` at most; an item that is larger with its heads comes alone. */
export function splitByBytes(batch: Batch, byteLengthMax: number): Batch[] {
  atLeastOne(byteLengthMax)
  if (batch.byteLength <= byteLengthMax) return [batch]
  return split(new Splitter(batch, { itemCountMax: Infinity, byteLengthMax }))
}

/** The first `itemCount` items, and the others if there are any. */
export function takeItems(batch: Batch, itemCount: number): [Batch, Batch | undefined] {
  atLeastOne(itemCount)
  if (batch.itemCount <= itemCount) return [batch, undefined]
  const first = { itemCountMax: itemCount, byteLengthMax: Infinity }
  const others = { itemCountMax: Infinity, byteLengthMax: Infinity }
  const parts = split(new Splitter(batch, first, others))
  return [parts[0], parts[1]]
}

function split(splitter: Splitter): Batch[] {
  try {
    return splitter.parts()
  } catch (error) {
    throw asRefusal(error)
  }
}

function atLeastOne(budget: number): void {
  if (!(budget >= 1)) throw new RangeError(`a part must have room for something, not ${budget}`)
}
