import { metricName, type MetricNaming } from '../../../kit/prometheus/metric-name.ts'
import { compareNanos } from '../../../kit/prometheus/nanos.ts'
import type { ResourceSource } from '../../../kit/prometheus/metric-source.ts'
import { flatText, labelText, type LabelText } from './label-text.ts'

export interface TargetInfo {
  readonly labels: LabelText
  readonly resource: ResourceSource
  receivedMs: number
  timeLow: number
  timeHigh: number
}

/** What is known of when the points just taken were made, and whether there were any. */
interface Newest {
  readonly newestLow: number
  readonly newestHigh: number
  readonly hasTaken: boolean
  forgetNewest(): void
}

/** The target_info of every job and instance: the newest resource wins. */
export class TargetInfos {
  readonly name: string
  readonly #infos = new Map<string, TargetInfo>()

  constructor(naming: MetricNaming) {
    this.name =
      metricName(naming, { name: 'target_info', unit: '', kind: 'other' }) ?? 'target_info'
  }

  get count(): number {
    return this.#infos.size
  }

  values(): Iterable<TargetInfo> {
    return this.#infos.values()
  }

  /** After the points of a resource: its info is due, if it has any. */
  see(resource: ResourceSource, nowMs: number, newest: Newest): void {
    const { info, targetKey } = resource.labels
    const { hasTaken, newestLow, newestHigh } = newest
    newest.forgetNewest()
    if (info === undefined || !hasTaken) return
    let known = this.#infos.get(targetKey)
    if (known?.resource !== resource) {
      const { text, hasQuoted } = labelText(info)
      const labels = { text: flatText(text), hasQuoted }
      const { timeLow, timeHigh } = known ?? { timeLow: 0, timeHigh: 0 }
      known = { labels, resource, receivedMs: 0, timeLow, timeHigh }
      this.#infos.set(targetKey, known)
    }
    known.receivedMs = nowMs
    // A sample older than the one before it would be refused by who scrapes.
    if (compareNanos(newestLow, newestHigh, known.timeLow, known.timeHigh) <= 0) return
    known.timeLow = newestLow
    known.timeHigh = newestHigh
  }

  sweep(beforeMs: number): void {
    for (const [key, info] of this.#infos) if (info.receivedMs < beforeMs) this.#infos.delete(key)
  }
}
