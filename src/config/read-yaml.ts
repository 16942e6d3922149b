import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { Document, ParsedNode, YAMLMap } from 'yaml'
import { type Complaint, complain } from './complaint.ts'
import {
  type Located,
  type LocatedEntry,
  type Path,
  pathText,
  type Place,
  type SourceText,
} from './located.ts'
import { explainSyntax, tabAsIndent } from './yaml-syntax.ts'

const depthMax = 64
const nodeCountMax = 200_000
const syntaxComplaintsMax = 5
const tooManyNodes = `more than ${nodeCountMax} values, those that aliases repeat included, are too many`

export interface ReadYaml {
  /** Undefined when the text has errors, or nothing in it. */
  readonly value: Located | undefined
  readonly complaints: readonly Complaint[]
}

/** Reads one YAML document with its places. `fixed` replaces every place: for text that stands nowhere itself. */
export function readYaml(text: string, source: SourceText, fixed?: Place): ReadYaml {
  const lineCounter = new LineCounter()
  let document: Document.Parsed
  try {
    document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      merge: true,
      logLevel: 'error',
    })
  } catch (error) {
    // The parser recurses, so text nested some thousand levels deep exhausts the stack.
    const message = `cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`
    return { value: undefined, complaints: [complain({ place: wholeOf(source), message })] }
  }
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset)
    return fixed ?? { source, line, column: col }
  }
  if (document.errors.length > 0) {
    return { value: undefined, complaints: syntaxComplaints(document, text, placeAt) }
  }
  if (document.contents === null) return { value: undefined, complaints: [] }
  const reader = new Reader(document, placeAt)
  const value = reader.read(document.contents, [], new Set())
  return { value: reader.complaints.length > 0 ? undefined : value, complaints: reader.complaints }
}

export function wholeOf(source: SourceText): Place {
  return { source, line: 0, column: 0 }
}

// One mistake often derails the parser for the lines after it, so only the first few are worth reading.
function syntaxComplaints(
  document: Document.Parsed,
  text: string,
  placeAt: (offset: number) => Place,
): Complaint[] {
  const complaints = new Map<number, Complaint>()
  for (const error of document.errors) {
    const { offset, message } = explainSyntax(error, text, document)
    const place = placeAt(offset)
    if (!complaints.has(place.line)) complaints.set(place.line, complain({ place, message }))
  }
  const all = [...complaints.values()]
  // After a tab nothing has the depth it should have, however well it is indented.
  const tabs = all.filter(({ message }) => message === tabAsIndent)
  return (tabs.length > 0 ? tabs : all).slice(0, syntaxComplaintsMax)
}

class Reader {
  readonly complaints: Complaint[] = []
  readonly #document: Document.Parsed
  readonly #placeAt: (offset: number) => Place
  #nodeCount = 0

  constructor(document: Document.Parsed, placeAt: (offset: number) => Place) {
    this.#document = document
    this.#placeAt = placeAt
  }

  read(node: ParsedNode | null, path: Path, within: ReadonlySet<unknown>): Located {
    const place = this.#placeAt(node?.range[0] ?? 0)
    const nothing: Located = { kind: 'scalar', place, value: null }
    if (node === null) return nothing
    this.#nodeCount++
    if (this.#nodeCount > nodeCountMax) return this.#once(place, tooManyNodes)
    if (within.size > depthMax || within.has(node)) {
      return this.#once(place, `is nested more than ${depthMax} levels deep`, path)
    }
    if (isAlias(node)) return this.#alias(node, path, within)
    const inner = new Set(within).add(node)
    if (isSeq(node)) {
      const items = node.items.map((item, index) =>
        this.read(item as ParsedNode | null, [...path, index], inner),
      )
      return { kind: 'list', place, items }
    }
    if (isMap(node)) return this.#map(node, path, inner)
    if (!isScalar(node)) return nothing
    return { kind: 'scalar', place, value: scalar(node.value, node.source) }
  }

  #alias(node: ParsedNode & { source: string }, path: Path, within: ReadonlySet<unknown>): Located {
    const place = this.#placeAt(node.range[0])
    const target = isAlias(node) ? node.resolve(this.#document) : undefined
    if (target === undefined) return this.#once(place, `*${node.source} names no anchor above it`)
    return this.read(target as ParsedNode, path, new Set(within).add(node))
  }

  #map(node: YAMLMap, path: Path, within: ReadonlySet<unknown>): Located {
    const entries = new Map<string, LocatedEntry>()
    const merged: Located[] = []
    for (const pair of node.items) {
      const key = pair.key as ParsedNode
      const place = this.#placeAt(key?.range?.[0] ?? 0)
      const value = pair.value as ParsedNode | null
      if (isMergeKey(key)) {
        merged.push(this.read(value, path, within))
        continue
      }
      const name = keyText(key)
      if (name === undefined) {
        this.complaints.push(complain({ place, path, message: 'has a key that is not plain text' }))
        continue
      }
      const first = entries.get(name)
      if (first !== undefined) {
        const message = `is set twice; the first is on line ${first.place.line}`
        this.complaints.push(complain({ place, path: [...path, name], message }))
        continue
      }
      const read = value === null ? nothingAt(place) : this.read(value, [...path, name], within)
      entries.set(name, { place, value: read })
    }
    for (const each of merged) mergeUnder(entries, each)
    return { kind: 'map', place: this.#placeAt(node.range![0]), entries }
  }

  #once(place: Place, message: string, path: Path = []): Located {
    const text = pathText(path)
    const isKnown = this.complaints.some((known) => known.message === message)
    if (!isKnown) this.complaints.push(complain({ place, path: text === '' ? [] : path, message }))
    return nothingAt(place)
  }
}

function nothingAt(place: Place): Located {
  return { kind: 'scalar', place, value: null }
}

/** `<<: *base`: what is written beside it wins. */
function mergeUnder(entries: Map<string, LocatedEntry>, base: Located): void {
  if (base.kind === 'list') for (const item of base.items) mergeUnder(entries, item)
  if (base.kind !== 'map') return
  for (const [key, entry] of base.entries) if (!entries.has(key)) entries.set(key, entry)
}

function isMergeKey(key: ParsedNode | null): boolean {
  return isScalar(key) && key.source === '<<' && key.type === 'PLAIN'
}

function keyText(key: ParsedNode | null): string | undefined {
  if (!isScalar(key)) return undefined
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
}

function scalar(value: unknown, source: string | undefined): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  return typeof value === 'number' ? value : (source ?? '')
}
