/**
 * What a point costs in the remote write exporter alone, from the batch to the compressed request, without sockets:
 * `node --expose-gc bench/remote-write.bench.ts [series count]`. CPU of this process, user and system.
 */
import { readFileSync } from 'node:fs'
import { testHost } from '../test/kit/test-host.ts'
import { LabelPool } from '../src/components/exporters/prometheus-remote-write/label-pool.ts'
import { PlainWriter } from '../src/components/exporters/prometheus-remote-write/series-writer.ts'
import { SnappySeriesWriter } from '../src/components/exporters/prometheus-remote-write/snappy-series-writer.ts'
import { requestBuilderV1 } from '../src/components/exporters/prometheus-remote-write/write-request-v1.ts'
import { compressSnappy } from '../src/kit/compression/snappy.ts'
import { SampleList } from '../src/components/exporters/prometheus-remote-write/sample-list.ts'
import type { Row } from '../src/components/exporters/prometheus-remote-write/row.ts'
import { indexRequest } from '../src/otlp/index-request.ts'
import { SeriesIndex } from '../src/kit/prometheus/series-index.ts'
import { collectorLabelNaming } from '../src/kit/prometheus/label-name.ts'
import { SeriesLabels } from '../src/kit/prometheus/series-labels.ts'
import { AdvancingPayload } from './advancing-payload.ts'

const seriesCount = Number(process.argv[2] ?? 100_000)
const pointsPerRequest = 500
const file = new URL('payloads/collector-m500.pb', import.meta.url)
const payload = new AdvancingPayload(readFileSync(file))
const rules = {
  naming: collectorLabelNaming,
  constLabels: [{ name: 'cluster', value: 'eu-west-1' }],
  scopeInfo: true,
  promotes: () => false,
  keepIdentifying: false,
}

const pool = new LabelPool(7)
const seriesLabels = new SeriesLabels(rules)
const list = new SampleList()
const owner = {
  shard: 0,
  isGone: false,
  hasLoggedRejection: false,
  newestMs: -1,
  committedMs: -1,
}
const index = new SeriesIndex<string, Row>(
  { rules, seed: 7, entriesMax: seriesCount * 2, host: testHost() },
  {
    openMetric: () => true,
    openSeries: (metric, attributes) => {
      const name = { name: '__name__', value: metric.name }
      const labels = [name, ...seriesLabels.make(metric, attributes)]
      return { owner, family: undefined as never, labels: pool.take(labels) }
    },
    isGone: () => false,
    isNew: () => true,
    partBytes: () => 0,
    take: (row, point) => list.push(row, point.value, timeMs, 0),
    drop: () => {},
  },
)

let timeMs = 1.7e12
const builders = {
  '1.0, compressed while written': requestBuilderV1(pool, new SnappySeriesWriter(pool)),
  '1.0, written, then compressed': requestBuilderV1(pool, new PlainWriter(pool)),
}

function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

/** All series once; microseconds of reading and of building, and the bytes of the requests. */
function round(build: ReturnType<typeof requestBuilderV1> | undefined) {
  let [readUs, buildUs, bytes] = [0, 0, 0]
  timeMs += 1000
  for (let copy = 0; copy < seriesCount / pointsPerRequest; copy++) {
    const batch = indexRequest('metrics', payload.at(copy, timeMs).slice())
    let before = cpuMicroseconds()
    index.read(batch, 0)
    readUs += cpuMicroseconds() - before
    if (list.length < 2000) continue
    before = cpuMicroseconds()
    const indices = Uint32Array.from({ length: list.length }, (_, at) => at)
    if (build !== undefined) {
      const { body, isCompressed } = build(list, indices, { metadataBeforeMs: undefined })
      bytes += isCompressed ? body.length : compressSnappy(body).length
    }
    list.clear()
    buildUs += cpuMicroseconds() - before
  }
  return { readUs, buildUs, bytes }
}

const opened = round(undefined)
console.log(`a new series:                  ${(opened.readUs / seriesCount).toFixed(2)} us`)
for (const [name, build] of Object.entries(builders)) {
  for (let warm = 0; warm < 3; warm++) round(build)
  const rounds = Array.from({ length: 7 }, () => round(build))
  const median = (of: (one: (typeof rounds)[number]) => number) =>
    (rounds.map(of).toSorted((a, b) => a - b)[3] / seriesCount).toFixed(3)
  console.log(
    `${name}: ${median((one) => one.readUs)} us to read a point, ` +
      `${median((one) => one.buildUs)} us to write it, ${median((one) => one.bytes)} bytes`,
  )
}
