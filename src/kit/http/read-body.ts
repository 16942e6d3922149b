import type { IncomingMessage, ServerResponse } from 'node:http'
import { Refusal } from '../../otlp/refusal.ts'
import { bodyLength } from './unread-body.ts'

export interface BodyBudget {
  readonly byteLengthMax: number
  /** Asked for every further piece of a body whose length is unknown; undefined grants it. */
  grow(byteLength: number): Refusal | undefined
}

/** What a body of unknown length is first given room for. */
export const unknownLengthBytes = 64 * 1024

/** Of usual chunks, 16 KiB or more, a body within the default limit has hardly ever so many. */
const looseChunksMax = 1024

/**
 * Reads a body whose declared length is within its budget, with one copy at most: a body in one chunk is that chunk,
 * chunks of a declared length land in one buffer made for them. Calls `done` once, with the body or with why there is
 * none; the request may then still have bytes to come. What it gives back ends the wait with a refusal.
 */
export function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  budget: BodyBudget,
  done: (body: Uint8Array | Refusal) => void,
): (refusal: Refusal) => void {
  if (request.headers.expect !== undefined) response.writeContinue()
  const declared = bodyLength(request)
  const gather = declared === Infinity ? new UnknownLength(budget) : new KnownLength(declared)
  const finish = (result: Uint8Array | Refusal) => {
    request.removeListener('data', onData)
    request.removeListener('end', onEnd)
    request.removeListener('close', onClose)
    done(result)
  }
  const onData = (chunk: Uint8Array) => {
    const refusal = gather.add(chunk)
    if (refusal !== undefined) finish(refusal)
  }
  const onEnd = () => finish(gather.body())
  // Comes without an end when the client went away, or was too slow.
  const onClose = () => finish(new Refusal('cancelled', 'the client closed the connection'))
  request.on('data', onData)
  request.on('end', onEnd)
  request.on('close', onClose)
  return finish
}

/**
 * Frees a chunk's memory now, so that the next chunk gets it while it is still in the processor's cache: left to the
 * garbage collector, the chunks of a body cost five times as much to fill. Should somebody still look, it is empty.
 */
function giveBack(chunk: Uint8Array): void {
  const { buffer } = chunk
  // A view of something larger is not ours alone.
  if (buffer.byteLength === chunk.length) (buffer as ArrayBuffer).transfer(0)
}

class KnownLength {
  readonly #declared: number
  #body: Uint8Array | undefined
  #byteLength = 0

  constructor(declared: number) {
    this.#declared = declared
  }

  add(chunk: Uint8Array): undefined {
    if (this.#body === undefined) {
      // Not pooled: slices of it live as long as their batch, and would keep a pool alive with them.
      this.#body = chunk.length === this.#declared ? chunk : Buffer.allocUnsafeSlow(this.#declared)
    }
    const { length } = chunk
    // node:http has counted along: what arrives is never more than was declared.
    if (this.#body !== chunk) {
      this.#body.set(chunk, this.#byteLength)
      giveBack(chunk)
    }
    this.#byteLength += length
  }

  body(): Uint8Array {
    return this.#body ?? new Uint8Array(0)
  }
}

class UnknownLength {
  readonly #budget: BodyBudget
  readonly #chunks: Uint8Array[] = []
  /** Of the chunks, so many are joined already. */
  #joinedCount = 0
  #byteLength = 0
  #granted = unknownLengthBytes

  constructor(budget: BodyBudget) {
    this.#budget = budget
  }

  add(chunk: Uint8Array): Refusal | undefined {
    this.#byteLength += chunk.length
    if (this.#byteLength > this.#budget.byteLengthMax) {
      return bodyTooLarge(this.#budget.byteLengthMax)
    }
    while (this.#byteLength > this.#granted) {
      const refusal = this.#budget.grow(this.#granted)
      if (refusal !== undefined) return refusal
      this.#granted *= 2
    }
    this.#chunks.push(chunk)
    if (this.#chunks.length - this.#joinedCount >= looseChunksMax) this.#joinLoose()
    return undefined
  }

  /** A chunk of a byte or two costs a hundred times that in memory, and nobody counts it. */
  #joinLoose(): void {
    const loose = this.#chunks.splice(this.#joinedCount)
    this.#chunks.push(Buffer.concat(loose))
    this.#joinedCount++
  }

  body(): Uint8Array {
    return this.#chunks.length === 1
      ? this.#chunks[0]
      : Buffer.concat(this.#chunks, this.#byteLength)
  }
}

export function bodyTooLarge(byteLengthMax: number): Refusal {
  return new Refusal('too_large', `body is larger than ${byteLengthMax} bytes`)
}
