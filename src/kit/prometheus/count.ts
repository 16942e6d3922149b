/** A whole number of up to 64 bits without loss: a number while it is safe, a bigint beyond. */
export type Count = number | bigint

export function addCounts(left: Count, right: Count): Count {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return narrowed(BigInt(left) + BigInt(right))
}

export function subtractCounts(left: Count, right: Count): Count {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right
    if (Number.isSafeInteger(difference)) return difference
  }
  return narrowed(BigInt(left) - BigInt(right))
}

/** Of an unsigned 64-bit integer in halves. */
export function countOfHalves(low: number, high: number): Count {
  if (high >>> 0 < 0x200000) return (high >>> 0) * 4294967296 + (low >>> 0)
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
}

/** As protobuf's sint64 has it. */
export function zigzag(value: Count): bigint {
  const wide = BigInt(value)
  return wide < 0n ? -2n * wide - 1n : 2n * wide
}

/** Of what may be more than 64 bits wide: those that are too many are cut off. */
export function countOf(unsigned: bigint): Count {
  return narrowed(BigInt.asUintN(64, unsigned))
}

function narrowed(wide: bigint): Count {
  const narrow = Number(wide)
  return Number.isSafeInteger(narrow) ? narrow : wide
}
