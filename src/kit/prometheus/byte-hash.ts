import type { Random } from '../../platform/platform.ts'

/**
 * HalfSipHash-1-3 (Aumasson, Bernstein; as Linux has it): without its key nobody can find inputs whose hashes are the
 * same. A product and a shift a word take two thirds of its time, but of those anybody can make such inputs for every
 * key, a request full of which would be searched for minutes.
 */
// Five parameters: it is asked for nearly every key, and an array of two would be made each time.
// oxlint-disable-next-line max-params
export function hashBytes(
  view: DataView,
  start: number,
  end: number,
  key0: number,
  key1: number,
): number {
  let v0 = key0 | 0
  let v1 = key1 | 0
  let v2 = key0 ^ 0x6c796765
  let v3 = key1 ^ 0x74656462
  let at = start
  const rounds = ((end - start) >>> 2) + 4
  const last = rounds - 4
  for (let round = 0; round < rounds; round++) {
    let word = 0
    if (round < last) word = view.getInt32(at, true)
    else if (round === last) word = lastWord(view, start, end)
    else if (round === last + 1) v2 ^= 0xff
    at += 4
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}

/** Nobody else knows it. */
export function randomKey(random: Pick<Random, 'bytes'>): number {
  const [key] = new Int32Array(random.bytes(4).slice().buffer)
  return key
}

/** What is left of less than four bytes, and the length of all. */
function lastWord(view: DataView, start: number, end: number): number {
  const byteLength = end - start
  let word = byteLength << 24
  for (let left = byteLength & 3; left > 0; left--) {
    word |= view.getUint8(end - left) << (8 * ((byteLength & 3) - left))
  }
  return word
}
