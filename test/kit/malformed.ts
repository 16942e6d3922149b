/** The bytes with the length in front of this text, which must be in them once, made one that runs past all ends. */
export function withBrokenLength(bytes: Uint8Array, text: string): Uint8Array {
  const broken = Buffer.from(bytes)
  const at = broken.indexOf(text)
  if (at < 1 || broken.indexOf(text, at + 1) !== -1) throw new Error(`${text} is not there once`)
  broken[at - 1] = 0x7f
  return broken
}
