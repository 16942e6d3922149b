import { writeFieldHeader } from './varint.ts'

/** A tag takes five bytes at most, and the length of what fits into memory eight. */
const headerLengthMax = 13
const headerBlockLength = 2048

// Headers of all lists, written one behind the other and never again changed: a block of its own for each list would
// cost more than all else that small lists do.
let headers = new Uint8Array(headerBlockLength)
let headersUsed = 0

/** Up to this many bytes a loop copies faster than a view and a call. */
const loopLengthMax = 32

/**
 * Pieces of other arrays, in order, until they are copied into one. Neighbours become one piece, so that keeping a
 * thousand fields in a row costs one copy; a list that is a single piece is not copied at all.
 */
export class ChunkList {
  byteLength = 0
  readonly #sources: Uint8Array[] = []
  /** Start and end of each piece in its source, by turns. */
  readonly #bounds: number[] = []

  add(source: Uint8Array, start: number, end: number): void {
    if (start === end) return
    this.byteLength += end - start
    const last = this.#sources.length - 1
    if (last >= 0 && this.#sources[last] === source && this.#bounds[last * 2 + 1] === start) {
      this.#bounds[last * 2 + 1] = end
      return
    }
    this.#sources.push(source)
    this.#bounds.push(start, end)
  }

  addAll(source: Uint8Array): void {
    this.add(source, 0, source.length)
  }

  addList(list: ChunkList): void {
    for (let index = 0; index < list.#sources.length; index++) {
      this.add(list.#sources[index], list.#bounds[index * 2], list.#bounds[index * 2 + 1])
    }
  }

  /** Adds a length-delimited field with this body. */
  addField(field: number, body: ChunkList | Uint8Array): void {
    if (headersUsed + headerLengthMax > headers.length) {
      headers = new Uint8Array(headerBlockLength)
      headersUsed = 0
    }
    const byteLength = body instanceof ChunkList ? body.byteLength : body.length
    const start = headersUsed
    headersUsed = writeFieldHeader(headers, start, field, byteLength)
    this.add(headers, start, headersUsed)
    if (body instanceof ChunkList) this.addList(body)
    else this.addAll(body)
  }

  /** A list of the same pieces, which grows on its own. */
  copy(): ChunkList {
    const copy = new ChunkList()
    copy.addList(this)
    return copy
  }

  toBytes(): Uint8Array {
    if (this.#sources.length === 1) {
      return this.#sources[0].subarray(this.#bounds[0], this.#bounds[1])
    }
    const joined = new Uint8Array(this.byteLength)
    let position = 0
    for (let index = 0; index < this.#sources.length; index++) {
      const source = this.#sources[index]
      const start = this.#bounds[index * 2]
      const end = this.#bounds[index * 2 + 1]
      if (end - start <= loopLengthMax) {
        for (let from = start; from < end; from++) joined[position++] = source[from]
        continue
      }
      joined.set(end - start === source.length ? source : source.subarray(start, end), position)
      position += end - start
    }
    return joined
  }
}
