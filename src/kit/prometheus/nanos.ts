/** Times of 64-bit nanoseconds in two halves, so that no digit is lost on the way to milliseconds or seconds. */

/** Whole milliseconds since the epoch, truncated. */
export function epochMs(low: number, high: number): number {
  const upper = high >>> 0
  // 2^32 ns are 4294.967296 ms: both products stay below 2^53.
  return upper * 4294 + Math.floor((upper * 967296 + (low >>> 0)) / 1e6)
}

/** Whole seconds since the epoch, truncated. */
export function epochSeconds(low: number, high: number): number {
  const upper = high >>> 16
  const lower = high & 0xffff
  // 2^48 ns are 281474.97671... s, and 2^32 ns 4.29...: every product stays below 2^53.
  return upper * 281474 + lower * 4 + Math.floor(restNanos(low, high) / 1e9)
}

/** Nanoseconds beyond the whole seconds. */
export function nanosOfSecond(low: number, high: number): number {
  return restNanos(low, high) % 1e9
}

function restNanos(low: number, high: number): number {
  return (high >>> 16) * 976_710_656 + (high & 0xffff) * 294_967_296 + (low >>> 0)
}

/** Seconds with every digit that is not a trailing zero. */
export function secondsText(low: number, high: number): string {
  const seconds = epochSeconds(low, high)
  let fraction = nanosOfSecond(low, high)
  if (fraction === 0) return String(seconds)
  let width = 9
  for (; fraction % 10 === 0; fraction /= 10) width--
  return `${seconds}.${String(fraction).padStart(width, '0')}`
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
