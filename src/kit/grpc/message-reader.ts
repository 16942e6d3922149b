import { Refusal } from '../../otlp/refusal.ts'

interface ReaderOptions {
  /** Longest message taken, as it is on the wire. */
  readonly byteLengthMax: number
  /**
   * Told the length of the message once its prefix is there and before room for it is made; throws when the message
   * is not welcome.
   */
  readonly onPrefix: (byteLength: number) => void
}

const prefixLength = 5

/**
 * Puts the one message of a unary call together. A message that arrives in one piece is a slice of it; any other is
 * copied once, into a buffer of the announced length. Whatever cannot be read is thrown as a Refusal.
 */
export class MessageReader {
  readonly #options: ReaderOptions
  readonly #prefix = new Uint8Array(prefixLength)
  #prefixFilled = 0
  #message: Uint8Array | undefined
  #filled = 0

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** The message's own flag; only known once it has begun. */
  get isCompressed(): boolean {
    return this.#prefix[0] === 1
  }

  push(chunk: Uint8Array): void {
    let at = 0
    if (this.#prefixFilled < prefixLength) {
      at = Math.min(prefixLength - this.#prefixFilled, chunk.length)
      this.#prefix.set(at === chunk.length ? chunk : chunk.subarray(0, at), this.#prefixFilled)
      this.#prefixFilled += at
      if (this.#prefixFilled < prefixLength) return
      this.#begin(chunk, at)
      if (this.#filled > 0) at += this.#filled
    }
    if (at === chunk.length) return
    const message = this.#message!
    if (this.#filled + chunk.length - at > message.length) {
      throw new Refusal('unimplemented', 'a unary call takes one request message, got more')
    }
    message.set(at === 0 ? chunk : chunk.subarray(at), this.#filled)
    this.#filled += chunk.length - at
  }

  /** The message, once the client has said that nothing follows. */
  finish(): Uint8Array {
    if (this.#prefixFilled === 0) {
      throw new Refusal('unimplemented', 'a unary call takes one request message, got none')
    }
    const message = this.#message
    if (message === undefined || this.#filled < message.length) {
      const got =
        message === undefined ? 'its prefix' : `${this.#filled} of ${message.length} bytes`
      throw new Refusal('internal', `request ended inside its message, after ${got}`)
    }
    return message
  }

  /** `at` is where the message begins in the chunk that completed its prefix. */
  #begin(chunk: Uint8Array, at: number): void {
    const [flag, b3, b2, b1, b0] = this.#prefix
    if (flag > 1) throw new Refusal('internal', `message has the unknown compression flag ${flag}`)
    const byteLength = b3 * 0x1000000 + ((b2 << 16) | (b1 << 8) | b0)
    const { byteLengthMax, onPrefix } = this.#options
    if (byteLength > byteLengthMax) {
      throw new Refusal(
        'too_large',
        `message of ${byteLength} bytes is larger than the limit of ${byteLengthMax} bytes`,
      )
    }
    onPrefix(byteLength)
    if (chunk.length - at < byteLength) {
      // Not zeroed: every byte of it is written before anybody sees one.
      this.#message = Buffer.allocUnsafeSlow(byteLength)
      return
    }
    const slice = chunk.subarray(at, at + byteLength)
    // A slice keeps the whole read it came with, up to 64 KiB: small messages are better copied out.
    const isSmallPart = byteLength * wasteMax < chunk.buffer.byteLength
    this.#message = isSmallPart ? Buffer.from(slice) : slice
    this.#filled = byteLength
  }
}

/** How many bytes may stay in memory for each byte of a message. */
const wasteMax = 8
