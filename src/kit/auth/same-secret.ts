import { hash, timingSafeEqual } from 'node:crypto'

/** Whether two texts are the same, in a time that tells nothing of where they differ, nor of how long they are. */
export function isSameSecret(one: string, other: string): boolean {
  return timingSafeEqual(secretDigest(one), secretDigest(other))
}

/** Stands for a secret in comparisons and as a key, without being one. */
export function secretDigest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}
