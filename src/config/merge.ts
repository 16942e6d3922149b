import type { Located, LocatedEntry } from './located.ts'

/**
 * A later source over an earlier one: maps join, scalars and lists replace, and so does an explicit null. A section that
 * both have keeps its first place.
 */
export function mergeLocated(base: Located, over: Located): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map<string, LocatedEntry>(base.entries)
  for (const [key, entry] of over.entries) {
    const known = entries.get(key)
    entries.set(key, known === undefined ? entry : mergeEntry(known, entry))
  }
  return { kind: 'map', place: base.place, entries }
}

function mergeEntry(known: LocatedEntry, over: LocatedEntry): LocatedEntry {
  const { place } = isSection(known.value) && over.value.kind === 'map' ? known : over
  return { place, value: mergeLocated(known.value, over.value) }
}

/** Also one left empty, which means its defaults. */
function isSection(located: Located): boolean {
  return located.kind === 'map' || (located.kind === 'scalar' && located.value === null)
}

/** `a::b: v` written as one key means `a: {b: v}`, in every source, as in the Collector. */
export function unflatten(located: Located): Located {
  if (located.kind === 'list') return { ...located, items: located.items.map(unflatten) }
  if (located.kind === 'scalar') return located
  const entries = new Map<string, LocatedEntry>()
  for (const [key, { place, value: written }] of located.entries) {
    const steps = key.split('::')
    const isPath = steps.length > 1 && !steps.includes('')
    const [first, ...rest] = isPath ? steps : [key]
    const value = nest(rest, { place, value: unflatten(written) })
    const known = entries.get(first)
    const entry = { place, value }
    entries.set(first, known === undefined ? entry : mergeEntry(known, entry))
  }
  return { ...located, entries }
}

/** The entry under a chain of keys, all standing where it stands. */
export function nest(steps: readonly string[], entry: LocatedEntry): Located {
  return steps.reduceRight<Located>(
    (value, step) => ({
      kind: 'map',
      place: entry.place,
      entries: new Map([[step, { place: entry.place, value }]]),
    }),
    entry.value,
  )
}
