import { type Document, isCollection, isScalar, visit, type YAMLParseError } from 'yaml'

/** What a YAML parser's error means to who wrote the file, and where to look. */
export function explainSyntax(
  error: YAMLParseError,
  text: string,
  document: Document.Parsed,
): { offset: number; message: string } {
  const offset = Math.min(error.pos[0], text.length)
  const open = unclosed(error, document)
  if (open !== undefined) return { offset: open.offset, message: `has no closing ${open.sign}` }
  const tab = tabInIndent(text, offset)
  if (tab !== undefined) return { offset: tab, message: tabAsIndent }
  return {
    offset,
    message: sentences[error.code] ?? `is not valid YAML: ${lowerFirst(error.message)}`,
  }
}

export const tabAsIndent = 'is indented with a tab; YAML allows only spaces'

const sentences: Partial<Record<YAMLParseError['code'], string>> = {
  TAB_AS_INDENT: tabAsIndent,
  BAD_INDENT: 'is indented differently from the lines it belongs to',
  BLOCK_IN_FLOW: 'begins a block inside { } or [ ]; is a closing bracket missing above?',
  BLOCK_AS_IMPLICIT_KEY:
    'has a second "key: value" on the line; put the value in quotes, or on the next line',
  MULTILINE_IMPLICIT_KEY: 'is not a "key: value" line; is a colon missing, or a space after it?',
  MISSING_CHAR: 'is missing a closing quote, bracket, colon or comma',
  BAD_SCALAR_START: 'begins with a character that YAML reserves; put the value in quotes',
  BAD_DQ_ESCAPE: 'has an unknown \\ escape in double quotes; use single quotes to keep \\ as it is',
  UNEXPECTED_TOKEN: 'has text that does not belong here',
  MULTIPLE_DOCS: 'begins a second YAML document; only one a file is read',
  MULTIPLE_ANCHORS: 'has two anchors',
  MULTIPLE_TAGS: 'has two tags',
  BAD_ALIAS: 'names an anchor that is not defined',
  KEY_OVER_1024_CHARS: 'has a key of more than 1024 characters; is a quote missing?',
}

/** The quote or bracket that is never closed: the parser notices only far below, where it should have been. */
function unclosed(error: YAMLParseError, document: Document.Parsed) {
  const sign = /(?:Missing closing|and end with a|must end with a|Expected) (["'\]}])/.exec(
    error.message,
  )?.[1]
  if (sign === undefined) return undefined
  let found: { offset: number; sign: string } | undefined
  visit(document, {
    Node: (_, node) => {
      const offset = node.range?.[0]
      if (offset === undefined || offset >= error.pos[0]) return
      const type = isScalar(node) ? node.type : undefined
      const isQuote = type === (sign === '"' ? 'QUOTE_DOUBLE' : 'QUOTE_SINGLE')
      const isBracket = isCollection(node) && node.flow === true && ']}'.includes(sign)
      if (isBracket || (isQuote && `'"`.includes(sign))) found = { offset, sign }
    },
  })
  return found
}

// The parser reports most tabs as something else: it took the line for a continued text.
function tabInIndent(text: string, offset: number): number | undefined {
  const before = text.slice(0, offset)
  let start = before.lastIndexOf('\n') + 1
  for (let back = 0; back < 3; back++) {
    const indent = /^ *\t/.exec(text.slice(start, start + 200))
    if (indent !== null) return start + indent[0].length - 1
    if (start === 0) return undefined
    start = text.lastIndexOf('\n', start - 2) + 1
  }
  return undefined
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
