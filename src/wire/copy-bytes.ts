/**
 * Copies the bytes from `start` to `end` to `at`, where there must be room. For what is a few hundred bytes at most: with
 * `set` as much goes into making the subarray (bench/wire.bench.ts). Views that share a buffer must not overlap.
 */
export function copyBytes(
  to: DataView,
  at: number,
  from: DataView,
  { start, end }: { readonly start: number; readonly end: number },
): void {
  let target = at
  let source = start
  for (; source + 8 <= end; source += 8, target += 8) {
    to.setBigUint64(target, from.getBigUint64(source, true), true)
  }
  for (; source < end; source++, target++) to.setUint8(target, from.getUint8(source))
}
