import { metricName, type MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import type { ResourceSource } from '../../../kit/prometheus/metric-source.ts'
import { hashText } from './hash-text.ts'
import { metricTypes } from '../../../kit/prometheus/family-identity.ts'
import { Family, type Row, type RowOwner } from './row.ts'
import type { RowMaker } from './row-maker.ts'
import type { SampleList } from './sample-list.ts'

interface InfoOptions {
  readonly naming: MetricNaming
  readonly shardCount: number
}

class Info implements RowOwner {
  readonly shard: number
  isGone = false
  hasLoggedRejection = false
  newestMs = -1
  committedMs = -1
  receivedMs = 0
  row: Row | undefined

  constructor(shard: number) {
    this.shard = shard
  }
}

/** target_info: one sample at the newest time of a resource's points, where it is later than the last one. */
export class TargetInfoRows {
  readonly #family: Family
  readonly #shardCount: number
  readonly #rows: RowMaker
  readonly #infos = new Map<string, Info>()

  constructor({ naming, shardCount }: InfoOptions, rows: RowMaker) {
    this.#shardCount = shardCount
    this.#rows = rows
    const named = { name: 'target_info', unit: '', kind: 'other' } as const
    this.#family = new Family({
      name: metricName(naming, named) ?? 'target_info',
      type: metricTypes.gauge,
      help: 'Target metadata',
      unit: '',
    })
  }

  see(resource: ResourceSource, nowMs: number, newestMs: number, stage: SampleList): void {
    const { info: labels } = resource.labels
    if (labels === undefined || newestMs < 0) return
    const key = labels.map(({ name, value }) => `${name}=${JSON.stringify(value)}`).join(',')
    let info = this.#infos.get(key)
    if (info === undefined) {
      info = new Info((hashText(key) >>> 0) % this.#shardCount)
      const all = [...labels, { name: '__name__', value: this.#family.name }]
      info.row = this.#rows.named(info, this.#family, all)
      this.#infos.set(key, info)
    }
    info.receivedMs = nowMs
    if (newestMs <= info.newestMs) return
    info.committedMs = info.newestMs
    info.newestMs = newestMs
    stage.push(info.row!, 1, newestMs, 0)
  }

  sweep(beforeMs: number): void {
    for (const [key, info] of this.#infos) {
      if (info.receivedMs >= beforeMs) continue
      this.#infos.delete(key)
      this.#rows.retire(info, [info.row!])
    }
  }
}
