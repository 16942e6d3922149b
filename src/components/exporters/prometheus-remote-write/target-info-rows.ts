import type { Label } from '../../../kit/prometheus/labels.ts'
import { metricName, type MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import type { ResourceSource } from '../../../kit/prometheus/metric-source.ts'
import type { LabelPool } from './label-pool.ts'
import { metricTypes } from '../../../kit/prometheus/family-identity.ts'
import { Family, type Row, type RowOwner } from './row.ts'
import { withLabel } from './row-maker.ts'
import type { RowOwners } from './row-owners.ts'
import type { SampleList } from './sample-list.ts'

interface InfoOptions {
  readonly naming: MetricNaming
  readonly shardCount: number
  readonly pool: LabelPool
  readonly owners: RowOwners
}

class Info implements RowOwner {
  readonly shard: number
  isGone = false
  hasLoggedRejection = false
  newestMs = -1
  committedMs = -1
  receivedMs = 0
  readonly row: Row

  constructor(family: Family, labels: number, shard: number) {
    this.shard = shard
    this.row = { owner: this, family, labels }
  }
}

/** target_info: one sample at the newest time of a resource's points, where it is later than the last one. */
export class TargetInfoRows {
  readonly #family: Family
  readonly #shardCount: number
  readonly #pool: LabelPool
  readonly #owners: RowOwners
  readonly #infos = new Map<string, Info>()
  /** By the labels of a resource that was seen before. */
  readonly #known = new WeakMap<readonly Label[], Info>()

  constructor({ naming, shardCount, pool, owners }: InfoOptions) {
    this.#shardCount = shardCount
    this.#pool = pool
    this.#owners = owners
    const named = { name: 'target_info', unit: '', kind: 'other' } as const
    this.#family = new Family({
      name: metricName(naming, named) ?? 'target_info',
      type: metricTypes.gauge,
      help: 'Target metadata',
      unit: '',
    })
  }

  /** No other metric may have it. */
  get name(): string {
    return this.#family.name
  }

  see(resource: ResourceSource, nowMs: number, newestMs: number, stage: SampleList): void {
    const { info: labels } = resource.labels
    if (labels === undefined || newestMs < 0) return
    let info = this.#known.get(labels)
    if (info === undefined || info.isGone) info = this.#find(labels)
    info.receivedMs = nowMs
    if (newestMs <= info.newestMs) return
    info.committedMs = info.newestMs
    info.newestMs = newestMs
    stage.push(info.row, 1, newestMs, 0)
  }

  #find(labels: readonly Label[]): Info {
    const key = labels.map(({ name, value }) => `${name}=${JSON.stringify(value)}`).join(',')
    let info = this.#infos.get(key)
    if (info === undefined) {
      const set = this.#pool.take(withLabel(labels, '__name__', this.#family.name))
      info = new Info(this.#family, set, this.#pool.shard([set], this.#shardCount))
      info.newestMs = this.#owners.endMs(set)
      this.#infos.set(key, info)
    }
    this.#known.set(labels, info)
    return info
  }

  sweep(beforeMs: number): void {
    for (const [key, info] of this.#infos) {
      if (info.receivedMs >= beforeMs) continue
      this.#infos.delete(key)
      info.isGone = true
      this.#owners.letGo([info.row], info.newestMs)
    }
  }
}
