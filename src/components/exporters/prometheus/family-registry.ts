/** The families on the page, and who may use which name. A name belongs to one family: the first wins. */
import { isLegacyMetricName } from '../../../kit/prometheus/escaping.ts'
import {
  type FamilyIdentity,
  familyIdentity,
  type PrometheusType,
} from '../../../kit/prometheus/family-identity.ts'
import type { MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import { describeSource } from '../../../kit/prometheus/metric-source.ts'
import type { Counter } from '../../../pipeline/meter.ts'
import type { Logger } from '../../../pipeline/host.ts'
import type { BlockList } from './block-list.ts'
import { FamilySeries } from './family-series.ts'
import type { SeriesCursor } from './series-cursor.ts'
import type { Family, Metric, Verdict } from './series.ts'

interface RegistryOptions {
  readonly naming: MetricNaming
  /** Names that no metric may take. */
  readonly reserved: ReadonlySet<string>
  readonly log: Logger
  /** Where the families keep their series. */
  readonly blocks: BlockList
  /** Counts values that no counter of OpenMetrics may have. */
  readonly oddTotals: Counter
  /** Counts metrics that met a family of another type, another help or another unit. */
  readonly conflicts: { readonly type: Counter; readonly help: Counter; readonly unit: Counter }
}

/** As measured: objects, a block of rows of its own, entries by name. */
const familyBytes = 1900

export class FamilyRegistry {
  readonly #options: RegistryOptions
  readonly #families = new Map<string, Family>()
  /** Sample names, such as `x_bucket` of a histogram x, to the family that writes them. */
  readonly #claims = new Map<string, Family>()
  /** In order of name; undefined after a change. */
  #sorted: readonly Family[] | undefined
  #nextOrder = 0

  constructor(options: RegistryOptions) {
    this.#options = options
  }

  get count(): number {
    return this.#families.size
  }

  /** What they take beside their series and metrics; an estimate. */
  get keptBytes(): number {
    return this.#families.size * familyBytes
  }

  /** The family that writes samples of a name, or is called so. */
  owner(name: string): Family | undefined {
    return this.#claims.get(name)
  }

  /** In the order in which they came. */
  inOrder(): Iterable<Family> {
    return this.#families.values()
  }

  sorted(): readonly Family[] {
    this.#sorted ??= [...this.#families.values()].sort((left, right) =>
      left.name < right.name ? -1 : 1,
    )
    return this.#sorted
  }

  /** Which family a metric belongs to, made if it is the first; or why it belongs to none. */
  judge(metric: Metric): Verdict {
    const known = metric.family
    if (known !== undefined && (known.family ?? known.blocker)?.isGone !== true) return known
    const verdict = this.#judge(metric)
    metric.family = verdict
    return verdict
  }

  /** A counter has taken a value below 0 or NaN. From then on OpenMetrics shows its family as unknown. */
  noteOddTotal(series: SeriesCursor): void {
    this.#options.oddTotals.add(1)
    const family = series.metric.family!.family!
    if (family.hasOddTotal) return
    family.hasOddTotal = true
    this.#options.log.warn(
      { family: family.name, series: series.describe(), value: String(series.value) },
      `${describeSource(series.metric)} is monotonic and has the value ${series.value}: ` +
        `OpenMetrics shows ${family.name} as unknown, since no counter may have that`,
    )
  }

  /** Forgets families without series. */
  sweep(): void {
    for (const family of this.#families.values()) {
      if (family.series.count > 0) continue
      family.isGone = true
      this.#families.delete(family.name)
      for (const name of sampleNames(family.name, family.type)) this.#claims.delete(name)
      this.#sorted = undefined
    }
  }

  #judge(metric: Metric): Verdict {
    const identity = familyIdentity(this.#options.naming, metric)
    if (typeof identity === 'string') return droppedFor(identity)
    const { name, type } = identity
    if (this.#options.reserved.has(name)) return droppedFor('reserved_name')
    const family = this.#families.get(name)
    if (family?.type === type) {
      this.#compareHelp(family, metric)
      this.#compareUnit(family, identity.unit, metric)
      return { family, cause: '' }
    }
    const blocker = family ?? this.#blocker(name, type)
    if (blocker !== undefined) return this.#conflict(blocker, metric, name, type)
    return { family: this.#add(identity, metric), cause: '' }
  }

  #add(identity: FamilyIdentity, metric: Metric): Family {
    const { name, type } = identity
    const family: Family = {
      ...identity,
      order: this.#nextOrder++,
      isLegacy: isLegacyMetricName(name),
      help: metric.help,
      series: new FamilySeries(this.#options.blocks),
      isGone: false,
      hasOddTotal: false,
      hasLoggedConflict: false,
      hasLoggedHelp: false,
      hasLoggedUnit: false,
      hasLoggedEscapedName: false,
      hasLoggedEscapedLabels: false,
    }
    this.#families.set(name, family)
    for (const sample of sampleNames(name, type)) this.#claims.set(sample, family)
    this.#sorted = undefined
    return family
  }

  #blocker(name: string, type: PrometheusType): Family | undefined {
    for (const sample of sampleNames(name, type)) {
      const family = this.#claims.get(sample)
      if (family !== undefined) return family
    }
    return this.#claims.get(name)
  }

  #conflict(blocker: Family, metric: Metric, name: string, type: PrometheusType): Verdict {
    this.#options.conflicts.type.add(1)
    if (!blocker.hasLoggedConflict) {
      blocker.hasLoggedConflict = true
      this.#options.log.warn(
        { family: blocker.name, type: blocker.type, dropped: name, dropped_type: type },
        `${describeSource(metric)} is not exposed: ${type} ${name} would share a name with ` +
          `${blocker.type} ${blocker.name}, which came first`,
      )
    }
    return { family: undefined, cause: 'type_conflict', blocker }
  }

  #compareHelp(family: Family, metric: Metric): void {
    // One without any says nothing else.
    if (family.help === metric.help || metric.help === '') return
    this.#options.conflicts.help.add(1)
    if (family.hasLoggedHelp) return
    family.hasLoggedHelp = true
    this.#options.log.info(
      { family: family.name, kept: family.help, other: metric.help },
      `${describeSource(metric)} has another description: the first one is kept`,
    )
  }

  /** Only where the name does not say the unit. */
  #compareUnit(family: Family, unit: string, metric: Metric): void {
    if (family.unit === unit) return
    this.#options.conflicts.unit.add(1)
    if (family.hasLoggedUnit) return
    family.hasLoggedUnit = true
    this.#options.log.warn(
      { family: family.name, kept: family.unit, other: unit },
      `${describeSource(metric)} has another unit: the first one is kept`,
    )
  }
}

function droppedFor(cause: string): Verdict {
  return { family: undefined, cause }
}

/** The family's name, and those of the samples that it writes in any format. */
export function sampleNames(name: string, type: PrometheusType): readonly string[] {
  if (type === 'histogram') return [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]
  return type === 'summary' ? [name, `${name}_sum`, `${name}_count`] : [name]
}
