/** Bytes that are not protobuf, with where they stop being it. */
export class Malformed extends Error {
  override readonly name = 'Malformed'
  /** Byte offset into the bytes that were read. */
  readonly offset: number

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`)
    this.offset = offset
  }
}
