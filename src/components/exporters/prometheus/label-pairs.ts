/** Labels as LabelPair messages, made from label text without a string in between where nothing is quoted. */
import { copyBytes } from '../../../wire/copy-bytes.ts'
import { decodeUtf8, encodeUtf8 } from '../../../wire/utf8.ts'
import { fieldLength, writeFieldHeader } from '../../../wire/varint.ts'
import type { WireWriter } from '../../../wire/wire-writer.ts'
import { parseLabelText } from './label-text.ts'

const backslash = 0x5c
const equals = 0x3d
const quote = 0x22

const nameField = 1
const valueField = 2
const pairsKnownMax = 64

export class LabelPairs {
  readonly #field: number
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #text: DataView = this.#view
  #end = 0
  /** Pairs of the labels before these, from the first on, that are in the buffer still: series share most of theirs. */
  #knownCount = 0
  readonly #nameLengths = new Uint8Array(pairsKnownMax)
  readonly #valueLengths = new Uint8Array(pairsKnownMax)

  /** `field` holds the pairs; below 16. */
  constructor(field: number) {
    this.#field = field
  }

  /** Writes the fields of the pairs of a label text, from `start` to `end`. */
  write(writer: WireWriter, text: DataView, start: number, end: number): void {
    this.#text = text
    this.#end = end
    const length = this.#plain(start)
    if (length >= 0) writer.copy(this.#view, 0, length)
    else {
      const bytes = new Uint8Array(text.buffer, text.byteOffset + start, end - start)
      this.#parsed(writer, decodeUtf8(bytes))
    }
  }

  writeText(writer: WireWriter, text: string): void {
    const { buffer, byteOffset, byteLength } = encodeUtf8(text)
    this.write(writer, new DataView(buffer, byteOffset, byteLength), 0, byteLength)
  }

  /** Makes the fields in the buffer and gives their length, or -1 where a name has quotes or anything is escaped. */
  #plain(start: number): number {
    const end = this.#end
    this.#makeRoom(end - start)
    let [known, made] = [this.#knownCount, 0]
    this.#knownCount = 0
    let length = 0
    for (let pair = 0, nameStart = start; nameStart < end; pair++) {
      if (pair < known && this.#isInPlace(pair, length, nameStart)) {
        const inner = this.#nameLengths[pair] + this.#valueLengths[pair] + 4
        this.#writeHeader(length, inner, this.#nameLengths[pair])
        length += inner + 2
        nameStart += inner
        made++
        continue
      }
      if (this.#text.getUint8(nameStart) === quote) return -1
      // As if all lengths took a byte, which tells how long they are.
      const nameEnd = this.#copyUntil(equals, nameStart, length + 4)
      const nameLength = nameEnd - nameStart
      const valueAt = length + nameLength + 6
      const valueEnd = this.#copyUntil(quote, nameEnd + 2, valueAt)
      if (valueEnd === -1) return -1
      const valueLength = valueEnd - nameEnd - 2
      const inner = nameLength + valueLength + 4
      if (inner < 0x80) {
        this.#writeHeader(length, inner, nameLength)
        this.#bytes[valueAt - 2] = valueField * 8 + 2
        this.#bytes[valueAt - 1] = valueLength
        length += inner + 2
        // What was behind the one in its place has moved.
        if (pair < known && !this.#hasLengths(pair, nameLength, valueLength)) known = 0
        if (made === pair && pair < pairsKnownMax) {
          this.#nameLengths[pair] = nameLength
          this.#valueLengths[pair] = valueLength
          made++
        }
      } else {
        known = 0
        length = this.#longPair(length, nameStart, nameEnd, valueEnd)
      }
      nameStart = valueEnd + 2
    }
    this.#knownCount = made
    return length
  }

  #makeRoom(textLength: number): void {
    // A pair has four bytes of its own for each that is not name or value, and perhaps longer lengths.
    const room = textLength * 4 + 16
    if (this.#bytes.length >= room) return
    this.#bytes = new Uint8Array(room * 2)
    this.#view = new DataView(this.#bytes.buffer)
    this.#knownCount = 0
  }

  /** Copying what is in front may have written over it. */
  #writeHeader(at: number, inner: number, nameLength: number): void {
    const bytes = this.#bytes
    bytes[at] = this.#field * 8 + 2
    bytes[at + 1] = inner
    bytes[at + 2] = nameField * 8 + 2
    bytes[at + 3] = nameLength
  }

  #hasLengths(pair: number, nameLength: number, valueLength: number): boolean {
    return this.#nameLengths[pair] === nameLength && this.#valueLengths[pair] === valueLength
  }

  /** Whether the pair at `at` of the buffer, all but its header, is the one that the text goes on with. */
  #isInPlace(pair: number, at: number, nameStart: number): boolean {
    const nameLength = this.#nameLengths[pair]
    const valueLength = this.#valueLengths[pair]
    const valueStart = nameStart + nameLength + 2
    const valueEnd = valueStart + valueLength
    const text = this.#text
    return (
      valueEnd < this.#end &&
      text.getUint8(valueEnd) === quote &&
      text.getUint8(valueStart - 1) === quote &&
      this.#isSame(valueStart, at + nameLength + 6, valueLength) &&
      this.#isSame(nameStart, at + 4, nameLength)
    )
  }

  #isSame(start: number, at: number, length: number): boolean {
    const text = this.#text
    const view = this.#view
    let index = 0
    for (; index + 4 <= length; index += 4) {
      if (text.getInt32(start + index, true) !== view.getInt32(at + index, true)) return false
    }
    for (; index < length; index++) {
      if (text.getUint8(start + index) !== view.getUint8(at + index)) return false
    }
    return true
  }

  /** Copies to `to` of the buffer until the byte `mark`, and gives its place; -1 where a backslash comes before it. */
  #copyUntil(mark: number, start: number, to: number): number {
    const text = this.#text
    const view = this.#view
    const shift = to - start
    let at = start
    for (; at + 4 <= text.byteLength; at += 4) {
      const word = text.getInt32(at, true)
      view.setInt32(at + shift, word, true)
      if (hasByte(word, mark) || hasByte(word, backslash)) break
    }
    for (; ; at++) {
      const byte = text.getUint8(at)
      if (byte === mark) return at
      if (byte === backslash) return -1
      view.setUint8(at + shift, byte)
    }
  }

  #longPair(at: number, nameStart: number, nameEnd: number, valueEnd: number): number {
    const nameLength = nameEnd - nameStart
    const value = { start: nameEnd + 2, end: valueEnd }
    const valueLength = value.end - value.start
    const inner = fieldLength(nameField, nameLength) + fieldLength(valueField, valueLength)
    let to = writeFieldHeader(this.#bytes, at, this.#field, inner)
    to = writeFieldHeader(this.#bytes, to, nameField, nameLength)
    copyBytes(this.#view, to, this.#text, { start: nameStart, end: nameEnd })
    to = writeFieldHeader(this.#bytes, to + nameLength, valueField, valueLength)
    copyBytes(this.#view, to, this.#text, value)
    return to + valueLength
  }

  #parsed(writer: WireWriter, text: string): void {
    for (const { name, value } of parseLabelText(text)) {
      writer.message(this.#field, () => {
        writer.string(nameField, name)
        writer.string(valueField, value)
      })
    }
  }
}

/** Whether any of the four bytes of a word is this one. */
function hasByte(word: number, byte: number): boolean {
  // Taking 1 from each byte borrows only from one that is zero.
  const rest = word ^ (byte * 0x01010101)
  return ((rest - 0x01010101) & ~rest & 0x80808080) !== 0
}
