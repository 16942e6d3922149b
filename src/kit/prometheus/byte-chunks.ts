/**
 * Keeps many short runs of bytes in few pieces of memory, since a typed array of its own costs more than most of them. A
 * piece goes when its last run has gone; whoever walks over the runs moves them out of sparse ones.
 */

interface Chunk {
  readonly view: DataView<ArrayBuffer>
  usedBytes: number
  liveBytes: number
  /** Of runs, for some are empty. */
  liveCount: number
}

const firstChunkBytes = 4 * 1024
const chunkBytesMax = 256 * 1024

export class ByteChunks {
  readonly #chunks: (Chunk | undefined)[] = []
  readonly #free: number[] = []
  #nextBytes = firstChunkBytes
  #byteLength = 0
  #current: Chunk | undefined
  /** Where the last run that was added lies. */
  chunk = 0
  start = 0

  /** Memory it holds, used or not. */
  get byteLength(): number {
    return this.#byteLength
  }

  /** Holds for as long as the run does that was read from it. */
  view(chunk: number): DataView<ArrayBuffer> {
    return this.#chunks[chunk]!.view
  }

  /** Sets `chunk` and `start`. */
  add(bytes: Uint8Array, from: number, to: number): void {
    const byteLength = to - from
    let current = this.#current
    if (current === undefined || current.usedBytes + byteLength > current.view.byteLength) {
      current = this.#open(byteLength)
    }
    this.start = current.usedBytes
    new Uint8Array(current.view.buffer).set(bytes.subarray(from, to), this.start)
    current.usedBytes += byteLength
    current.liveBytes += byteLength
    current.liveCount++
  }

  remove(chunk: number, byteLength: number): void {
    const owner = this.#chunks[chunk]!
    owner.liveBytes -= byteLength
    owner.liveCount--
    if (owner.liveCount === 0 && owner !== this.#current) this.#drop(chunk)
  }

  /** Less than half in use, and nothing more is added to it. */
  isSparse(chunk: number): boolean {
    const { liveBytes, view } = this.#chunks[chunk]!
    return liveBytes * 2 < view.byteLength && chunk !== this.chunk
  }

  #open(byteLength: number): Chunk {
    const before = this.#current
    const capacity = Math.max(this.#nextBytes, byteLength)
    this.#nextBytes = Math.min(this.#nextBytes * 2, chunkBytesMax)
    const view = new DataView(new ArrayBuffer(capacity))
    const current = { view, usedBytes: 0, liveBytes: 0, liveCount: 0 }
    const leftAt = this.chunk
    this.chunk = this.#free.pop() ?? this.#chunks.length
    this.#chunks[this.chunk] = current
    this.#byteLength += capacity
    this.#current = current
    if (before?.liveCount === 0) this.#drop(leftAt)
    return current
  }

  #drop(chunk: number): void {
    this.#byteLength -= this.#chunks[chunk]!.view.byteLength
    this.#chunks[chunk] = undefined
    this.#free.push(chunk)
  }
}
