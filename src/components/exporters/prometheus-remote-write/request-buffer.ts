/** Where a request is put together: the few kinds of field it has, in memory that is used again and again. */
import { writeUtf8 } from '../../../wire/utf8.ts'
import { writeVarint } from '../../../wire/varint.ts'
import type { SampleList } from './sample-list.ts'

export class RequestBuffer {
  #bytes = new Uint8Array(64 * 1024)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What was written so far; holds until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  clear(): void {
    this.#length = 0
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  varint(value: number): void {
    this.#reserve(10)
    this.#length = writeVarint(this.#bytes, this.#length, value)
  }

  /** Tag and length of a field that follows. */
  header(tag: number, byteLength: number): void {
    this.byte(tag)
    this.varint(byteLength)
  }

  copy(bytes: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start)
    this.#bytes.set(bytes.subarray(start, end), this.#length)
    this.#length += end - start
  }

  text(tag: number, text: string): void {
    this.#reserve(text.length * 3 + 10)
    const at = this.#length
    const from = at + 3
    const end = writeUtf8(this.#bytes, from, text)
    const byteLength = end - from
    this.#bytes[at] = tag
    this.#length = writeVarint(this.#bytes, at + 1, byteLength)
    // The length took one byte nearly always, and two were kept for it.
    if (this.#length !== from) this.#bytes.copyWithin(this.#length, from, end)
    this.#length += byteLength
  }

  /** The body of a Sample; its length is sampleLength. */
  sample(list: SampleList, index: number, startMs: number): void {
    this.#reserve(32)
    const bytes = this.#bytes
    const at = this.#length
    bytes[at] = 0x09
    // As the two words they are, so that the bits of a stale marker stay what they are.
    this.#view.setUint32(at + 1, list.words[index * 2], true)
    this.#view.setUint32(at + 5, list.words[index * 2 + 1], true)
    bytes[at + 9] = 0x10
    let end = writeTime(bytes, at + 10, list.timesMs[index])
    if (startMs > 0) {
      bytes[end] = 0x18
      end = writeTime(bytes, end + 1, startMs)
    }
    this.#length = end
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

export function sampleLength(timeMs: number, startMs: number): number {
  return 10 + timeLength(timeMs) + (startMs > 0 ? 1 + timeLength(startMs) : 0)
}

const timeSplit = 2 ** 28

/** Length of the varint of a time: six bytes from 1971 to 2109. None is beyond 2^45, as they come from 64 bits of nanoseconds. */
export function timeLength(timeMs: number): number {
  if (timeMs >= 2 ** 42) return 7
  if (timeMs >= 2 ** 35) return 6
  let length = 1
  for (let rest = timeMs; rest >= 128; rest /= 128) length++
  return length
}

/** Writes the varint of a time; gives one past it. */
export function writeTime(bytes: Uint8Array, position: number, timeMs: number): number {
  if (timeMs < timeSplit) return writeVarint(bytes, position, timeMs)
  const high = Math.floor(timeMs / timeSplit)
  const low = timeMs - high * timeSplit
  bytes[position] = low | 0x80
  bytes[position + 1] = (low >>> 7) | 0x80
  bytes[position + 2] = (low >>> 14) | 0x80
  bytes[position + 3] = (low >>> 21) | 0x80
  return writeVarint(bytes, position + 4, high)
}
