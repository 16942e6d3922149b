/** Configuration values that know where they were written. Immutable: merging and expanding make new trees. */

export interface SourceText {
  /** What complaints call it: a path as given, `env:NAME`, `yaml:`, or `--set a.b`. */
  readonly name: string
  /** Empty where a line would tell nothing, as with --set. */
  readonly lines: readonly string[]
}

export interface Place {
  readonly source: SourceText
  /** Both count from 1; 0 means the source as a whole. */
  readonly line: number
  readonly column: number
}

export type Scalar = string | number | boolean | null

/** What a whole-value reference such as `${env:PORT}` left behind beside the value it was read as. */
export interface ReferenceTrace {
  /** As written, such as `${env:PORT}`. */
  readonly written: string
  /** The text it stands for, before it was read as YAML: what a text setting gets. */
  readonly text: string
  /** Why the value is empty, as a clause; undefined when there is nothing to say. */
  readonly note?: string
  /** The text may be a secret and never prints. */
  readonly isPrivate: boolean
}

export interface LocatedScalar {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: Scalar
  readonly reference?: ReferenceTrace
}

export interface LocatedList {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly Located[]
}

export interface LocatedEntry {
  /** Where the key stands. */
  readonly place: Place
  readonly value: Located
}

export interface LocatedMap {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, LocatedEntry>
}

export type Located = LocatedScalar | LocatedList | LocatedMap

export type Path = readonly (string | number)[]

export type Plain = Scalar | Plain[] | { [key: string]: Plain }

/** The value without its places, as a schema wants it. */
export function toPlain(located: Located): Plain {
  if (located.kind === 'scalar') return located.value
  if (located.kind === 'list') return located.items.map(toPlain)
  const plain: { [key: string]: Plain } = {}
  for (const [key, entry] of located.entries) setOwn(plain, key, toPlain(entry.value))
  return plain
}

/** An own property even where the key is `__proto__`. */
export function setOwn(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  })
}

/** The value at a path, or undefined when nothing is written there. */
export function locate(root: Located, path: Path): Located | undefined {
  let at: Located | undefined = root
  for (const step of path) at = at && child(at, step)?.value
  return at
}

/** Where the value of a path stands, or else the key of the nearest ancestor that is written. */
export function placeOf(root: Located, path: Path): Place {
  const { reached, entry, at } = descend(root, path)
  if (reached === path.length) return valuePlace(at, entry)
  return entry?.place ?? at.place
}

/** Where the key of a path stands, or else that of its nearest ancestor that is written. */
export function keyPlaceOf(root: Located, path: Path): Place {
  const { entry, at } = descend(root, path)
  return entry?.place ?? at.place
}

/** Sections and empty values are shown by their key, since their own text begins below it or nowhere. */
function valuePlace(at: Located, entry: LocatedEntry | undefined): Place {
  const isEmpty = at.kind === 'scalar' && at.value === null && at.reference === undefined
  return (at.kind !== 'scalar' || isEmpty) && entry !== undefined ? entry.place : at.place
}

function descend(root: Located, path: Path) {
  let at: Located = root
  let entry: LocatedEntry | undefined
  let reached = 0
  for (const step of path) {
    const next: LocatedEntry | undefined = child(at, step)
    if (next === undefined) break
    entry = next
    at = next.value
    reached++
  }
  return { at, entry, reached }
}

function child(at: Located, step: string | number): LocatedEntry | undefined {
  if (at.kind === 'map') return at.entries.get(String(step))
  const item = at.kind === 'list' ? at.items[Number(step)] : undefined
  return item && { place: item.place, value: item }
}

/** `service.pipelines.traces.receivers[0]`. */
export function pathText(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
