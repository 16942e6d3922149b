/** Labels as LabelPair messages, made from label text without a string in between where nothing is escaped. */
import { escapeName, type EscapingScheme } from '../../../kit/prometheus/escaping.ts'
import { decodeUtf8 } from '../../../wire/utf8.ts'
import { varintLength, writeVarint } from '../../../wire/varint.ts'
import { WireWriter } from '../../../wire/wire-writer.ts'
import { parseLabelText } from './label-text.ts'

const backslash = 0x5c
const comma = 0x2c
const equals = 0x3d
const quote = 0x22

export class LabelPairs {
  readonly #tag: number
  readonly #scheme: EscapingScheme
  #bytes = new Uint8Array(1024)

  /** `field` holds the pairs; below 16. */
  constructor(field: number, scheme: EscapingScheme) {
    this.#tag = field * 8 + 2
    this.#scheme = scheme
  }

  /** Fields of the pairs of a label text; overwritten by the next. */
  fields(text: Uint8Array, start: number, end: number): Uint8Array {
    const length = this.#scheme === 'dots' ? -1 : this.#plain(text, start, end)
    if (length >= 0) return this.#bytes.subarray(0, length)
    return this.#escaped(decodeUtf8(text, start, end))
  }

  /** The length, or -1 where a name has quotes or anything is escaped. */
  #plain(text: Uint8Array, start: number, end: number): number {
    // A pair has four bytes of its own for each that is not name or value, and perhaps longer lengths.
    const room = (end - start) * 4
    if (this.#bytes.length < room) this.#bytes = new Uint8Array(room * 2)
    const bytes = this.#bytes
    let length = 0
    for (let at = start; at < end;) {
      const nameStart = at
      if (text[at] === quote) return -1
      while (text[at] !== equals) at++
      const nameEnd = at
      // Past the equals sign and the quote.
      at += 2
      const valueStart = at
      for (; text[at] !== quote; at++) if (text[at] === backslash) return -1
      const valueEnd = at
      at++
      if (text[at] === comma) at++
      const nameLength = nameEnd - nameStart
      const valueLength = valueEnd - valueStart
      bytes[length++] = this.#tag
      const inner =
        2 + varintLength(nameLength) + nameLength + varintLength(valueLength) + valueLength
      length = writeVarint(bytes, length, inner)
      bytes[length++] = 0x0a
      length = writeVarint(bytes, length, nameLength)
      for (let index = nameStart; index < nameEnd; index++) bytes[length++] = text[index]
      bytes[length++] = 0x12
      length = writeVarint(bytes, length, valueLength)
      for (let index = valueStart; index < valueEnd; index++) bytes[length++] = text[index]
    }
    return length
  }

  /** Of two names that escaping makes one, the first stays. */
  #escaped(text: string): Uint8Array {
    const writer = new WireWriter()
    const names = new Set<string>()
    for (const label of parseLabelText(text)) {
      const name = escapeName(this.#scheme, label.name, 'label')
      if (names.has(name)) continue
      names.add(name)
      writer.message(this.#tag >>> 3, () => {
        writer.string(1, name)
        writer.string(2, label.value)
      })
    }
    return writer.finish()
  }
}
