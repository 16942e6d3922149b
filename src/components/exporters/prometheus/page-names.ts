/**
 * Under which names a page shows the families, so that no name on it is of two. The registry sees to that for names as
 * they are stored; escaping makes others of them, and there too the family that came first has the name.
 */
import { escapeName, type EscapingScheme } from '../../../kit/prometheus/escaping.ts'
import { sampleNames } from './family-registry.ts'
import type { PageFormat } from './page-format.ts'
import type { NameOwner } from './page-losses.ts'
import type { SeriesStore } from './series-store.ts'
import type { Family } from './series.ts'

export interface ShownNames {
  readonly name: string
  /** In OpenMetrics, of a counter or info, the name without its suffix; undefined where that is not free. */
  readonly base: string | undefined
  /** Whether there may be `_created` samples. */
  readonly hasCreated: boolean
}

/** A millisecond or two. */
const familiesAtOnce = 2048
const noPiece = new Uint8Array(0)

const flags = { base: 1, created: 2 } as const
const suffixes = { counter: '_total', info: '_info' } as const

export class PageNames {
  /** That of target_info. */
  readonly target: string
  /** In the order of the page. */
  readonly families: readonly Family[]
  readonly #store: SeriesStore
  readonly #scheme: EscapingScheme
  readonly #isOpenMetrics: boolean
  /** Of escaped sample names, and of target_info. */
  readonly #owners = new Map<string, NameOwner>()
  /** Of families whose name is another here; those that are left out have none. */
  readonly #escaped = new Map<Family, string>()
  /** Families whose name needs no escaping and is that of one that came before. */
  readonly #outranked = new Set<Family>()
  /** By place in `families`. */
  #flags = new Uint8Array(0)

  constructor(store: SeriesStore, { scheme, kind }: PageFormat) {
    this.#store = store
    this.#scheme = scheme
    this.#isOpenMetrics = kind === 'openmetrics'
    this.families = store.families.sorted()
    const { name } = store.targets
    this.target = escapeName(scheme, name, 'metric')
    this.#owners.set(this.target, { name, type: 'gauge' })
  }

  /**
   * Decides for all families before the first is written: names that are given back meanwhile stay those of families
   * on the page. Yields pauses.
   */
  *plan(): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#scheme !== 'allow-utf-8') {
      let untilPause = familiesAtOnce
      for (const family of this.#store.families.inOrder()) {
        if (!this.#isEscaped(family)) continue
        this.#claim(family)
        if (--untilPause > 0) continue
        untilPause = familiesAtOnce
        yield noPiece
      }
    }
    if (!this.#isOpenMetrics) return
    this.#flags = new Uint8Array(this.families.length)
    for (const [index, family] of this.families.entries()) {
      this.#flags[index] = this.#openMetricsFlags(family)
      if (index % familiesAtOnce === familiesAtOnce - 1) yield noPiece
    }
  }

  /** Undefined when the family is left out of the page. */
  of(index: number): ShownNames | undefined {
    const family = this.families[index]
    const name = this.#name(family)
    if (name === undefined) return undefined
    const own = this.#flags[index] ?? 0
    return {
      name,
      base: (own & flags.base) === 0 ? undefined : baseName(name, family.type),
      hasCreated: (own & flags.created) !== 0,
    }
  }

  /** Counts and says what is left out. */
  reportLoss(index: number): void {
    const family = this.families[index]
    const escaped = escapeName(this.#scheme, family.name, 'metric')
    for (const name of sampleNames(escaped, family.type)) {
      const owner = this.#owner(name)
      if (owner === undefined) continue
      this.#store.losses.family(family, { name, owner, scheme: this.#scheme })
      return
    }
  }

  #isEscaped(family: Family): boolean {
    if (this.#scheme === 'allow-utf-8') return false
    return this.#scheme === 'dots' || !family.isLegacy
  }

  #name(family: Family): string | undefined {
    if (this.#isEscaped(family)) return this.#escaped.get(family)
    return this.#outranked.has(family) ? undefined : family.name
  }

  #claim(family: Family): void {
    const escaped = escapeName(this.#scheme, family.name, 'metric')
    const names = sampleNames(escaped, family.type)
    const later = new Set<Family>()
    for (const name of names) {
      if (this.#owners.has(name)) return
      const unescaped = this.#unescapedOwner(name)
      if (unescaped === undefined) continue
      if (unescaped.order < family.order) return
      later.add(unescaped)
    }
    for (const one of later) this.#outranked.add(one)
    for (const name of names) this.#owners.set(name, family)
    this.#escaped.set(family, escaped)
  }

  /** Of a sample name on this page. */
  #owner(name: string): NameOwner | undefined {
    return this.#owners.get(name) ?? this.#unescapedOwner(name)
  }

  /** Names in the registry are those of the page but for dots, which change all. */
  #unescapedOwner(name: string): Family | undefined {
    if (this.#scheme === 'dots') return undefined
    const family = this.#store.families.owner(name)
    return family === undefined || this.#outranked.has(family) ? undefined : family
  }

  #isTaken(name: string): boolean {
    return this.#owner(name) !== undefined
  }

  /** Names without suffix and `_created` are nobody's unless a family's or another's without suffix. */
  #openMetricsFlags(family: Family): number {
    const { type } = family
    const name = this.#name(family)
    if (name === undefined || type === 'gauge' || type === 'unknown' || type === 'stateset')
      return 0
    if (type !== 'counter' && type !== 'info') return this.#createdFlag(name)
    const base = baseName(name, type)
    if (base === undefined || this.#isTaken(base)) return 0
    if (type === 'counter') return flags.base | this.#createdFlag(base)
    return this.#isTaken(`${base}_total`) ? 0 : flags.base
  }

  #createdFlag(base: string): number {
    const created = `${base}_created`
    const isTaken = ['', '_total', '_info'].some((suffix) => this.#isTaken(created + suffix))
    return isTaken ? 0 : flags.created
  }
}

function baseName(name: string, type: Family['type']): string | undefined {
  if (type !== 'counter' && type !== 'info') return undefined
  const suffix = suffixes[type]
  return name.endsWith(suffix) && name !== suffix ? name.slice(0, -suffix.length) : undefined
}
