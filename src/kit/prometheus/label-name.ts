/** Attribute keys as Prometheus label names. */

export interface LabelNaming {
  /** Reduce to [a-zA-Z0-9_]; off, any name is kept. */
  readonly escape: boolean
}

/** What the Collector does unless told otherwise: runs of underscores and single ones in front stay. */
export const collectorLabelNaming: LabelNaming = { escape: true }

/** What was made of keys already: a fleet has few of them and a series has many. */
const known = new WeakMap<LabelNaming, Map<string, string>>()
const knownMax = 10_000
/** Longer keys are none that come again and again, and could fill the memory. */
const knownLengthMax = 200

/** The label name, or undefined when nothing but underscores is left: such a label is dropped. */
export function labelName(naming: LabelNaming, key: string): string | undefined {
  let names = known.get(naming)
  if (names === undefined) known.set(naming, (names = new Map()))
  const found = names.get(key)
  if (found !== undefined) return found
  const name = newName(naming, key)
  if (name === undefined) return undefined
  if (key.length > knownLengthMax) return name
  if (names.size >= knownMax) names.clear()
  names.set(key, name)
  return name
}

function newName(naming: LabelNaming, key: string): string | undefined {
  if (!naming.escape) return onlyUnderscores.test(key) ? undefined : key
  // Nearly every key passes here or needs its dots replaced only.
  if (plainKey.test(key)) return key
  const name = key.replace(/[^A-Za-z0-9_]/gu, '_')
  if (onlyUnderscores.test(name)) return undefined
  return /^[0-9]/.test(name) ? `key_${name}` : name
}

const onlyUnderscores = /^_*$/
const plainKey = /^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$/
