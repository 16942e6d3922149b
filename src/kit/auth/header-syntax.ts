import { text } from '../../config/schema.ts'

/** A header's name in any case, as RFC 9110 has it. */
export function headerName() {
  return text().regex(
    /^[\w!#$%&'*+.^`|~-]+$/,
    'must be a header name: letters, digits and the like, no spaces',
  )
}

/** Whether a text can be sent as a header: printable, in one line, and of characters that every peer takes. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}
