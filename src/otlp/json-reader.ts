/**
 * Reads JSON text token by token, as UTF-8 bytes. Not JSON.parse: that makes doubles of 64-bit numbers, and turns a
 * hostile document of 20 MiB into objects of half a gigabyte before anyone can refuse it.
 */

import { Refusal } from './refusal.ts'

const quote = 0x22
const comma = 0x2c
const minus = 0x2d
const dot = 0x2e
const zero = 0x30
const nine = 0x39
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null'

export class JsonReader {
  readonly #bytes: Uint8Array
  #position: number
  /** Keys and indexes of the objects and arrays being read, outermost first. */
  readonly #path: (string | number)[] = []
  // Not the path's length: shortening an array costs more than reading the object that was in it.
  #depth = 0

  constructor(text: string | Uint8Array) {
    this.#bytes = typeof text === 'string' ? textEncoder.encode(text) : text
    // A byte order mark says nothing about UTF-8, but some senders write it.
    const [first, second, third] = this.#bytes
    this.#position = first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0
  }

  /** What comes next. */
  kind(): JsonKind {
    const byte = this.#skipSpace()
    if (byte === quote) return 'string'
    if (byte === openBrace) return 'object'
    if (byte === openBracket) return 'array'
    if (byte === minus || isDigit(byte)) return 'number'
    if (byte === 0x74 || byte === 0x66) return 'boolean'
    if (byte === 0x6e) return 'null'
    throw this.syntaxError()
  }

  /** Calls `visit` at each member's value, which it must read or skip. */
  object(visit: (key: string) => void): void {
    this.#expect(openBrace)
    if (this.#skipSpace() === closeBrace) {
      this.#position++
      return
    }
    const depth = this.#depth
    while (true) {
      const key = this.#key()
      this.#expect(colon)
      this.#path[depth] = key
      this.#depth = depth + 1
      visit(key)
      if (this.#endOfList(closeBrace)) break
    }
    this.#depth = depth
  }

  /** Calls `visit` at each element, which it must read or skip. */
  array(visit: () => void): void {
    this.#expect(openBracket)
    if (this.#skipSpace() === closeBracket) {
      this.#position++
      return
    }
    const depth = this.#depth
    for (let index = 0; ; index++) {
      this.#path[depth] = index
      this.#depth = depth + 1
      visit()
      if (this.#endOfList(closeBracket)) break
    }
    this.#depth = depth
  }

  string(): string {
    const token = this.#stringToken()
    if (token.hasEscape) return this.#unescape(token)
    const { start, end } = token
    if (token.isAscii && end - start < 24) {
      // Not TextDecoder: keys are short, and its call alone costs more than this loop.
      let text = ''
      for (let index = start; index < end; index++) text += String.fromCharCode(this.#bytes[index])
      return text
    }
    return this.#decode(start, end)
  }

  /** The same as UTF-8, sharing memory with the document where nothing was escaped. */
  stringBytes(): Uint8Array {
    const token = this.#stringToken()
    if (token.hasEscape) return textEncoder.encode(this.#unescape(token))
    if (!token.isAscii) this.#decode(token.start, token.end)
    return this.#bytes.subarray(token.start, token.end)
  }

  /** The digits as they stand, since a 64-bit number would not survive as a double. */
  numberText(): string {
    const start = this.#position
    let index = start
    const bytes = this.#bytes
    const digits = (): void => {
      if (!isDigit(bytes[index])) throw this.syntaxError(index)
      while (isDigit(bytes[index])) index++
    }
    if (bytes[index] === minus) index++
    if (bytes[index] === zero && isDigit(bytes[index + 1])) throw this.syntaxError(index + 1)
    digits()
    if (bytes[index] === dot) {
      index++
      digits()
    }
    if (bytes[index] === 0x65 || bytes[index] === 0x45) {
      index++
      if (bytes[index] === 0x2b || bytes[index] === minus) index++
      digits()
    }
    this.#position = index
    return this.#latin(start, index)
  }

  boolean(): boolean {
    const isTrue = this.#bytes[this.#position] === 0x74
    this.#literal(isTrue ? 'true' : 'false')
    return isTrue
  }

  null(): void {
    this.#literal('null')
  }

  /** Passes over any value, however deep, in constant memory. */
  skip(): void {
    const closers: number[] = []
    do {
      const kind = this.kind()
      if (kind === 'object' || kind === 'array') {
        const closer = kind === 'object' ? closeBrace : closeBracket
        this.#position++
        if (this.#skipSpace() !== closer) {
          if (closers.push(closer) > skippedDepthMax) throw this.invalid('nests too deep')
          if (kind === 'object') this.#skipKey()
          continue
        }
        this.#position++
      } else this.#skipScalar(kind)
      while (closers.length > 0 && this.#endOfList(closers.at(-1)!)) closers.pop()
      if (closers.at(-1) === closeBrace) this.#skipKey()
    } while (closers.length > 0)
  }

  /** To be called after the document's one value. */
  end(): void {
    this.#skipSpace()
    if (this.#position < this.#bytes.length) throw this.syntaxError()
  }

  /** The complaint about the value being read: its place, then what is wrong. */
  invalid(rule: string, found?: string): Refusal {
    const got = found === undefined ? '' : `, got ${shorten(found)}`
    return new Refusal('invalid', `${this.#place()} ${rule}${got}`)
  }

  syntaxError(position: number = this.#position): Refusal {
    const byte = this.#bytes[position]
    const found =
      byte === undefined
        ? 'the body ends there'
        : `found ${JSON.stringify(this.#latin(position, position + 1))}`
    return new Refusal('invalid', `not JSON at byte ${position} (${this.#place()}): ${found}`)
  }

  #place(): string {
    let place = ''
    for (const step of this.#path.slice(0, this.#depth))
      place += typeof step === 'number' ? `[${step}]` : `${place === '' ? '' : '.'}${shorten(step)}`
    return place === '' ? 'document' : place
  }

  #skipSpace(): number | undefined {
    const bytes = this.#bytes
    let byte = bytes[this.#position]
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09)
      byte = bytes[++this.#position]
    return byte
  }

  #expect(byte: number): void {
    if (this.#skipSpace() !== byte) throw this.syntaxError()
    this.#position++
  }

  /** After an element: true past the closer, false past a comma. */
  #endOfList(closer: number): boolean {
    const byte = this.#skipSpace()
    if (byte !== closer && byte !== comma) throw this.syntaxError()
    this.#position++
    return byte === closer
  }

  #literal(word: string): void {
    const end = this.#position + word.length
    if (this.#latin(this.#position, end) !== word) {
      let index = 0
      while (this.#bytes[this.#position + index] === word.charCodeAt(index)) index++
      throw this.syntaxError(this.#position + index)
    }
    this.#position = end
  }

  /** The same few keys come thousands of times: most are recognised byte by byte, and no string is made. */
  #key(): string {
    const token = this.#stringToken()
    const { start, end } = token
    if (token.hasEscape) return this.#unescape(token)
    if (!token.isAscii || end - start > keyLengthMax) return this.#decode(start, end)
    const bytes = this.#bytes
    let hash = end - start
    for (let index = start; index < end; index++) hash = (hash * 31 + bytes[index]) & 0xffffff
    const slot = hash % keyCache.length
    const known = keyCache[slot]
    if (known.length === end - start) {
      let index = start
      while (index < end && known.charCodeAt(index - start) === bytes[index]) index++
      if (index === end) return known
    }
    return (keyCache[slot] = this.#latin(start, end))
  }

  #skipKey(): void {
    this.#stringToken()
    this.#expect(colon)
  }

  #skipScalar(kind: JsonKind): void {
    if (kind === 'string') this.#stringToken()
    else if (kind === 'number') this.numberText()
    else if (kind === 'boolean') this.boolean()
    else this.null()
  }

  #stringToken(): StringToken {
    this.#expect(quote)
    const bytes = this.#bytes
    const start = this.#position
    let seen = 0
    let hasEscape = false
    let index = start
    while (true) {
      const byte = bytes[index]
      if (byte === quote) break
      // Also at the end, where there is no byte; control characters must be escaped.
      if (byte === undefined || byte < 0x20) throw this.syntaxError(index)
      if (byte === backslash) {
        hasEscape = true
        index++
        if (index === bytes.length) throw this.syntaxError(index)
      }
      seen |= byte
      index++
    }
    this.#position = index + 1
    return { start, end: index, hasEscape, isAscii: seen < 0x80 }
  }

  #unescape({ start, end }: StringToken): string {
    try {
      return JSON.parse(this.#decode(start - 1, end + 1)) as string
    } catch (error) {
      if (error instanceof Refusal) throw error
      throw this.invalid('has an escape that JSON does not know')
    }
  }

  #decode(start: number, end: number): string {
    try {
      return textDecoder.decode(this.#bytes.subarray(start, end))
    } catch {
      throw this.invalid('is not UTF-8')
    }
  }

  #latin(start: number, end: number): string {
    let text = ''
    const stop = Math.min(end, this.#bytes.length)
    for (let index = start; index < stop; index++) text += String.fromCharCode(this.#bytes[index])
    return text
  }
}

interface StringToken {
  /** Without the quotes. */
  readonly start: number
  readonly end: number
  readonly hasEscape: boolean
  readonly isAscii: boolean
}

/** The key last seen in each slot. Prime, so that the hash spreads; keys longer than any of OTLP's do not enter. */
const keyCache: string[] = Array.from({ length: 509 }, () => '')
const keyLengthMax = 40

/** What nobody reads may nest deeper than what we read, but its brackets are remembered. */
const skippedDepthMax = 10_000

const textEncoder = new TextEncoder()
// A byte order mark inside a string is a character like any other.
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}...` : text
}
