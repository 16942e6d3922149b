/** The grammar of `${...}`: where references stand in a text, and what each asks for. */

export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  /** `body` is what stands between the braces; nested references are still in it. */
  | { readonly kind: 'reference'; readonly written: string; readonly body: string }
  /** `${` without its closing brace, kept as it is. */
  | { readonly kind: 'open'; readonly text: string }

/**
 * Cuts a text into literal text and references. `$$` means one dollar; in text that came from outside (`isRetrieved`) only
 * before a brace, so that a password keeps its dollars.
 */
export function cutReferences(text: string, isRetrieved: boolean): Piece[] {
  const pieces: Piece[] = []
  let literal = ''
  let index = 0
  while (index < text.length) {
    const start = text.indexOf('$', index)
    if (start < 0) break
    literal += text.slice(index, start)
    let end = start
    while (text[end] === '$') end++
    const count = end - start
    index = end
    if (text[end] !== '{') {
      literal += '$'.repeat(isRetrieved ? count : Math.ceil(count / 2))
      continue
    }
    literal += '$'.repeat(Math.floor(count / 2))
    if (count % 2 === 0) continue
    const close = closingBrace(text, end)
    if (close < 0) {
      pieces.push({ kind: 'text', text: literal }, { kind: 'open', text: '$' })
      literal = ''
      continue
    }
    const written = text.slice(end - 1, close + 1)
    pieces.push({ kind: 'text', text: literal })
    pieces.push({ kind: 'reference', written, body: text.slice(end + 1, close) })
    literal = ''
    index = close + 1
  }
  pieces.push({ kind: 'text', text: literal + text.slice(index) })
  return pieces.filter((piece) => piece.kind !== 'text' || piece.text !== '')
}

// Braces inside are counted, for ${yaml:{a: 1}}; when they do not balance, the first closing one it is.
function closingBrace(text: string, open: number): number {
  let depth = 0
  for (let index = open; index < text.length; index++) {
    if (text[index] === '{') depth++
    else if (text[index] === '}' && --depth === 0) return index
  }
  return text.indexOf('}', open)
}

export interface Request {
  /** `env` where none is written. */
  readonly scheme: string
  /** Environment variable, path or YAML text. */
  readonly target: string
  /** What `:-` gives for a variable that is not set; still unexpanded. */
  readonly fallback: string | undefined
}

/** What a reference asks for, nested references unexpanded. `${NAME:-text}` needs no `env:`. */
export function parseReference(body: string): Request {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.]*):(?!-)/.exec(body)?.[1]
  const rest = scheme === undefined ? body : body.slice(scheme.length + 1)
  if (scheme !== undefined && scheme !== 'env') return { scheme, target: rest, fallback: undefined }
  const cut = fallbackStart(rest)
  if (cut < 0) return { scheme: 'env', target: rest, fallback: undefined }
  return { scheme: 'env', target: rest.slice(0, cut), fallback: rest.slice(cut + 2) }
}

/** The first `:-` that is not inside a nested reference. */
function fallbackStart(text: string): number {
  let depth = 0
  for (let index = 0; index < text.length; index++) {
    if (text.startsWith('${', index)) depth++
    else if (text[index] === '}') depth--
    else if (depth === 0 && text.startsWith(':-', index)) return index
  }
  return -1
}

export function isVariableName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)
}
