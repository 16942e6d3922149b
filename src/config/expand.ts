import type { Disk, Env } from '../platform/platform.ts'
import { type Complaint, complain } from './complaint.ts'
import {
  type Located,
  type LocatedEntry,
  type LocatedScalar,
  type Path,
  type Place,
} from './located.ts'
import { readYaml } from './read-yaml.ts'
import { cutReferences, isVariableName, parseReference, type Piece } from './reference.ts'
import { isSecretName } from './secret-names.ts'

const referencesMax = 10_000
const textLengthMax = 16 * 1024 * 1024

/** Replaces every `${...}` in the values of a tree, keys never. */
export function expandLocated(
  root: Located,
  env: Env,
  disk: Disk,
): { value: Located; complaints: readonly Complaint[] } {
  const expander = new Expander(env, disk)
  const value = expander.expand(root, { path: [], chain: [], isRetrieved: false })
  return { value, complaints: expander.complaints }
}

interface Context {
  readonly path: Path
  /** The references being resolved, outermost first. */
  readonly chain: readonly string[]
  readonly isRetrieved: boolean
  /** More than the reference stands in the value. */
  readonly isInText?: boolean
}

interface Retrieved {
  readonly text: string
  readonly isPrivate: boolean
  readonly note?: string
  /** The name to show for lines of the text, when it is a file. */
  readonly file?: string
}

class Expander {
  readonly complaints: Complaint[] = []
  readonly #env: Env
  readonly #disk: Disk
  #referenceCount = 0
  #textLength = 0

  constructor(env: Env, disk: Disk) {
    this.#env = env
    this.#disk = disk
  }

  expand(located: Located, context: Context): Located {
    if (located.kind === 'scalar') return this.#scalar(located, context)
    if (located.kind === 'list') {
      const items = located.items.map((item, index) =>
        this.expand(item, { ...context, path: [...context.path, index] }),
      )
      return { ...located, items }
    }
    const entries = new Map<string, LocatedEntry>()
    for (const [key, entry] of located.entries) {
      const value = this.expand(entry.value, { ...context, path: [...context.path, key] })
      entries.set(key, { place: entry.place, value })
    }
    return { ...located, entries }
  }

  #scalar(node: LocatedScalar, context: Context): Located {
    if (typeof node.value !== 'string' || !node.value.includes('$')) return node
    const pieces = cutReferences(node.value, context.isRetrieved)
    const [first] = pieces
    if (pieces.length === 1 && first.kind === 'reference') {
      if (!context.isRetrieved || isKnownReference(first.body)) {
        return this.#whole(node, first, context)
      }
    }
    const joined = this.#join(pieces, node.place, context)
    if (!joined.hasReference) return { ...node, value: joined.text }
    const { hasReference: _, ...trace } = joined
    const reference = { written: node.value, ...trace }
    return { ...node, value: joined.text, reference }
  }

  /** A value that is one reference and nothing else takes the type its text has as YAML. */
  #whole(node: LocatedScalar, piece: Piece & { kind: 'reference' }, context: Context): Located {
    const place = within(node.place, piece.written)
    const nothing: LocatedScalar = { kind: 'scalar', place, value: null }
    const retrieved = this.#retrieve(piece, place, context)
    if (retrieved === undefined) return { ...nothing, reference: traceOf(piece, emptyText) }
    const inner = { ...context, chain: [...context.chain, piece.written] }
    const source = retrieved.file && { name: retrieved.file, lines: retrieved.text.split('\n') }
    const read = readYaml(retrieved.text, source || place.source, source ? undefined : place)
    if (read.value !== undefined && read.value.kind !== 'scalar') {
      return this.expand(read.value, { ...inner, isRetrieved: false })
    }
    const isText = read.complaints.length > 0 || typeof read.value?.value === 'string'
    const value = isText ? retrieved.text : (read.value?.value ?? null)
    const reference = traceOf(piece, retrieved)
    const expanded = this.expand({ kind: 'scalar', place, value }, { ...inner, isRetrieved: true })
    if (expanded.kind !== 'scalar') return expanded
    const isPrivate = reference.isPrivate || expanded.reference?.isPrivate === true
    const text = typeof expanded.value === 'string' ? expanded.value : reference.text
    return { ...expanded, reference: { ...reference, ...expanded.reference, text, isPrivate } }
  }

  #join(pieces: readonly Piece[], place: Place, context: Context) {
    let text = ''
    let isPrivate = false
    let hasReference = false
    let note: string | undefined
    for (const piece of pieces) {
      if (piece.kind !== 'reference') {
        text += piece.text
        if (piece.kind === 'open' && !context.isRetrieved) this.#warnOpen(place, context.path)
        continue
      }
      if (context.isRetrieved && !isKnownReference(piece.body)) {
        text += piece.written
        continue
      }
      hasReference = true
      const inline = this.#inline(piece, place, context)
      text += inline.text
      isPrivate ||= inline.isPrivate
      note ??= inline.note
    }
    return { text, isPrivate, hasReference, ...(note !== undefined && { note }) }
  }

  #inline(piece: Piece & { kind: 'reference' }, place: Place, context: Context): Retrieved {
    const at = within(place, piece.written)
    const retrieved = this.#retrieve(piece, at, { ...context, isInText: true })
    if (retrieved === undefined) return emptyText
    const read = readYaml(retrieved.text, at.source, at)
    if (read.value !== undefined && read.value.kind !== 'scalar') {
      const kind = read.value.kind === 'map' ? 'a section' : 'a list'
      this.#error(
        at,
        context.path,
        `has ${piece.written}, which is ${kind} and cannot stand inside text`,
      )
      return emptyText
    }
    const inner = { ...context, chain: [...context.chain, piece.written], isRetrieved: true }
    const joined = this.#join(cutReferences(retrieved.text, true), at, inner)
    const isPrivate = joined.isPrivate || retrieved.isPrivate
    return { ...retrieved, ...joined, isPrivate }
  }

  #retrieve(
    piece: Piece & { kind: 'reference' },
    place: Place,
    context: Context,
  ): Retrieved | undefined {
    const { chain, path } = context
    if (chain.includes(piece.written)) {
      const circle = [...chain.slice(chain.indexOf(piece.written)), piece.written].join(' → ')
      this.#error(place, path, `refers to itself: ${circle}`)
      return undefined
    }
    this.#referenceCount++
    if (this.#referenceCount > referencesMax || this.#textLength > textLengthMax) {
      const message = 'has too many references that lead to further references'
      if (this.#referenceCount <= referencesMax + 1) this.#error(place, path, message)
      this.#referenceCount = referencesMax + 1
      return undefined
    }
    const { scheme, target, fallback } = parseReference(piece.body)
    const inner = { ...context, chain: [...chain, piece.written] }
    const name = this.#join(cutReferences(target, context.isRetrieved), place, inner).text
    const retrieved = this.#fetch(scheme, name, { written: piece.written, place, path })
    if (retrieved === 'unset') {
      if (fallback !== undefined) {
        const { text, isPrivate } = this.#join(cutReferences(fallback, false), place, inner)
        return { text, isPrivate: isPrivate || isSecretName(name) }
      }
      return this.#unset(name, place, context)
    }
    this.#textLength += retrieved?.text.length ?? 0
    return retrieved
  }

  #fetch(
    scheme: string,
    target: string,
    at: { written: string; place: Place; path: Path },
  ): Retrieved | 'unset' | undefined {
    if (scheme === 'yaml') return { text: target, isPrivate: false }
    if (scheme === 'file') return this.#file(target, at.place, at.path)
    if (scheme !== 'env') {
      const isWeb = scheme === 'http' || scheme === 'https'
      const why = isWeb
        ? `${scheme}: sources are not supported yet`
        : `${scheme}: is not a source that can be read; known are env:, file: and yaml:`
      this.#error(at.place, at.path, `has ${at.written}, but ${why}`)
      return undefined
    }
    if (!isVariableName(target)) {
      const why =
        target === ''
          ? 'which names nothing'
          : `but ${target} is no name of a variable: letters, digits and _, no digit first`
      this.#error(at.place, at.path, `has ${at.written}, ${why}`)
      return undefined
    }
    // Own properties only, so that ${toString} is not found.
    const text = Object.hasOwn(this.#env, target) ? this.#env[target] : undefined
    return text === undefined ? 'unset' : { text, isPrivate: isSecretName(target) }
  }

  #file(path: string, place: Place, at: Path): Retrieved | undefined {
    try {
      const text = new TextDecoder().decode(this.#disk.readFile(path))
      // One line break ends the file, not the value: a token read from a file would otherwise break its header.
      return { text: text.replace(/\r?\n$/, ''), isPrivate: true, file: path }
    } catch (error) {
      this.#error(place, at, `refers to ${path}, which cannot be read: ${whyUnreadable(error)}`)
      return undefined
    }
  }

  #unset(name: string, place: Place, { path, isInText }: Context): Retrieved {
    const note = `environment variable ${name} is not set`
    const advice = `write \${env:${name}:-default} to give it a default`
    const state = isInText ? `has nothing for \${env:${name}}` : 'is empty'
    const message = `${state} because ${note}; ${advice}`
    this.complaints.push(complain({ severity: 'warning', place, path, message }))
    return { text: '', isPrivate: false, note }
  }

  #warnOpen(place: Place, path: Path): void {
    const message = 'has ${ without a closing brace, kept as text; write $${ if that is meant'
    this.complaints.push(complain({ severity: 'warning', place, path, message }))
  }

  #error(place: Place, path: Path, message: string): void {
    this.complaints.push(complain({ place, path, message }))
  }
}

const emptyText: Retrieved = { text: '', isPrivate: false }

/** Why a file could not be read, without its path. */
export function whyUnreadable(error: unknown): string {
  const code = (error as { code?: unknown }).code
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'it is a folder'
  return error instanceof Error ? error.message : String(error)
}

function traceOf(piece: Piece & { kind: 'reference' }, { text, isPrivate, note }: Retrieved) {
  return { written: piece.written, text, isPrivate, ...(note !== undefined && { note }) }
}

// Outside text such as a password may hold ${ by chance; only what is surely a reference is followed there.
function isKnownReference(body: string): boolean {
  return /^((env|file|yaml):.|[a-zA-Z_][a-zA-Z0-9_]*(:-|$))/.test(body)
}

/** The reference inside the line of its value, when it is found there. */
function within(place: Place, written: string): Place {
  const line = place.source.lines[place.line - 1]
  const found = line?.indexOf(written, place.column - 1) ?? -1
  return found < 0 ? place : { ...place, column: found + 1 }
}
