/**
 * What a point costs to take in, what a series costs to show and to keep.
 * `node --expose-gc bench/metrics-exposition.bench.ts [--series N] [--rounds N] [--only store|live] [--node-flags TEXT]`:
 * first the prometheus exporter's store in this process, without sockets, then a real gateway with a million series.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { measureLive } from './exposition-live.ts'
import { gatewayFlags } from './processes.ts'
import { Batch } from '../src/otlp/batch.ts'
import { indexRequest } from '../src/otlp/index-request.ts'
import { collectorLabelNaming } from '../src/kit/prometheus/label-name.ts'
import { PieceBuffers } from '../src/components/exporters/prometheus/page-writer.ts'
import { renderText } from '../src/components/exporters/prometheus/render-text.ts'
import { negotiate } from '../src/components/exporters/prometheus/page-format.ts'
import { SeriesStore } from '../src/components/exporters/prometheus/series-store.ts'
import { readFileSync } from 'node:fs'
import { attributes, metricsRequest, sum } from '../test/kit/metrics-request.ts'
import { testHost } from '../test/kit/test-host.ts'

const { values: options } = parseArgs({
  options: {
    series: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    'node-flags': { type: 'string', default: gatewayFlags },
  },
})
const pointsPerRequest = 500

function makeStore(): SeriesStore {
  return new SeriesStore(
    {
      naming: { strategy: 'UnderscoreEscapingWithSuffixes', namespace: '' },
      rules: {
        naming: collectorLabelNaming,
        constLabels: [],
        scopeInfo: true,
        promotes: () => false,
        keepIdentifying: false,
      },
      expirationMs: 300_000,
      seriesMax: 2_000_000,
      deltas: { max_stale: 300_000, max_streams: 1_000_000 },
      keepsExemplars: false,
    },
    testHost({ signals: ['metrics'] }),
  )
}

/** CPU of this process, in microseconds, over `units`. */
function cpuOf(units: number, work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / units
}

function batches(seriesCount: number): Batch[] {
  return Array.from({ length: seriesCount / pointsPerRequest }, (_, request) => {
    const metrics = Array.from({ length: 10 }, (_, metric) => {
      const points = Array.from({ length: pointsPerRequest / 10 }, (_, index) => ({
        attributes: attributes({
          'http.request.method': 'GET',
          'http.route': `/api/v1/orders/${index}`,
          'http.response.status_code': 200n,
        }),
        startTimeUnixNano: 1_700_000_000_000_000_000n,
        timeUnixNano: 1_700_000_001_000_000_000n,
        asDouble: index * 1.37 + request,
      }))
      return sum(`http.server.requests.${metric}`, points)
    })
    const resource = { 'service.name': 'checkout', 'service.instance.id': `pod-${request}` }
    return indexRequest(
      'metrics',
      metricsRequest(metrics, { resource, scope: { name: 'runtime' } }),
    )
  })
}

function measureRecorded(): void {
  const bytes = readFileSync(new URL('payloads/collector-m500.pb', import.meta.url))
  const store = makeStore()
  const batch = indexRequest('metrics', bytes)
  const rounds = 1000
  for (let round = 0; round < 2; round++) {
    const cost = cpuOf(rounds * batch.itemCount, () => {
      for (let index = 0; index < rounds; index++) store.consume(batch)
    })
    console.log(`M500, known series:        ${cost.toFixed(3)} us CPU a point`)
  }
}

function measure(seriesCount: number): void {
  const all = batches(seriesCount)
  globalThis.gc?.()
  const heapBefore = process.memoryUsage()
  const store = makeStore()
  const label = `${seriesCount} series`
  const first = cpuOf(seriesCount, () => all.forEach((batch) => store.consume(batch)))
  console.log(`${label}, first points:   ${first.toFixed(3)} us CPU a point`)
  globalThis.gc?.()
  const heap = process.memoryUsage()
  const grown = heap.heapUsed - heapBefore.heapUsed + heap.arrayBuffers - heapBefore.arrayBuffers
  console.log(`${label}, memory:         ${(grown / seriesCount).toFixed(0)} bytes a series`)
  for (let round = 0; round < 3; round++) {
    const known = cpuOf(seriesCount, () => all.forEach((batch) => store.consume(batch)))
    console.log(`${label}, known series:   ${known.toFixed(3)} us CPU a point`)
  }
  for (const accept of ['text/plain', 'application/openmetrics-text;version=1.0.0']) {
    const format = negotiate(accept, true)
    for (let round = 0; round < 3; round++) {
      let byteLength = 0
      let longestMs = 0
      const started = performance.now()
      const cost = cpuOf(seriesCount, () => {
        let before = performance.now()
        const buffers = new PieceBuffers()
        for (const piece of renderText(store, { format, sendTimestamps: false, buffers })) {
          byteLength += piece.length
          buffers.giveBack(piece)
          const now = performance.now()
          longestMs = Math.max(longestMs, now - before)
          before = now
        }
      })
      const wallMs = performance.now() - started
      console.log(
        `${label}, ${format.kind}: ${wallMs.toFixed(0)} ms, ${cost.toFixed(3)} us CPU a series, ` +
          `${(byteLength / 1e6).toFixed(1)} MB, longest piece ${longestMs.toFixed(1)} ms`,
      )
    }
  }
}

if (options.only !== 'live') {
  measureRecorded()
  measure(100_000)
}
if (options.only !== 'store') {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  await measureLive({
    seriesCount: Number(options.series),
    rounds: Number(options.rounds),
    nodeFlags: options['node-flags'].split(' ').filter(Boolean),
  })
}
