/** Times of 64-bit nanoseconds in two halves, so that no digit is lost on the way to milliseconds or seconds. */

/** Whole milliseconds since the epoch, truncated. */
export function epochMs(low: number, high: number): number {
  const upper = high >>> 0
  // 2^32 ns are 4294.967296 ms: both products stay below 2^53.
  return upper * 4294 + Math.floor((upper * 967296 + (low >>> 0)) / 1e6)
}

/** Seconds with every digit that is not a trailing zero. */
export function secondsText(low: number, high: number): string {
  const nanos = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  const fraction = String(nanos % 1_000_000_000n)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const seconds = String(nanos / 1_000_000_000n)
  return fraction === '' ? seconds : `${seconds}.${fraction}`
}

/** Negative when the left time is earlier. */
export function compareNanos(
  leftLow: number,
  leftHigh: number,
  rightLow: number,
  rightHigh: number,
): number {
  return leftHigh === rightHigh
    ? (leftLow >>> 0) - (rightLow >>> 0)
    : (leftHigh >>> 0) - (rightHigh >>> 0)
}
