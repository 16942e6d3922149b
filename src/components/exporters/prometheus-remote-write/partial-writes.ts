/** What a 2.0 server says of the samples that it left out of a request: by cause, and once for each series. */
import type { ExporterHost } from '../../../pipeline/host.ts'
import { seriesText } from './named-series.ts'
import { rejectionCause } from './read-answer.ts'
import type { RejectionCause } from './write-metrics.ts'

/** Beyond these all are forgotten: a series may then be logged once more. */
const knownMax = 1000

export class PartialWrites {
  readonly #host: Pick<ExporterHost, 'log'>
  readonly #known = new Set<string>()

  constructor(host: Pick<ExporterHost, 'log'>) {
    this.#host = host
  }

  /**
   * `complaints` are the lines of an answer that left so many samples out. A warning, unless each of them has been logged
   * of its series; another one if none is left out.
   */
  log(sampleCount: number, complaints: readonly string[]): void {
    const message = sampleCount === 0 ? contradiction : partialWrite
    const named = complaints.length === 0 ? ['no reason'] : complaints.map(subjectOf)
    const subjects = named.map((subject) => message + subject)
    const fresh = subjects.filter((subject) => !this.#known.has(subject))
    if (fresh.length === 0) return
    if (this.#known.size + fresh.length > knownMax) this.#known.clear()
    for (const subject of fresh) this.#known.add(subject)
    this.#host.log.warn({ dropped_samples: sampleCount, error: describe(complaints) }, message)
  }
}

const partialWrite =
  'the server wrote only a part of the samples; further ones of these series are only counted'
const contradiction =
  'the server refused a request of which it says that all samples are written; they count as delivered'

/** By the cause of each complaint where there is one a sample, else all by the first. */
export function causesOf(
  sampleCount: number,
  complaints: readonly string[],
): ReadonlyMap<RejectionCause, number> {
  if (complaints.length !== sampleCount) {
    return new Map([[rejectionCause(complaints[0] ?? ''), sampleCount]])
  }
  const causes = new Map<RejectionCause, number>()
  for (const complaint of complaints) {
    const cause = rejectionCause(complaint)
    causes.set(cause, (causes.get(cause) ?? 0) + 1)
  }
  return causes
}

/** What names no series counts by its cause. */
function subjectOf(complaint: string): string {
  return seriesText(complaint) ?? rejectionCause(complaint)
}

const textLengthMax = 1000

function describe(complaints: readonly string[]): string {
  return complaints.join('; ').slice(0, textLengthMax)
}
