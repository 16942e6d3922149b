const noBytes = new Uint8Array(0)

/** One piece is given back as it is; several are copied behind each other. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 0) return noBytes
  if (pieces.length === 1) return pieces[0]
  let byteLength = 0
  for (const piece of pieces) byteLength += piece.length
  const joined = new Uint8Array(byteLength)
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.length
  }
  return joined
}
