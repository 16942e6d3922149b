/** Bytes that are not protobuf wire format: where, and which rule they break. */
export class WireError extends Error {
  override readonly name = 'WireError'
  /** Index of the offending field or value, from the start of the array that was being read. */
  readonly offset: number

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`)
    this.offset = offset
  }
}
