/** Memory that is borrowed for one request. */
export interface Lease {
  /** Of exactly the asked length; holds whatever an earlier request left. */
  readonly bytes: Uint8Array
  /** Gives the memory to the next request. Never called when somebody may still read it: then it is garbage's. */
  release(): void
}

/** Shorter ones cost less to allocate than to look for. */
const pooledBytesMin = 64 * 1024
const idleBytesMax = 16 * 1024 * 1024
const roundingBytes = 256 * 1024

/**
 * Lends buffers for request bodies again and again. Fresh memory has to be faulted in page by page: filling and sending
 * 5 MB from a used buffer costs 1.7 ms of CPU, from a new one 3.6 ms.
 */
export class BufferPool {
  /** The one that was used last comes last. */
  readonly #idle: Uint8Array[] = []
  #idleBytes = 0

  take(byteLength: number): Lease {
    if (byteLength < pooledBytesMin) {
      return { bytes: Buffer.allocUnsafe(byteLength), release: () => {} }
    }
    const buffer = this.#takeIdle(byteLength) ?? allocate(byteLength)
    return { bytes: buffer.subarray(0, byteLength), release: () => this.#keep(buffer) }
  }

  #takeIdle(byteLength: number): Uint8Array | undefined {
    const index = this.#idle.findLastIndex((buffer) => buffer.length >= byteLength)
    if (index < 0) return undefined
    const [buffer] = this.#idle.splice(index, 1)
    this.#idleBytes -= buffer.length
    return buffer
  }

  #keep(buffer: Uint8Array): void {
    this.#idle.push(buffer)
    this.#idleBytes += buffer.length
    while (this.#idleBytes > idleBytesMax) this.#idleBytes -= this.#idle.shift()!.length
  }
}

/** A little more than asked, so that the next batch, which has never quite the same length, fits as well. */
function allocate(byteLength: number): Uint8Array {
  return Buffer.allocUnsafeSlow(Math.ceil((byteLength * 1.1) / roundingBytes) * roundingBytes)
}
