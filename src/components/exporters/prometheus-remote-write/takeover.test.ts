import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import { cumulative, gauge, metricsBatch, point } from '../../../../test/kit/metrics-request.ts'
import {
  closeRemoteWrites,
  startRemoteWrite as start,
} from '../../../../test/kit/remote-write-rig.ts'

const baseMs = Date.UTC(2026, 0, 1)
const at = (ms: number) => ({ timeUnixNano: BigInt(baseMs + ms) * 1_000_000n })
const from = (ms: number) => ({ startTimeUnixNano: BigInt(baseMs + ms) * 1_000_000n })
const resource = { 'service.name': 'shop' }
const native = (name: string, times: object) => ({
  name,
  exponentialHistogram: {
    ...cumulative,
    dataPoints: [
      { ...times, count: 1n, sum: 1, scale: 0, positive: { offset: 0, bucketCounts: [1n] } },
    ],
  },
})

afterEach(closeRemoteWrites)

for (const protobuf_message of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request']) {
  describe(`a series by ${protobuf_message} that another source takes over`, () => {
    it('has numbers and histograms in TimeSeries of their own', async () => {
      const { peer, exporter } = await start({
        protobuf_message,
        remote_write_queue: { min_size: 10, num_consumers: 1, flush_timeout: '1h' },
      })
      const numbers = gauge('k', [point({}, { ...at(1), asDouble: 5 })])
      await exporter.consume(metricsBatch([numbers], { resource }))
      const histograms = native('k', { ...from(2), ...at(3) })
      await exporter.consume(metricsBatch([histograms], { resource }))
      await exporter.stop?.(new AbortController().signal)
      assert.deepEqual(peer.violations, [])
      const [{ samples }] = peer.requests
      assert.deepEqual(
        samples.map((one) => [one.series, one.timeMs - baseMs, one.histogram !== undefined]),
        [
          ['k{job="shop"}', 1, false],
          ['k{job="shop"}', 3, true],
        ],
      )
    })
  })
}
