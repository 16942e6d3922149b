import type { Located, LocatedEntry } from './located.ts'

/** A later source over an earlier one: maps join, scalars and lists replace, and so does an explicit null. */
export function mergeLocated(base: Located, over: Located): Located {
  if (base.kind !== 'map' || over.kind !== 'map') return over
  const entries = new Map<string, LocatedEntry>(base.entries)
  for (const [key, entry] of over.entries) {
    const known = entries.get(key)
    const value = known === undefined ? entry.value : mergeLocated(known.value, entry.value)
    entries.set(key, { place: entry.place, value })
  }
  return { kind: 'map', place: base.place, entries }
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
    entries.set(first, {
      place,
      value: known === undefined ? value : mergeLocated(known.value, value),
    })
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
