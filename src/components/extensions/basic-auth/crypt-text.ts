const alphabet = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * The text form that crypt(3) gives a digest: groups of up to three bytes, named by their positions and joined most
 * significant first, each written as characters of six bits, least significant first.
 */
export function cryptText(digest: Uint8Array, groups: readonly (readonly number[])[]): string {
  let text = ''
  for (const group of groups) {
    let bits = group.reduce((joined, position) => (joined << 8) | digest[position], 0)
    for (let count = group.length + 1; count > 0; count--) {
      text += alphabet[bits & 63]
      bits >>= 6
    }
  }
  return text
}

/** The bytes, over and over, up to a length. */
export function repeated(bytes: Uint8Array, byteLength: number): Buffer {
  const filled = Buffer.alloc(byteLength)
  if (byteLength > 0) filled.fill(bytes)
  return filled
}
