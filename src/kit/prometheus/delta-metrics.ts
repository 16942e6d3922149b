/** What is counted of delta points, under the same names in every component that adds them up. */
import type { MetricDeclaration } from '../../pipeline/component.ts'
import type { Host } from '../../pipeline/host.ts'
import type { Counter } from '../../pipeline/meter.ts'

export interface DeltaCounters {
  /** Points added whose start was the end of what there was, left a gap behind it, or reached back before it. */
  readonly aligned: Counter
  readonly gap: Counter
  readonly overlap: Counter
  /** Histograms that came with other bounds and began anew. */
  readonly restart: Counter
  /** Streams forgotten because nothing came for max_stale. */
  readonly expired: Counter
}

const help = {
  points: 'Delta points added to earlier ones, by how their start met the end of those.',
  streams: 'Delta streams that are added up now.',
  expired: 'Delta streams forgotten because nothing came for max_stale.',
} as const

/** `prefix` is that of the component's own metrics, `owner` the label that holds its id. */
export function deltaDeclarations(
  prefix: string,
  owner: 'exporter' | 'processor',
): readonly MetricDeclaration[] {
  const own = { kind: 'counter', labels: [owner] } as const
  return [
    { ...own, name: `${prefix}_delta_points`, help: help.points, labels: [owner, 'start'] },
    { ...own, name: `${prefix}_delta_streams`, help: help.streams, kind: 'gauge' },
    { ...own, name: `${prefix}_expired_delta_streams`, help: help.expired },
  ]
}

export function deltaCounters(
  { id, meter }: Host,
  { prefix, owner }: { readonly prefix: string; readonly owner: 'exporter' | 'processor' },
  streamCount: () => number,
): DeltaCounters {
  const own = { [owner]: id }
  meter.observe(`${prefix}_delta_streams`, help.streams, own, streamCount)
  const points = (start: string) =>
    meter.counter(`${prefix}_delta_points`, help.points, { ...own, start })
  return {
    aligned: points('aligned'),
    gap: points('gap'),
    overlap: points('overlap'),
    restart: points('restart'),
    expired: meter.counter(`${prefix}_expired_delta_streams`, help.expired, own),
  }
}
