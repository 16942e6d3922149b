/** What tells the scopes of a ScopeMetrics apart: the scope's message and the URL of its schema. */
import { FieldReader } from '../../wire/field-reader.ts'
import { decodeUtf8 } from '../../wire/utf8.ts'
import { tagOf } from './field-tag.ts'
import { GrowingBytes } from './growing-bytes.ts'

const noBytes = new Uint8Array(0)

/** Reads those of the ScopeMetrics that lies from `start` to `end`; pieces of one scope are one message. */
export function scopeParts(
  scan: FieldReader,
  rest: Uint8Array,
  start: number,
  end: number,
): { readonly message: Uint8Array; readonly schema: Uint8Array } {
  let scopeBytes: Uint8Array = noBytes
  let pieces: GrowingBytes | undefined
  let scopeStart = 0
  let scopeEnd = 0
  let schemaStart = 0
  let schemaEnd = 0
  scan.reset(rest, start, end)
  while (scan.next()) {
    if (tagOf(scan) === 0x0a) {
      if (scopeBytes === noBytes) {
        scopeBytes = rest
        scopeStart = scan.start
        scopeEnd = scan.end
      } else {
        if (pieces === undefined) {
          pieces = new GrowingBytes()
          pieces.add(scopeBytes, scopeStart, scopeEnd)
        }
        pieces.add(rest, scan.start, scan.end)
        scopeBytes = pieces.bytes
        scopeStart = 0
        scopeEnd = pieces.length
      }
    } else if (tagOf(scan) === 0x1a) {
      schemaStart = scan.start
      schemaEnd = scan.end
    }
  }
  return {
    message: scopeBytes.subarray(scopeStart, scopeEnd),
    schema: rest.subarray(schemaStart, schemaEnd),
  }
}

/** The text in the last field of a message that has this tag; empty when there is none. */
export function fieldText(message: Uint8Array, tag: number): string {
  const scan = new FieldReader(noBytes)
  scan.reset(message, 0, message.length)
  let text = ''
  while (scan.next()) if (tagOf(scan) === tag) text = decodeUtf8(message, scan.start, scan.end)
  return text
}
