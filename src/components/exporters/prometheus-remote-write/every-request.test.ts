/** What holds for every request, whatever metrics come with names and labels that meet. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { cumulative, delta, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import type { PlainMessage } from '../../../../test/kit/oracle.ts'
import {
  closeRemoteWrites,
  type Rig,
  startRemoteWrite,
  v2,
} from '../../../../test/kit/remote-write-rig.ts'

const sentPoints = 'otelcol_exporter_sent_metric_points'
const failedPoints = 'otelcol_exporter_send_failed_metric_points'

interface Metric {
  readonly name: string
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponentialHistogram' | 'summary'
  readonly isDelta: boolean
  readonly points: readonly {
    /** Counted from the time of the batch. */
    readonly atMs: number
    readonly labels: Readonly<Record<string, string>>
  }[]
}

const metric: fc.Arbitrary<Metric> = fc.record({
  name: fc.constantFrom('m', 'm', 'm', 'm_bucket', 'm_count', 'm.sum', 'm_sum', 'target_info'),
  kind: fc.constantFrom('gauge', 'sum', 'histogram', 'exponentialHistogram', 'summary'),
  isDelta: fc.boolean(),
  points: fc.array(
    fc.record({
      atMs: fc.integer({ min: -30, max: 0 }),
      labels: fc.constantFrom<Readonly<Record<string, string>>>(
        {},
        { le: '1' },
        { le: '+Inf' },
        { quantile: '0.5' },
        { a: '1' },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})

type Step =
  | { readonly metrics: readonly Metric[]; readonly pod: string }
  | { readonly waitMs: number }

const batch = fc.record({
  metrics: fc.array(metric, { minLength: 1, maxLength: 4 }),
  pod: fc.constantFrom('a', 'b'),
})
const wait = fc.record({ waitMs: fc.constantFrom(2000, 90_000) })
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof({ weight: 5, arbitrary: batch }, { weight: 1, arbitrary: wait }),
  { minLength: 1, maxLength: 12 },
)

/** What a source says of a time follows from both: two sources differ, and none contradicts itself. */
function message({ name, kind, ...given }: Metric, pod: string, nowMs: number): PlainMessage {
  const isDelta = given.isDelta && kind !== 'gauge' && kind !== 'summary'
  const dataPoints = given.points.map(({ atMs, labels }) => {
    const timeMs = nowMs + atMs
    const draw = drawn(JSON.stringify([name, kind, isDelta, pod, labels, timeMs]))
    const startMs = timeMs - draw(80)
    return {
      ...point(labels, fieldsOf(kind, draw)),
      timeUnixNano: BigInt(timeMs) * 1_000_000n,
      ...(draw(2) === 0 ? { startTimeUnixNano: BigInt(startMs) * 1_000_000n } : {}),
      flags: draw(8) === 0 ? 1 : 0,
    }
  })
  if (kind === 'gauge' || kind === 'summary') return { name, [kind]: { dataPoints } }
  const temporality = isDelta ? delta : cumulative
  if (kind === 'sum') return { name, sum: { ...temporality, isMonotonic: true, dataPoints } }
  return { name, [kind]: { ...temporality, dataPoints } }
}

/** Numbers below the one asked for that follow from a text. */
function drawn(text: string): (below: number) => number {
  let state = 2166136261
  for (const char of text) state = Math.imul(state ^ char.codePointAt(0)!, 16777619)
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 739286513) + 1
    return (state >>> 8) % below
  }
}

function fieldsOf(kind: Metric['kind'], draw: (below: number) => number): PlainMessage {
  const value = draw(100)
  const count = BigInt(value)
  const parts = [[], [0.5], [0.5, 1], [1]][draw(4)]
  switch (kind) {
    case 'gauge':
    case 'sum':
      return { asDouble: value }
    case 'histogram': {
      const bucketCounts = [...parts.map(() => 0n), count]
      return { count, sum: value, explicitBounds: parts, bucketCounts }
    }
    case 'exponentialHistogram':
      return { count, sum: value, scale: 1, positive: { offset: 0, bucketCounts: [count] } }
    default:
      return { count, sum: value, quantileValues: parts.map((quantile) => ({ quantile, value })) }
  }
}

/** How many points were handed in. */
async function play(rig: Rig, all: readonly Step[]): Promise<number> {
  const { clock } = rig.host
  let itemCount = 0
  for (const step of all) {
    if ('waitMs' in step) await clock.advance(step.waitMs)
    else {
      const metrics = step.metrics.map((one) => message(one, step.pod, clock.nowMs()))
      const resource = { 'service.name': 'shop', 'pod.name': step.pod }
      const made = metricsBatch(metrics, { resource })
      itemCount += made.itemCount
      await rig.exporter.consume(made)
    }
  }
  await rig.exporter.stop?.(new AbortController().signal)
  return itemCount
}

function checkValues({ peer }: Rig): void {
  const seen = new Map<string, string>()
  for (const { samples } of peer.accepted) {
    for (const { series, timeMs, value, histogram } of samples) {
      const content = histogram === undefined ? String(value) : JSON.stringify(histogram, asText)
      const before = seen.get(`${series} ${timeMs}`) ?? content
      assert.equal(content, before, `two values of ${series} at ${timeMs}`)
      seen.set(`${series} ${timeMs}`, content)
    }
  }
}

const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

describe('every remote write request', () => {
  for (const [name, settings] of [
    ['1.0', {}],
    ['2.0', v2],
    ['2.0 with custom buckets', { ...v2, convert_histograms_to_nhcb: true }],
    ['2.0 of many batches', { ...v2, remote_write_queue: { min_size: 1e6, flush_timeout: '10m' } }],
    ['1.0 of many batches', { remote_write_queue: { min_size: 1e6, flush_timeout: '10m' } }],
  ] as const) {
    it(`keeps the rules, and every point is accounted for, by ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const rig = await startRemoteWrite({
            ...settings,
            add_metric_suffixes: false,
            metric_expiration: '1m',
            target_info: { enabled: true },
          })
          try {
            const itemCount = await play(rig, all)
            assert.deepEqual(rig.peer.violations, [])
            checkValues(rig)
            const dropped = rig.host.drops.reduce((sum, drop) => sum + drop.itemCount, 0)
            assert.equal(rig.value(sentPoints)! + rig.value(failedPoints)!, itemCount)
            assert.equal(rig.value(failedPoints), dropped)
            assert.equal(rig.host.memory.heldBytes, 0)
          } finally {
            await closeRemoteWrites()
          }
        }),
        { numRuns: 40 },
      )
    })
  }
})
